"""The account, its sender addresses and the privileges of its user."""

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Forbidden, LoginError


class Account(ConstantContactStream):
    """The account of the token (getAccountById, getPhysicalAddress, getCompanyLogo)."""

    name = "account"
    path = "/account/summary"
    params = {"extra_fields": "physical_address,company_logo"}
    primary_keys = ("encoded_account_id",)
    scopes = ("account_read",)
    privileges = ("account:read",)
    _account_id = ""

    def account_id(self) -> str:
        """Return the ID of the account, which is requested once.

        Raises:
            LoginError: The sign-in doesn't allow that, or there is none.
        """
        if not self._account_id:
            try:
                self._account_id = self.details.get(self.path).get("encoded_account_id") or ""
            except Forbidden as refusal:
                message = (
                    f"add_account_id requires {self.permissions}. Sign in with the required "
                    "permissions, or unset add_account_id"
                )
                raise LoginError(message) from refusal
        if not self._account_id:
            message = (
                f"{self.path} returned no encoded_account_id, which add_account_id requires. "
                "Unset it, and report this"
            )
            raise LoginError(message)
        return self._account_id


class AccountEmails(ConstantContactStream):
    """An email address that the account can send from (retrieveEmailAddresses)."""

    name = "account_emails"
    path = "/account/emails"
    primary_keys = ("email_id",)
    scopes = ("account_read",)
    privileges = ("account:read",)


class AccountUserPrivileges(ConstantContactStream):
    """A privilege of the user whose token is used (getUserPrivileges)."""

    name = "account_user_privileges"
    path = "/account/user/privileges"
    primary_keys = ("privilege_id",)
    requires = "an active application"
    selected_by_default = False
