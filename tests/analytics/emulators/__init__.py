"""The models in Snowflake and BigQuery, emulated: each in an environment of its own."""
