"""What the PICS says of the configuration keys, held against what the station answers."""

from __future__ import annotations

from typing import Any

from bench.case import Case
from bench.ocpp.message import Received
from bench.ocpp.predicate import ABSENT
from bench.stated import stated


def listed(answer: Received) -> list[dict[str, Any]]:
    """List the keys of a GetConfiguration answer, without what is no key at all."""
    keys = answer["configurationKey"]
    return [one for one in keys if isinstance(one, dict)] if isinstance(keys, list) else []


def compare(case: Case, answer: Received) -> None:
    """Check the answer that lists all keys against the PICS, and tabulate the keys as read."""
    claims = list(stated(case.pics))
    remarks: dict[str, list[str]] = {}
    for claim in claims:
        path = f"configurationKey[key={claim.key}]"
        came = answer.field(f"{path}.{claim.part}")
        is_there = answer.field(f"{path}.key").value is not ABSENT
        if not is_there and claim.optional:
            continue
        text = f"GetConfiguration answer, {claim.part} of {claim.key} as {claim.item} states"
        holds = case.check(text, came, claim.expected, fatal=False)
        words = f"{claim.item} {'holds' if holds else 'does not hold'}"
        remarks.setdefault(claim.key, []).append(words)
    rows = [
        (
            name,
            "R" if key.get("readonly") is True else "RW",
            str(key.get("value", "")),
            ", ".join(remarks.pop(name, ())),
        )
        for key in listed(answer)
        for name in (str(key.get("key", "")),)
    ]
    rows += [(key, "", "not there", ", ".join(found)) for key, found in remarks.items()]
    case.tabulate("Configuration keys as read", ("Key", "Access", "Value", "PICS"), sorted(rows))
