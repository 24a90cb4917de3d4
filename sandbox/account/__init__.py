"""What one account holds, and what can happen to it."""

from sandbox.account.account import MAILABLE, Account, Record, permission

__all__ = ["MAILABLE", "Account", "Record", "permission"]
