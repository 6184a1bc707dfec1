"""The record of a long run, written as the engine writes it, without the time it would take."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.events import (
    CaseEnded,
    CaseStarted,
    ChannelDeclared,
    Checked,
    DeviceOpened,
    Event,
    FileAttached,
    FrameReceived,
    FrameSent,
    RunEnded,
    RunStarted,
    StationConnected,
    StepEnded,
    StepStarted,
)
from bench.journal import JOURNAL, JournalWriter, Record
from bench.sample_file import SAMPLES, Block, SampleFile

BEGIN = datetime(2031, 1, 1, tzinfo=UTC)
STEPS = 5
FAILING = 20
"""Every how many cases one fails."""


def write_run(
    folder: Path, *, messages: int, cases: int, seconds: float, channels: int = 0, every: float = 2
) -> None:
    """Write a run's folder: so many messages and cases over a time, channels at 10 Hz.

    `every` is the time in s from one chunk of the samples to the next.
    """
    folder.mkdir(parents=True)
    count = 0
    events = list_of(messages, cases)
    total = messages + cases * (2 + 3 * STEPS) + channels + 10
    pace = seconds / total
    with JournalWriter(folder / JOURNAL) as writer:

        def append(event: Event) -> None:
            nonlocal count
            count += 1
            at = count * pace
            writer.append(Record(count, BEGIN + timedelta(seconds=at), at, event))

        append(_started(cases))
        declared = [_channel(number) for number in range(1, channels + 1)]
        for channel in declared:
            append(channel)
        for event in events:
            append(event)
        if channels:
            append(_samples(folder, declared, seconds, every))
        append(RunEnded(True, None, {}))


def _started(cases: int) -> RunStarted:
    dut = {
        "kind": "charging-station",
        "identity": "CP1",
        "vendor": "Example",
        "model": "Long",
        "software": "1.0",
    }
    planned = [
        {"id": _case(n), "title": f"Case number {n}", "mark": "M", "group": "core-reset"}
        for n in range(cases)
    ]
    pics = {"FP.Core": True, "C-07": True}
    return RunStarted("long", "0", 1, {"name": "b"}, dut, planned, [], pics, {}, {})


def _case(number: int) -> str:
    return f"TC_{number:03}_CS"


def list_of(messages: int, cases: int) -> Iterator[Event]:
    """Yield what happens: the messages are spread over the steps of the cases."""
    yield DeviceOpened("meter", "register-meter", ["PowerMeter"], {"maker": "M", "serial": "1"})
    yield StationConnected(1, "CP1", "/ocpp/CP1", "10.0.0.7:40000", ["ocpp1.6"])
    number, per_step = 0, messages // (cases * STEPS)
    for case in range(cases):
        fails = case % FAILING == FAILING - 1
        yield CaseStarted(_case(case), f"Case number {case}", "M", "core-reset", "P.", ["clause 1"])
        for step in range(1, STEPS + 1):
            yield StepStarted(step, "body", f"Do the work of step {step}")
            for _ in range(per_step // 2):
                number += 1
                yield from _exchange(number)
            bad = fails and step == 3
            verdict = "fail" if bad else "pass"
            yield Checked("Power is drawn", verdict, "11000", "0" if bad else "11000", None, {})
            yield StepEnded(step, verdict, None)
        verdict, reason = ("fail", "Power is drawn: expected 11000, came 0") if fails else _PASS
        yield CaseEnded(_case(case), verdict, "completed", reason, None, "body", 900.0, [])


_PASS = ("pass", None)


def _exchange(number: int) -> Iterator[Event]:
    """Yield a CALL of the DUT or of the bench, and its answer."""
    if number % 10 == 0:
        call = [2, f"b{number}", "GetConfiguration", {"key": ["HeartbeatInterval"]}]
        key = {"key": "HeartbeatInterval", "readonly": False, "value": "60"}
        answer = [3, f"b{number}", {"configurationKey": [key], "unknownKey": []}]
        yield FrameSent(1, json.dumps(call))
        yield FrameReceived(1, json.dumps(answer))
        return
    values = [
        {"value": str(number), "context": "Sample.Periodic", "measurand": name, "unit": unit}
        for name, unit in (("Energy.Active.Import.Register", "Wh"), ("Power.Active.Import", "W"))
    ]
    sample = {"timestamp": "2031-01-01T00:00:00.000Z", "sampledValue": values}
    payload: dict[str, Any] = {"connectorId": 1, "transactionId": 7, "meterValue": [sample]}
    yield FrameReceived(1, json.dumps([2, f"m{number}", "MeterValues", payload]))
    yield FrameSent(1, json.dumps([3, f"m{number}", {}]))


def _channel(number: int) -> ChannelDeclared:
    if number == 1:
        return ChannelDeclared(1, "pilot-high", "V", "box", 1)
    unit = ("A", "V", "W", "Wh")[number % 4]
    return ChannelDeclared(number, f"channel-{number}", unit, "meter")


def _samples(
    folder: Path, declared: list[ChannelDeclared], seconds: float, every: float
) -> FileAttached:
    file = SampleFile(folder / SAMPLES, run="long", offset=BEGIN.timestamp())
    size = round(every * 10)
    wave = [16 + math.sin(at / 7) for at in range(size)]
    for chunk in range(int(seconds / every)):
        times = [chunk * every + at / 10 for at in range(size)]
        file.write([Block(one, times, wave) for one in declared])
    file.close()
    return FileAttached(SAMPLES, file.size, file.digest, file.counts)
