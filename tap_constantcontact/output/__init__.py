"""What the tap writes: records, messages, states, progress and the summary of a run."""
