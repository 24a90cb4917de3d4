"""The account, its sender addresses and the privileges of its user."""

from tap_constantcontact.client import ConstantContactStream


class Account(ConstantContactStream):
    """The account of the token (getAccountById, getPhysicalAddress, getCompanyLogo)."""

    name = "account"
    path = "/account/summary"
    params = {"extra_fields": "physical_address,company_logo"}
    primary_keys = ("encoded_account_id",)
    scopes = ("account_read",)
    privileges = ("account:read",)


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
