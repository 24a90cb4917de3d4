"""The tap as an Airbyte source: `source-constantcontact` speaks the Airbyte protocol.

The tap runs in the same process, with a message writer that writes Airbyte's messages. Settings,
streams, keys and schemas are the tap's.
"""
