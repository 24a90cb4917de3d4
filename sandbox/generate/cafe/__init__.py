"""The account of a café: eighteen months of a newsletter, as a small business would write it."""

from sandbox.generate.cafe.account import generate_cafe

__all__ = ["generate_cafe"]
