"""Generators: they fill an account from a seed, and change it."""
