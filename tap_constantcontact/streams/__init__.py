"""The streams, a file for each subject; a new one is added to its file and to `STREAMS`."""

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.streams.account import Account, AccountEmails, AccountUserPrivileges
from tap_constantcontact.streams.campaigns import (
    EmailCampaignActivities,
    EmailCampaigns,
    EmailCampaignStats,
    EmailCampaignSummaries,
)
from tap_constantcontact.streams.contacts import (
    ContactCounts,
    ContactCustomFields,
    ContactLists,
    Contacts,
    ContactTags,
    Segments,
)

STREAMS: tuple[type[ConstantContactStream], ...] = (
    Account,
    AccountEmails,
    AccountUserPrivileges,
    ContactCounts,
    ContactCustomFields,
    ContactLists,
    ContactTags,
    Contacts,
    EmailCampaignActivities,
    EmailCampaignStats,
    EmailCampaignSummaries,
    EmailCampaigns,
    Segments,
)
