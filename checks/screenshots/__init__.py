"""Pictures of the README: a run on a terminal, and the report, both of a simulated account."""
