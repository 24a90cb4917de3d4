"""The account: its records, and how they change."""

from sandbox.account.account import MAILABLE, Account, Record, permission

__all__ = ["MAILABLE", "Account", "Record", "permission"]
