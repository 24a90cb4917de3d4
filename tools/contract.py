"""Compare the tap with the vendor's contract: `make contract`.

CONTRACT is the address of a contract, or a file; by default it is the published one, which needs no
login. The differences are the reads, query parameters and properties that one side lacks.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import yaml

from tools.contract_data import DEFINITIONS, OWN, PARAMETERS

PUBLISHED = "https://api.cc.email/v3/swagger.yaml"
ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "schemas"
ENDPOINTS = ROOT / "docs" / "reference" / "endpoints.md"


class NotAContract(ValueError):
    """Raised if what was read is not an OpenAPI contract of the vendor's form."""


def load(source: str | None) -> dict[str, Any]:
    """Return the contract at an address or in a file; without one, the published contract.

    Raises:
        OSError: The file can't be read.
        requests.RequestException: The address can't be read.
        NotAContract: There is something else.
    """
    address = source or PUBLISHED
    if re.match("https?://", address):
        response = requests.get(address, timeout=60)
        response.raise_for_status()
        text = response.content.decode("utf-8", errors="replace")
    else:
        text = Path(address).read_text("utf-8")
    try:
        contract = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise NotAContract(address) from error
    if not isinstance(contract, dict) or not {"paths", "definitions"} <= contract.keys():
        raise NotAContract(address)
    return contract


def reads_of(contract: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the GET operations of a contract, by path."""
    return {path: item["get"] for path, item in contract["paths"].items() if "get" in (item or {})}


def known_reads() -> list[str]:
    """Return the paths that docs/reference/endpoints.md accounts for, in its order."""
    return re.findall(r"^\| \w+ \| `(/[^`]*)` \|", ENDPOINTS.read_text("utf-8"), re.MULTILINE)


def query_parameters(operation: dict[str, Any]) -> set[str]:
    """Return the names of an operation's query parameters."""
    return {each["name"] for each in operation.get("parameters", ()) if each.get("in") == "query"}


def documented(stream: str, definitions: dict[str, Any]) -> set[str]:
    """Return the paths of all properties that the contract documents for a stream.

    A definition that the contract lacks has none: older builds do not have them all.
    """
    found: set[str] = set()
    for name in DEFINITIONS[stream]:
        start, _, inner = name.partition(".")
        definition = definitions.get(start, {})
        if inner:
            definition = definition.get("properties", {}).get(inner, {}).get("items", {})
        found |= paths(definition, definitions)
    return found


def in_schema(stream: str) -> set[str]:
    """Return the paths of all properties of a stream's schema."""
    return paths(json.loads((SCHEMAS / f"{stream}.json").read_text("utf-8")), {})


def paths(schema: dict[str, Any], definitions: dict[str, Any], path: str = "") -> set[str]:
    """Return the paths of the properties of a schema, as columns are named.

    A recursive definition has no paths: its values are kept as they are. Links are skipped.
    """
    if "$ref" in schema:
        definition = definitions[schema["$ref"].split("/")[-1]]
        recursive = json.dumps(schema["$ref"]) in json.dumps(definition)
        return set() if recursive else paths(definition, definitions, path)
    found: set[str] = set()
    for part in [*schema.get("allOf", []), *([schema["items"]] if "items" in schema else [])]:
        found |= paths(part, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        if name != "_links":
            column = path + re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
            found |= {column} | paths(inner, definitions, f"{column}.")
    return found


def differences(contract: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each path or stream that differs from the contract."""
    reads, known = reads_of(contract), known_reads()
    yield from (f"GET {path}: the tap lacks it" for path in reads if path not in known)
    yield from (f"GET {path}: the contract lacks it" for path in known if path not in reads)
    for path in reads:
        theirs, ours = query_parameters(reads[path]), set(PARAMETERS.get(path, "").split())
        if path in known:
            yield from _compared(f"GET {path}", "parameter", theirs, ours)
    for stream in sorted(DEFINITIONS):
        theirs, ours = documented(stream, contract["definitions"]), in_schema(stream)
        yield from _compared(stream, "property", theirs, ours - ({*OWN.get(stream, ())} - theirs))


def _compared(where: str, kind: str, theirs: set[str], ours: set[str]) -> Iterator[str]:
    for side, names in (("tap", theirs - ours), ("contract", ours - theirs)):
        if names:
            plural = kind if len(names) == 1 else {"property": "properties"}.get(kind, f"{kind}s")
            yield f"{where}: the {side} lacks the {plural} {', '.join(sorted(names))}"


def main() -> int:
    """Print what is missing on either side, and return an exit status."""
    source = os.environ.get("CONTRACT")
    try:
        contract = load(source)
    except (OSError, requests.RequestException, NotAContract) as error:
        name = source or PUBLISHED
        print(f"Can't read the contract {name}: {type(error).__name__}. Set CONTRACT to a copy.")
        return 1
    found = list(differences(contract))
    for line in found:
        print(line)
    announced = [path for path, item in contract["paths"].items() if not item]
    print(
        f"Contract {contract.get('info', {}).get('version', 'without a version')}: "
        f"{len(reads_of(contract))} GETs, and {len(announced)} paths without a method yet. "
        f"{len(found) or 'No'} difference{'' if len(found) == 1 else 's'}."
    )
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
