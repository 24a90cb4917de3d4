"""What the checks share: Meltano projects, targets, and the comparison with the account."""
