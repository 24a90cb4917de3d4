"""What the tap assumes about the API, in one place.

Nobody who wrote the tap has seen the API from inside an account. So each fact that it relies on,
and that the contract alone doesn't settle, is an entry here. Code that relies on one says so in a
comment, `Assumes: name`. docs/concepts/assumptions.md is made from the entries, and
`tap-constantcontact-check` compares them with an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

#: The version of the vendor's contract that the tap goes by.
CONTRACT = "3.0.193"


class Mark(str, Enum):
    """How well a fact is known."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"
    ASSUMED = "assumed"


class Effect(str, Enum):
    """What it means for the rows if a fact is wrong."""

    NONE = "nothing changes"
    REQUESTS = "more requests"
    LATE = "late rows"
    SAID = "rows are missing, and the run says so"
    STALE = "old values"


@dataclass(frozen=True)
class Assumption:
    """A fact about the API that the tap relies on.

    Attributes:
        name: Its name, by which code refers to it.
        claim: The fact, in one sentence.
        mark: How well it is known.
        source: Where it is from.
        used_by: What relies on it.
        effect: What it means for the rows if it is wrong.
        if_wrong: What happens if it is wrong, in a sentence.
    """

    name: str
    claim: str
    mark: Mark
    source: str
    used_by: str
    effect: Effect
    if_wrong: str

    @property
    def is_harmful(self) -> bool:
        """Whether a user has to do something if it is wrong."""
        return self.effect in (Effect.SAID, Effect.STALE)


_CONTACTS = (
    Assumption(
        name="contact_pages_are_numbered",
        claim="A link to the next page of contacts holds the number of the page.",
        mark=Mark.INFERRED,
        source="two published links, which decode to next=2 for page sizes 1 and 5",
        used_by=(
            "passes through contacts are compared with the announced number, and repeated; further "
            "pages are prefetched"
        ),
        effect=Effect.NONE,
        if_wrong="Pages don't shift, so that no pass has to be repeated. They are not prefetched.",
    ),
    Assumption(
        name="contacts_come_newest_first",
        claim="Contacts are sorted newest first.",
        mark=Mark.ASSUMED,
        source="the only published response with two pages",
        used_by="nothing but the expectation that new contacts push others down rather than up",
        effect=Effect.REQUESTS,
        if_wrong="Passes are repeated more often. No order of contacts is relied on.",
    ),
    Assumption(
        name="dates_exclude_their_moment",
        claim="Filters such as updated_after and created_before exclude the given moment.",
        mark=Mark.ASSUMED,
        source="the word; the contract doesn't say",
        used_by="incremental runs overlap, and so do slices of contacts",
        effect=Effect.NONE,
        if_wrong="Some rows come twice, with the same key.",
    ),
    Assumption(
        name="contacts_count_follows_the_filter",
        claim="contacts_count is the number of contacts that the filters of the request let in.",
        mark=Mark.ASSUMED,
        source="the contract can be read either way",
        used_by="a pass is complete when as many contacts have come; sweeps are cut by it",
        effect=Effect.REQUESTS,
        if_wrong="All contacts are read in a single pass, and passes are repeated once.",
    ),
    Assumption(
        name="unsubscribing_keeps_updated_at",
        claim="Unsubscribing changes the email address's updated_at, but not the contact's.",
        mark=Mark.OBSERVED,
        source="the vendor's support, 2022 and 2024",
        used_by="contacts are requested by optout_after as well",
        effect=Effect.NONE,
        if_wrong="Unsubscribed contacts come in both passes; each is written once.",
    ),
    Assumption(
        name="deleting_moves_updated_at",
        claim="Deleting a contact changes its updated_at.",
        mark=Mark.ASSUMED,
        source="none",
        used_by="deleted contacts come with the changed ones",
        effect=Effect.LATE,
        if_wrong="They come with the next sweep (contacts_sweep_days).",
    ),
    Assumption(
        name="memberships_keep_updated_at",
        claim="Joining or leaving a list or a tag doesn't change a contact's updated_at.",
        mark=Mark.ASSUMED,
        source="none; the harder case",
        used_by="a sweep re-reads all contacts every contacts_sweep_days",
        effect=Effect.NONE,
        if_wrong="Such contacts come with the next run instead of the next sweep.",
    ),
    Assumption(
        name="created_at_never_changes",
        claim="The created_at of a contact never changes.",
        mark=Mark.ASSUMED,
        source="the name",
        used_by="sweeps and cycles read contacts in slices by created_at",
        effect=Effect.LATE,
        if_wrong="A contact can leave its slice during a sweep. It comes as a changed contact.",
    ),
    Assumption(
        name="sms_channel_comes_unasked",
        claim="A contact with an SMS channel comes with sms_channel, without being asked for it.",
        mark=Mark.ASSUMED,
        source="include has had no sms_channel since build 3.0.47, but contacts still declare it",
        used_by="contact_sms_engagement_history is requested for these contacts only",
        effect=Effect.SAID,
        if_wrong="The stream has no rows and warns; add sms_channel to contacts_include.",
    ),
    Assumption(
        name="sms_count_has_this_name",
        claim="The number of SMS members of a list is called sms_membership_count.",
        mark=Mark.ASSUMED,
        source="the name of the query parameter that requests it",
        used_by="a column of contact_lists",
        effect=Effect.SAID,
        if_wrong="The column is empty, and the end of the run names the unknown property.",
    ),
    Assumption(
        name="sms_lists_can_be_requested",
        claim="An account without SMS returns no SMS lists, but accepts the request for them.",
        mark=Mark.ASSUMED,
        source="none",
        used_by="contact_lists are requested for both channels",
        effect=Effect.SAID,
        if_wrong="SMS lists are skipped with a warning.",
    ),
)

_CAMPAIGNS = (
    Assumption(
        name="campaign_links_hold_a_position",
        claim="A link to the next page of campaigns holds a position in the list.",
        mark=Mark.INFERRED,
        source="two published links, which decode to a bare number",
        used_by="the list comes last updated first, so that a change only repeats a campaign",
        effect=Effect.NONE,
        if_wrong="Pages don't shift.",
    ),
    Assumption(
        name="removed_campaigns_stay_listed",
        claim="A removed campaign stays in the list, with the status Removed.",
        mark=Mark.OBSERVED,
        source="public code that skips them",
        used_by="their rows get this status; nothing leaves the list while it is read",
        effect=Effect.STALE,
        if_wrong="The row of a removed campaign keeps its last status. It is not requested again.",
    ),
    Assumption(
        name="sending_moves_updated_at",
        claim="Sending a campaign changes its updated_at.",
        mark=Mark.ASSUMED,
        source="its status changes",
        used_by="sent campaigns come with the changed ones",
        effect=Effect.LATE,
        if_wrong=(
            "email_campaign_summaries shows the send, if it is selected. The activities of the "
            "campaign keep their old status until it changes otherwise."
        ),
    ),
    Assumption(
        name="unknown_ids_fail_stats",
        claim="One campaign without counters makes the API reject a whole request for counters.",
        mark=Mark.DOCUMENTED,
        source="the contract, on invalid ids; assumed for campaigns that were never sent",
        used_by="doubtful campaigns are requested alone, and a rejected request is halved",
        effect=Effect.NONE,
        if_wrong="Nothing has to be halved.",
    ),
    Assumption(
        name="counters_have_underscores",
        claim="Counters have underscores in their names, such as em_opens_all.",
        mark=Mark.DOCUMENTED,
        source="the contract; a page of the guide has dots",
        used_by="columns, and the counters that show what has changed",
        effect=Effect.NONE,
        if_wrong="Dots are read as underscores.",
    ),
    Assumption(
        name="last_sent_date_is_the_last_send",
        claim="last_sent_date of a summary is the last run_date of the send history.",
        mark=Mark.INFERRED,
        source="the name and its description",
        used_by="a send that reaches nobody new is noticed by it; re-reads count from it",
        effect=Effect.LATE,
        if_wrong="Re-reads come sooner after the last send; new rows still move a counter.",
    ),
    Assumption(
        name="conflict_means_no_test",
        claim="Status 409 in place of an A/B test means that the campaign has none.",
        mark=Mark.ASSUMED,
        source="the contract declares the status, without a meaning",
        used_by="email_campaign_ab_tests",
        effect=Effect.SAID,
        if_wrong="The table at the end of the run counts the tests that were skipped.",
    ),
)

_REPORTS = (
    Assumption(
        name="report_rows_match_counters",
        claim="A report has a row for each open and each click that is counted.",
        mark=Mark.ASSUMED,
        source="the descriptions of em_opens_all and em_clicks_all",
        used_by="opens and clicks that are missing from a report make it be read in full",
        effect=Effect.REQUESTS,
        if_wrong="The difference is noted at the first reading; some are read in full again.",
    ),
    Assumption(
        name="counters_show_new_rows",
        claim="New rows of a report change its own counter: opens that of opens, and so on.",
        mark=Mark.INFERRED,
        source="the descriptions of the counters",
        used_by="a report is requested only if its own counter has changed",
        effect=Effect.LATE,
        if_wrong=(
            "Rows that no counter shows come with the next change of the counter, or with the "
            "re-reads 7 and 30 days after its last send (engagement_rereads_days). A bounce, an "
            "unsubscribe or a forward comes within a week of any other change of the campaign."
        ),
    ),
    Assumption(
        name="zero_counters_mean_empty_reports",
        claim="A tracking report whose counter is 0 has no rows.",
        mark=Mark.ASSUMED,
        source="the descriptions of the counters",
        used_by="a report whose counter is 0 is not requested",
        effect=Effect.LATE,
        if_wrong=(
            "The 1st, 2nd, 4th, … of such reports is read as a proof, and the last of the re-reads "
            "reads all. At the first with rows the run warns, believes no counter of 0 any more, "
            "and the next one reads what was skipped."
        ),
    ),
    Assumption(
        name="report_times_are_whole_minutes",
        claim="The created_time of a report's rows is a whole minute.",
        mark=Mark.INFERRED,
        source="all published responses, and a cursor of the V2 API",
        used_by="occurrence tells rows of one minute apart; minutes are read whole",
        effect=Effect.NONE,
        if_wrong="Fewer rows need an occurrence.",
    ),
    Assumption(
        name="report_links_hold_a_keyset",
        claim="A link to the next page of a report holds the time and the contact of its last row.",
        mark=Mark.INFERRED,
        source="a cursor of the V2 API, which has the same store",
        used_by="new rows don't shift the pages of a report that is being read",
        effect=Effect.NONE,
        if_wrong="With offsets, rows that come in meanwhile repeat others, with the same key.",
    ),
    Assumption(
        name="reports_are_newest_first",
        claim="The rows of a tracking report come newest first.",
        mark=Mark.DOCUMENTED,
        source="the guide",
        used_by="reading stops at the first row that is older than the lookback",
        effect=Effect.LATE,
        if_wrong=(
            "Missing opens and clicks make a report be read in full. New rows of the others come "
            "with a re-read, if one is still to come."
        ),
    ),
)

_OTHERS = (
    Assumption(
        name="events_come_in_every_status",
        claim="Without a status filter, the list of events has all that are not deleted.",
        mark=Mark.ASSUMED,
        source="none; the contract has no default",
        used_by="events are requested without a status",
        effect=Effect.SAID,
        if_wrong=(
            "Events of other statuses are missing. The log names the statuses that came; set "
            "event_status to read others."
        ),
    ),
    Assumption(
        name="event_list_shows_registrations",
        claim="A new registration changes the row of its event in the list of events.",
        mark=Mark.DOCUMENTED,
        source="the summary of registrations in the contract",
        used_by="past events are requested only if their rows in the list have changed",
        effect=Effect.LATE,
        if_wrong=(
            "Registrations for an event that ended more than events_settle_days ago come with the "
            "next sweep (events_sweep_days)."
        ),
    ),
    Assumption(
        name="event_links_are_either",
        claim="Events link to the next page by next_cursor, by _links, or by both.",
        mark=Mark.DOCUMENTED,
        source="the contract has both, the guide the cursor only",
        used_by="the pagination of events and registrations",
        effect=Effect.NONE,
        if_wrong="Either form is followed.",
    ),
    Assumption(
        name="sms_counts_settle",
        claim="The counts of an SMS campaign don't change later than 90 days after its send.",
        mark=Mark.ASSUMED,
        source="none",
        used_by="sms_campaign_summaries are read again for 90 days",
        effect=Effect.STALE,
        if_wrong="Later changes don't arrive. Make the stream FULL_TABLE in the catalog.",
    ),
    Assumption(
        name="throttling_has_no_retry_after",
        claim="A response with status 429 has no Retry-After header.",
        mark=Mark.DOCUMENTED,
        source="no such header is declared; the token endpoint sends one (observed)",
        used_by="requests pause for a second, and longer with each attempt",
        effect=Effect.NONE,
        if_wrong="The header is honored.",
    ),
    Assumption(
        name="used_refresh_tokens_are_void",
        claim="A rotating refresh token is void as soon as it was used.",
        mark=Mark.OBSERVED,
        source="the vendor's support; no grace period is documented",
        used_by="new tokens are stored before the first request to the API",
        effect=Effect.NONE,
        if_wrong="Nothing is lost by the caution.",
    ),
    Assumption(
        name="void_tokens_are_status_400",
        claim="The response to a void refresh token has status 400 and the error invalid_grant.",
        mark=Mark.INFERRED,
        source="the error was seen, the status is that of OAuth 2",
        used_by="the token store is read again, as another process may have replaced the token",
        effect=Effect.NONE,
        if_wrong="The error is recognized by its name, whatever the status.",
    ),
    Assumption(
        name="keys_with_a_secret_may_use_pkce",
        claim="An application with a secret can use a PKCE challenge too.",
        mark=Mark.INFERRED,
        source="the authorization server is an Okta",
        used_by="tap-constantcontact-login",
        effect=Effect.SAID,
        if_wrong="The sign-in ends with the message of the token endpoint; use --device.",
    ),
    Assumption(
        name="partners_use_client_credentials",
        claim="A partner gets a token by the grant client_credentials.",
        mark=Mark.ASSUMED,
        source="the guide shows the address and the header x-api-key only",
        used_by="the partner streams",
        effect=Effect.SAID,
        if_wrong="The run ends with the message of the token endpoint.",
    ),
)

#: All assumptions, by name.
ASSUMPTIONS: dict[str, Assumption] = {
    each.name: each for each in (*_CONTACTS, *_CAMPAIGNS, *_REPORTS, *_OTHERS)
}
