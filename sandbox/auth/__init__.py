"""The authorization server: the pages of the sign-in, and tokens."""
