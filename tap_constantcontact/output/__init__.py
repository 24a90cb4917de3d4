"""What leaves the tap: records, messages, states, and progress."""
