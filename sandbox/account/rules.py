"""What a change of the account changes besides: facts about the API that nobody documents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which dates follow which changes; each is an assumption.

    Attributes:
        deleting_moves_updated_at: Deleting a contact changes its `updated_at`.
        unsubscribing_moves_updated_at: Unsubscribing changes the `updated_at` of the contact, not
            only that of its email address (observed: it does not).
        memberships_move_updated_at: Leaving a list changes the `updated_at` of a contact.
        editing_moves_created_at: Editing a contact changes its `created_at`.
        sending_moves_updated_at: Sending a campaign changes its `updated_at`.
        sms_counts_settle: The counts of an SMS campaign stop changing some time after its send.
    """

    deleting_moves_updated_at: bool = True
    unsubscribing_moves_updated_at: bool = False
    memberships_move_updated_at: bool = False
    editing_moves_created_at: bool = False
    sending_moves_updated_at: bool = True
    sms_counts_settle: bool = True
