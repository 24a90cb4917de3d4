"""Validation of the setting stream_maps, which the SDK applies.

A rule that holds for nothing is refused: it would let out what it was to remove.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

from tap_constantcontact.settings.choices import EXTRA_COLUMN, with_near_miss

_REMOVED = (None, "__NULL__")
_ELSE, _SOURCE, _FILTER = "__else__", "__source__", "__filter__"
_NAMES = (_SOURCE, "__alias__")
_KEYS = "__key_properties__"


def problems(stream_maps: Any) -> Iterator[str]:
    """Yield a message for each value that is no rule.

    Args:
        stream_maps: The value of the setting.
    """
    if not isinstance(stream_maps, Mapping):
        yield (
            f"Invalid stream_maps: {stream_maps!r} (must be an object of streams and their rules, "
            "in JSON)"
        )
        return
    for name, rules in stream_maps.items():
        place = f"stream_maps.{name}"
        if name == _ELSE or not isinstance(rules, Mapping):
            if not _is_removal(rules):
                accepted = "__NULL__" if name == _ELSE else "an object of rules, or __NULL__"
                yield f"Invalid {place}: {rules!r} (must be {accepted})"
            continue
        for target, rule in rules.items():
            if accepted := _accepted(target, rule):
                yield f"Invalid {place}.{target}: {rule!r} (must be {accepted})"


def ineffective(
    stream_maps: Mapping[str, Any],
    columns: Mapping[str, Collection[str]],
    read: Iterable[str],
) -> Iterator[str]:
    """Yield a message for each rule that would hold for nothing.

    Args:
        stream_maps: The value of the setting, with valid rules.
        columns: The columns of all streams by their names.
        read: The names of the streams that are read.
    """
    yield from _unmatched(stream_maps, columns)
    own = [name for name, rules in stream_maps.items() if _source_of(name, rules) == name]
    for stream in read:
        matching = [name for name in own if name != _ELSE and fnmatch(stream, name)]
        for name in matching[1:]:
            yield (
                f"Invalid stream_maps.{matching[0]}: {stream} has the rules of {name} as well, and "
                "only those would hold. Put all its rules into one place"
            )


def _unmatched(
    stream_maps: Mapping[str, Any], columns: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Yield a message for each stream that the tap does not have, and each property to remove."""
    for name, rules in stream_maps.items():
        if name == _ELSE:
            continue
        source = _source_of(name, rules)
        streams = [stream for stream in columns if fnmatch(stream, source)]
        if not streams:
            yield (
                f"Invalid stream_maps.{name}: no stream is called {with_near_miss(source, columns)}"
            )
            continue
        known = {EXTRA_COLUMN}.union(*(columns[stream] for stream in streams))
        for target, rule in rules.items() if isinstance(rules, Mapping) else ():
            if _is_removal(rule) and not _is_option(target) and target not in known:
                yield (
                    f"Invalid stream_maps.{name}.{target}: there is no property "
                    f"{with_near_miss(target, known)} to remove. Rules are for top-level "
                    "properties, before flattening"
                )


def _source_of(name: str, rules: Any) -> str:
    """Return the name or the pattern of the streams that rules are for."""
    return str(rules.get(_SOURCE, name) if isinstance(rules, Mapping) else name)


def _accepted(target: str, rule: Any) -> str:
    """Return what is accepted as the rule of a target, or "" if the rule is accepted."""
    if target in _NAMES:
        return "" if isinstance(rule, str) and rule else "the name of a stream"
    if target == _KEYS:
        is_list = isinstance(rule, list) and all(isinstance(each, str) for each in rule)
        return "" if is_list or rule is None else "a list of properties"
    if target == _ELSE:
        return "" if _is_removal(rule) else "__NULL__"
    if _is_option(target) and target != _FILTER:
        return f"the rule of a property, or of {', '.join((_ELSE, _FILTER, _KEYS, *_NAMES))}"
    return "" if _is_removal(rule) or _is_expression(rule) else "a Python expression, or __NULL__"


def _is_removal(rule: Any) -> bool:
    return rule is None or (isinstance(rule, str) and rule in _REMOVED)


def _is_option(target: str) -> bool:
    return target.startswith("__") and target.endswith("__")


def _is_expression(rule: Any) -> bool:
    try:
        parsed = ast.parse(rule).body
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
        return False
    return len(parsed) == 1 and isinstance(parsed[0], ast.Expr)
