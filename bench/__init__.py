"""How fast the tap is, beside others: `make bench` runs it. It is no part of the wheel."""
