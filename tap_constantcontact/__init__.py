"""Singer tap for the Constant Contact v3 API."""
