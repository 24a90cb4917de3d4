"""The tap as an Airbyte source: `source-constantcontact` speaks the Airbyte protocol.

The tap runs in the same process, with a writer of messages that writes Airbyte's. Settings,
streams, keys and schemas are the tap's.
"""
