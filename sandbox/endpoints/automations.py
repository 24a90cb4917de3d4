"""Automations: workflows that run automatically."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.parameters import choice, text
from sandbox.server.routing import JsonResponse, Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.account import Record
    from sandbox.server.routing import Call

AUTOMATIONS = Service("automations.api", "campaign_data")
IN_SUMMARY = (
    "active_state",
    "created_by_id",
    "created_date",
    "description",
    "draft_state",
    "id",
    "name",
    "promoted_by_id",
    "promoted_date",
    "status",
    "structured_tags",
    "template_id",
    "update_date",
)
IN_DETAIL = (
    "id",
    "name",
    "description",
    "structured_tags",
    "status",
    "active_definition",
    "draft_definition",
    "name_explicitly_set",
)


@AUTOMATIONS.get(
    "/automations/workflows",
    privilege="customer-journey:read",
    parameters={
        "channel": text,
        "sort_direction": choice("ASC", "DESC"),
        "created_from": choice("SCRATCH", "TEMPLATE"),
        "goals": text,
        "name": text,
    },
)
def automations(call: Call) -> JsonResponse:
    """List automations with a special status (documented), last updated first (assumed)."""
    rows = [row for row in call.account.automations.values() if _fits(row, call)]
    descending = call.query.get("sort_direction", "DESC") == "DESC"
    rows.sort(key=lambda row: str(row["update_date"]), reverse=descending)
    return JsonResponse(209, {"flow_summaries": [_only(row, IN_SUMMARY) for row in rows]})


@AUTOMATIONS.get("/automations/workflows/<automation_flow_id>", privilege="customer-journey:read")
def automation(call: Call, automation_flow_id: str) -> Record:
    """Show one automation with all of its tasks."""
    record = AUTOMATIONS.find(call.account.automations, automation_flow_id, "automation_flow_id")
    return _only(record, IN_DETAIL)


def _fits(automation: Record, call: Call) -> bool:
    created_from = "TEMPLATE" if "template_id" in automation else "SCRATCH"
    goals = {tag["value"] for tag in automation["structured_tags"] if tag["key"] == "GOAL"}
    return (
        call.query.get("channel", "email") == "email"
        and call.query.get("created_from", created_from) == created_from
        and ("goals" not in call.query or not goals.isdisjoint(call.query["goals"].split(",")))
        and call.query.get("name", automation["name"]) == automation["name"]
    )


def _only(record: Record, names: Iterable[str]) -> Record:
    """Return some properties; empty ones are absent, as elsewhere (assumed)."""
    return {name: record[name] for name in names if record.get(name) is not None}
