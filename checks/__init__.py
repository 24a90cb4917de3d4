"""End-to-end checks of the tap as a user installs it, each with a make target of its own."""
