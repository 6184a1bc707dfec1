"""What a report says of the laboratory: connection, response times, instruments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from bench.history import SampleReader
from bench.questionnaire import CS
from bench.report import RecordedRun
from bench.report.document import Instrument, Timing
from bench.report.gathered import Series
from bench.report.parts import Pair, Table
from bench.sample_file import SAMPLES

SIGNAL = ("rssi", "rsrp", "rsrq", "sinr")
"""Channels of a modem that tell the connection's quality."""
LOOK = 60.0
"""Seconds at the begin and at the end of a run in which they are looked at."""
_WEAKEST = {"rssi": "at least -81 dBm for the test setup"}
"""What a channel should be (clause 8.2.2)."""


def connection(runs: Sequence[RecordedRun]) -> Iterator[Pair]:
    """List what was measured or seen of the network connection (clause 8.2.2)."""
    connections = [one for run in runs for one in run.gathered.connections]
    remotes = dict.fromkeys(one.remote.rpartition(":")[0] or one.remote for one in connections)
    if remotes:
        yield Pair("The DUT connected from", ", ".join(remotes))
        offered = dict.fromkeys(name for one in connections for name in one.offered)
        yield Pair("Subprotocols offered", ", ".join(offered) or "none")
        again = sum(run.gathered.reconnected for run in runs)
        yield Pair("Connections after the first", str(again), "restarts and power cycles included")
    for run in runs:
        yield from _signal(run)
        for case in run.view.cases:
            for value in case.measured:
                if any(word in value.name.lower() for word in ("bandwidth", "latency", *SIGNAL)):
                    yield Pair(value.name, f"{value.value:g} {value.unit}", case.id)


def _signal(run: RecordedRun) -> Iterator[Pair]:
    """Tell the modem's signal in the first and the last minute of a run, as it was sampled."""
    view = run.view
    wanted = {number: one for number, one in view.channels.items() if one.name in SIGNAL}
    path = run.folder / SAMPLES
    if not wanted or view.first is None or view.last is None or not path.is_file():
        return
    begin, end = view.first.mono, view.last.mono
    middle = (begin + end) / 2
    windows = [(begin, min(begin + LOOK, middle)), (max(end - LOOK, middle), end)]
    found: dict[int, list[float]] = {}
    with suppress(OSError, ValueError):  # the plots say what is wrong with the file
        for number, block in SampleReader(path).during(windows):
            if block.channel in wanted:
                inside = zip(block.times, block.values, strict=True)
                first, last = windows[number]
                values = (value for time, value in inside if first <= time < last)
                found.setdefault(block.channel, []).extend(values)
    for number, one in wanted.items():
        if readings := found.get(number):
            least, greatest = min(readings), max(readings)
            span = f"{least:g}" if least == greatest else f"{least:g} to {greatest:g}"
            text = f"{span} {one.unit}, {len(readings)} readings"
            yield Pair(f"{one.instrument} {one.name}", text, _WEAKEST.get(one.name, ""))


def performance(
    runs: Sequence[RecordedRun], pics: Mapping[str, Any], kind: str
) -> Iterator[Timing]:
    """List the performance parameters, as stated and as measured (clause 8.2.1, Appendix A.4)."""
    gathered = [run.gathered for run in runs]
    answers = [series for one in gathered for series in one.answers.values()]
    rows = [
        ("PERF.response", "OCPP response timeout: until a CALL is answered", answers, ""),
    ]
    if kind == CS:
        rows += [
            (
                "PERF.triggered",
                "OCPP triggered function timeout: until a message that was caused comes",
                [one.triggered for one in gathered],
                "ReserveNow, CancelReservation, ChangeAvailability and TriggerMessage",
            ),
            (
                "PERF.start",
                "From RemoteStartTransaction to StartTransaction",
                [one.start for one in gathered],
                "where it starts at once",
            ),
            (
                "PERF.stop",
                "From RemoteStopTransaction to StopTransaction",
                [one.stop for one in gathered],
                "where it ends at once",
            ),
        ]
    for item, name, series, note in rows:
        values = sorted(value for one in series for value in one.values)
        stated = pics.get(item)
        promised = float(stated) if isinstance(stated, int | float) else None
        least, median = (values[0], Series(values).median) if values else (None, None)
        greatest = values[-1] if values else None
        yield Timing(
            item=item,
            name=name,
            stated=promised,
            count=len(values),
            least=least,
            median=median,
            greatest=greatest,
            texts=(_time(promised), _time(least), _time(median), _time(greatest)),
            note=note,
        )


def _time(seconds: float | None) -> str:
    """Write a response time: in ms with one digit below a second."""
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.9995 else f"{seconds:.2f} s"


def answer_times(runs: Sequence[RecordedRun]) -> Table:
    """Tabulate how long the DUT took to answer, by action."""
    found: dict[str, list[float]] = {}
    refused: dict[str, int] = {}
    for run in runs:
        for action, series in run.gathered.answers.items():
            found.setdefault(action, []).extend(series.values)
        for action, count in run.gathered.refused.items():
            refused[action] = refused.get(action, 0) + count
    rows = []
    for action, values in sorted(found.items()):
        median = Series(values).median or 0.0
        times = (f"{value * 1000:.1f}" for value in (min(values), median, max(values)))
        rows.append((action, str(len(values)), *times, str(refused.get(action, 0))))
    heads = ("Action", "Answers", "Least, ms", "Median, ms", "Greatest, ms", "CALLERRORs")
    return Table("Response times by action", heads, tuple(rows))


def instruments(runs: Sequence[RecordedRun]) -> Iterator[Instrument]:
    """List the devices of the bench with their calibration certificates."""
    seen = set()
    for run in reversed(runs):
        started = run.view.started
        certificates = started.bench.get("calibrations") or {} if started else {}
        at = run.view.first.utc.date().isoformat() if run.view.first else ""
        for device in run.view.devices.values():
            if device.name in seen:
                continue
            seen.add(device.name)
            paper = certificates.get(device.name) or {}
            due = str(paper.get("due", ""))
            number, issuer = paper.get("certificate", ""), paper.get("issuer", "")
            identity = device.identity
            yield Instrument(
                name=device.name,
                driver=device.driver,
                offers=tuple(device.offers),
                identity=" ".join(filter(None, map(identity.get, ("maker", "model")))),
                serial=identity.get("serial", ""),
                firmware=identity.get("firmware", ""),
                state=device.state + (f": {device.message}" if device.message else ""),
                certificate=", ".join(filter(None, (number, issuer))),
                calibrated=str(paper.get("date", "")),
                due=f"{due} (overdue)" if due and at >= due else due,
                note=str(paper.get("note", "")),
            )


def channels(run: RecordedRun) -> Table:
    """Tabulate what was sampled all the time."""
    counts: dict[str, int] = {}
    for file in run.view.attached.values():
        counts |= file.samples
    rows = tuple(
        (
            str(one.channel),
            one.name,
            one.instrument,
            "–" if one.connector is None else str(one.connector),
            one.unit,
            str(counts.get(str(one.channel), "–")),
        )
        for one in run.view.channels.values()
    )
    heads = ("Channel", "Quantity", "Instrument", "Connector", "Unit", "Samples")
    return Table("What was sampled all the time", heads, rows)
