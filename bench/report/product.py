"""What a report says of the product: who it is, what it claims, how it is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.intake import shown
from bench.questionnaire import Question
from bench.report import RecordedRun
from bench.report.document import Identity
from bench.report.parts import CasePart, Pair, Section, Table

KEYS = "Configuration keys as read"
"""Title of the table that TC_019 leaves."""
_BOOT = (
    ("Vendor", "vendor", "chargePointVendor"),
    ("Model", "model", "chargePointModel"),
    ("OCPP software version", "software", "firmwareVersion"),
    ("Serial number of the station", "", "chargePointSerialNumber"),
    ("Serial number of the charge box", "", "chargeBoxSerialNumber"),
    ("Meter type", "", "meterType"),
    ("Serial number of the meter", "", "meterSerialNumber"),
    ("ICCID", "", "iccid"),
    ("IMSI", "", "imsi"),
)
"""What is identified: name, key of `dut.toml`, field of BootNotification (OCPP 1.6 clause 6.3)."""


def identification(run: RecordedRun) -> Iterator[Identity]:
    """Compare what was stated of the DUT with what it reported when it booted first."""
    stated = run.view.started.dut if run.view.started else {}
    boots = run.gathered.boots
    first = boots[0] if boots else {}
    kind = str(stated.get("kind", "")).replace("-", " ")
    yield Identity("Kind of DUT", kind, "", None)
    yield Identity("Identity of the sample", str(stated.get("identity", "")), "", None)
    for name, key, field in _BOOT:
        told = str(first[field]) if field in first else ""
        said = str(stated.get(key, "")) if key else ""
        if told or said:
            yield Identity(name, said, told, told == said if told and said else None)
    later = [boot.get("firmwareVersion") for boot in boots]
    others = list(dict.fromkeys(str(one) for one in later if one not in (None, later[0])))
    if others:
        yield Identity("Software reported later", "", ", ".join(others), None)


def pics_sections(
    answers: Mapping[str, Any], asked: Mapping[str, Sequence[Question]]
) -> Iterator[Section]:
    """List the PICS answers by the headings of the questionnaire; open ones are left out."""
    left = dict(answers)
    for heading, questions in asked.items():
        pairs = [
            Pair(one.item, shown(left.pop(one.item)), one.text.replace("`", ""))
            for one in questions
            if one.item in left
        ]
        if pairs:
            yield Section(heading, pairs=tuple(pairs))
    if left:
        others = tuple(Pair(item, shown(answer)) for item, answer in left.items())
        yield Section("Other limits", pairs=others)


def keys_as_read(cases: Sequence[CasePart]) -> Iterator[Table]:
    """Return the configuration keys as TC_019 read them (Certification Document 2, 4.2)."""
    yield from (table for case in cases for table in case.tables if table.title == KEYS)
