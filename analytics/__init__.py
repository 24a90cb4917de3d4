"""Models on the tables that the tap loads, and the report that is generated from them."""
