"""Models over what the tap loads, and the report that is made from them."""
