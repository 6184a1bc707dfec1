"""Defects that the cases on meter values catch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from stations.conduct import Defect, Replacement
from stations.defects.edits import edit, leave_out, put
from stations.messages import Payload

_PERIODIC, _CLOCK = "Sample.Periodic", "Sample.Clock"


def _is(context: str) -> Callable[[Payload], bool]:
    """Mean the MeterValues that were taken for this reason."""
    return lambda payload: payload["meterValue"][0]["sampledValue"][0].get("context") == context


def _without(context: str) -> Replacement:
    return lambda payload: [] if _is(context)(payload) else [payload]


def _samples(context: str, change: Callable[[Payload], Payload | None]) -> Replacement:
    """Change the samples that were taken for this reason; None removes one."""

    def spoil(values: list[Payload]) -> list[Payload]:
        return [
            value | {"sampledValue": [s for s in map(_if_meant, value["sampledValue"]) if s]}
            for value in values
        ]

    def _if_meant(sample: Payload) -> Payload | None:
        return change(sample) if sample.get("context") == context else sample

    return edit("meterValue", spoil)


def _only(measurand: str, change: Payload | None) -> Callable[[Payload], Payload | None]:
    """Change the samples of one measurand; None removes them."""

    def spoil(sample: Payload) -> Payload | None:
        if sample["measurand"] != measurand:
            return sample
        return None if change is None else sample | change

    return spoil


def _a_second_earlier(values: list[Payload]) -> list[Payload]:
    def earlier(value: Payload) -> Payload:
        moment = datetime.fromisoformat(value["timestamp"]) - timedelta(seconds=1)
        text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return value | {"timestamp": f"{text}Z"}

    return [earlier(value) for value in values]


def _without_context(sample: Payload) -> Payload:
    return {name: value for name, value in sample.items() if name != "context"}


DEFECTS = (
    Defect(
        "samples-missing",
        "Sends no meter values at the interval that is set.",
        "TC_070_CS",
        ("MeterValues",),
        calls={"MeterValues": _without(_PERIODIC)},
    ),
    Defect(
        "samples-too-rare",
        "Samples at twice the interval that is set.",
        "TC_070_CS",
        ("MeterValues timestamp", "seconds after the one before"),
        behaviour={"sample_factor": 2.0},
    ),
    Defect(
        "samples-begin-late",
        "Begins to count the interval some time after the transaction has begun.",
        "TC_070_CS",
        ("MeterValues timestamp", "seconds after that of StartTransaction"),
        behaviour={"sampled_after": 1.5},
    ),
    Defect(
        "samples-as-of-the-clock",
        "Calls the samples of the interval clock-aligned.",
        "TC_070_CS",
        ("MeterValues", "Sample.Periodic"),
        calls={"MeterValues": _samples(_PERIODIC, lambda sample: sample | {"context": _CLOCK})},
    ),
    Defect(
        "samples-lack-a-measurand",
        "Leaves the voltage out of the samples, although it is configured.",
        "TC_070_CS",
        ("MeterValues", "Voltage is there"),
        calls={"MeterValues": _samples(_PERIODIC, _only("Voltage", None))},
    ),
    Defect(
        "samples-in-wrong-unit",
        "Gives the power in samples in ampere.",
        "TC_070_CS",
        ("MeterValues", "Power.Active.Import in A"),
        calls={"MeterValues": _samples(_PERIODIC, _only("Power.Active.Import", {"unit": "A"}))},
    ),
    Defect(
        "samples-with-decimal-comma",
        "Writes the current in samples with a comma.",
        "TC_070_CS",
        ("MeterValues", "Current.Import: value"),
        calls={"MeterValues": _samples(_PERIODIC, _only("Current.Import", {"value": "16,0"}))},
    ),
    Defect(
        "samples-without-transaction",
        "Does not say to which transaction a sample belongs.",
        "TC_070_CS",
        ("MeterValues", "transactionId"),
        calls={"MeterValues": leave_out(_is(_PERIODIC), "transactionId")},
    ),
    Defect(
        "samples-of-the-station",
        "Calls the samples of a transaction those of the whole station.",
        "TC_070_CS",
        ("MeterValues", "connectorId"),
        calls={"MeterValues": put(_is(_PERIODIC), connectorId=0)},
    ),
    Defect(
        "aligned-missing",
        "Sends no clock-aligned meter values.",
        "TC_071_CS",
        ("MeterValues",),
        calls={"MeterValues": _without(_CLOCK)},
    ),
    Defect(
        "aligned-too-often",
        "Takes clock-aligned meter values at half of the interval.",
        "TC_071_CS",
        ("MeterValues timestamp", "seconds after the one before"),
        behaviour={"aligned_factor": 0.5},
    ),
    Defect(
        "aligned-beside-the-clock",
        "Stamps clock-aligned meter values a second early.",
        "TC_071_CS",
        ("MeterValues timestamp", "nearest multiple of 2 s"),
        calls={"MeterValues": edit("meterValue", _a_second_earlier)},
    ),
    Defect(
        "aligned-without-context",
        "Does not say that meter values are clock-aligned.",
        "TC_071_CS",
        ("MeterValues", "Sample.Clock"),
        calls={"MeterValues": _samples(_CLOCK, _without_context)},
    ),
    Defect(
        "aligned-of-another-measurand",
        "Reports exported energy in clock-aligned meter values, where the imported is configured.",
        "TC_071_CS",
        ("MeterValues", "Energy.Active.Import.Register is there"),
        calls={
            "MeterValues": _samples(
                _CLOCK,
                _only(
                    "Energy.Active.Import.Register", {"measurand": "Energy.Active.Export.Register"}
                ),
            )
        },
    ),
)
