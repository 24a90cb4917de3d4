"""Benchmark of the tap against other tools, run by `make bench`. Not part of the wheel."""
