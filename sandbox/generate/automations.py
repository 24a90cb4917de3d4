"""Generate automations: workflows of nested tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, stamp_colon

if TYPE_CHECKING:
    from sandbox.account import Account, Record

AUTOMATIONS = (  # name, status, created from
    ("Welcome series", "ACTIVE", "SCRATCH"),
    ("Birthday greeting", "DRAFT", "TEMPLATE"),
    ("Win back", "PAUSED", "TEMPLATE"),
)
BIRTHDAY: Record = {
    "bounds": {"after": "P-7D", "before": "P-6D"},
    "trigger_date": {
        "date_field": "record.anniversary",
        "day_field": "record.birthday_day",
        "month_field": "record.birthday_month",
        "type": "Profile",
    },
}
TRIGGERED_BY: dict[str, Record] = {
    "Birthday greeting": BIRTHDAY,
    "Win back": {"engagement_level": "LEAST", "segment_id": "14"},
}


def add_automations(account: Account, last: int) -> None:
    """Add some automations."""
    for name, status, created_from in AUTOMATIONS:
        created = account.rng.randrange(last - 400 * DAY, last - 30 * DAY)
        automation = _automation(account, name, status, created)
        if created_from == "TEMPLATE":
            automation["template_id"] = template_id = account.new_id()
            workflow = automation["draft_definition"]["workflow"]["workflow_def"]
            workflow["correlation_metadata"]["automation_template_id"] = template_id
        account.automations[automation["id"]] = automation


def _automation(account: Account, name: str, status: str, created: int) -> Record:
    id_ = account.new_id()
    active = status != "DRAFT"
    promotion = {"promoted_by_id": "123456789", "promoted_date": stamp_colon(created + DAY)}
    return {
        "id": id_,
        "name": name,
        "description": f"{name}, in two steps",
        "status": status,
        "active_state": status if active else None,
        "draft_state": "PROMOTED" if active else "DRAFT",
        "created_by_id": "123456789",
        "created_date": stamp_colon(created),
        **(promotion if active else {}),
        "update_date": stamp_colon(created + 2 * DAY),
        "structured_tags": [
            {"display_value": "Follow-up", "key": "GOAL", "value": "post_purchase_followup"}
        ],
        "active_definition": _definition(account, id_, name, status) if active else None,
        "draft_definition": _definition(account, id_, name, "DRAFT"),
        "name_explicitly_set": True,
    }


def _definition(account: Account, id_: str, name: str, state: str) -> Record:
    list_id = next(iter(account.lists))
    ids = {"automation_flow_id": id_, "campaign_id": account.new_id()}
    return {
        "state": state,
        "trigger": {
            "trigger_def": {**_trigger(list_id), **TRIGGERED_BY.get(name, {})},
            "trigger_filter": {"version": "1.0.0", "rule": _rule()},
            "trigger_version": "1.0.0",
            "workflow_filter": "none",
        },
        "workflow": {
            "workflow_def": {
                "parameters": {**ids, "automation_flow_name": name, "discount_code": "WIN95"},
                "correlation_metadata": {**ids},
                "tasks": [_wait(account), _fork(account)],
                "status": "SCHEDULED",
                "metadata": {"origin": "editor"},
                "timeout": {"amount": 10.0, "time_unit": "HOURS"},
                "upgradable": True,
            },
        },
    }


def _trigger(list_id: str) -> Record:
    return {
        "type": "Action",
        "action_name": "list_join",
        "unique_by": "list_ids",
        "parameters": [
            {
                "operator": "CONTAINS",
                "parameter_name": "list_ids",
                # A list, although declared as an object (documented both ways).
                "parameter_value": [list_id],
                "parameter_list_value": [list_id],
                "parameter_string_value": list_id,
                "rule": {"version": "1.0.0"},
                "type": "LIST",
            }
        ],
    }


def _rule() -> Record:
    """Return a rule with two nested rules."""
    leaf = {
        "type": "PROPERTY",
        "target": "contact",
        "target_type": "RECORD",
        "property_comparison": {
            "argument": "Boston",
            "array_argument": ["Boston", "Salem"],
            "string_map_argument": {"custom_field_Id": "city", "value": "Boston"},
            "operator": "EQUALS",
            "property_name": "city",
            "type": "STRING",
        },
    }
    neither = {"type": "NOT", "rule": leaf}
    return {"type": "COMPOUND", "compound_rule_type": "AND", "left": leaf, "right": neither}


def _wait(account: Account) -> Record:
    return {
        "id": account.new_id(),
        "name": "Wait",
        "kind": "TIMER",
        "input": {"period": "P1D"},
        "output": {"waited": "P1D"},
        "json_condition": {"==": [1, 1]},
        "queue_name": "timers",
        "script": "wait()",
        "task_provider_reference_key": "timer-1",
        "task_skip_condition": "never",
        "timeout": {"amount": 1.0, "time_unit": "DAYS"},
    }


def _fork(account: Account) -> Record:
    """Return a task with nested tasks at two levels (documented: recursive)."""
    return {
        "id": account.new_id(),
        "name": "Opened?",
        "kind": "CONDITION",
        "event_condition": "em_opens",
        "then": [_mail(account)],
        "else": [{**_mail(account), "child_tasks": [_wait(account)]}],
    }


def _mail(account: Account) -> Record:
    return {
        "id": account.new_id(),
        "name": "Send an email",
        "kind": "EMAIL",
        "correlation_metadata": {"campaign_activity_id": account.new_id()},
        "metadata": {
            "action": "send_email",
            "create_from_scratch": True,
            "kind": "EMAIL",
            "list": "news",
        },
        "retry_options": {
            "backoff_coefficient": 2,
            "initial_interval": 60,
            "maximum_attempts": 5,
        },
    }
