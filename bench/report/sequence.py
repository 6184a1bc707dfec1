"""A case as a sequence of rows between two lifelines: who sent or did what, when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.clock import Stamp, spoken
from bench.events import (
    AbortRequested,
    Acted,
    Checked,
    DeviceClosed,
    DeviceLost,
    DeviceOpened,
    EarlierResultsVoid,
    Instructed,
    Interlocked,
    MadeSafe,
    Measured,
    Noted,
    Retried,
    RunPaused,
    RunResumed,
    StationConnected,
    StationDisconnected,
    StationRefused,
    Tabulated,
)
from bench.journal import Record
from bench.ocpp.frame import Broken, CallError, CallResult, shorten
from bench.views import CaseView, CheckView, FrameView, Gap, Item, PromptView


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the sequence."""

    kind: str
    """step, frame, check, act, operator, note, connection, gap: how it is drawn."""
    n: int
    """Record; 0 for a row that stands for none."""
    time: str
    """Seconds since the case began, as +0.123."""
    label: str
    detail: str = ""
    verdict: str = ""
    from_station: bool = False
    answer: bool = False
    raw: str = ""
    """The message as it was on the wire."""
    checks: list[Checked] = field(default_factory=list)
    """What was judged by this message."""
    left_out: tuple[int, int, int] | None = None
    """Of a gap: the first and the last record, and how many entries it stands for."""


def of_case(case: CaseView) -> Iterator[Row]:
    """Draw a case, step by step."""
    begin = case.started.mono if case.started else 0.0
    for step in case.steps:
        title = f"{step.number}. {step.title}" if step.number else ""
        if step.number:
            phase = "" if step.phase == "body" else step.phase
            yield Row("step", 0, _after(step.started, begin), title, phase, step.verdict_now)
        elif step.phase == "postamble":
            yield Row("step", 0, _after(step.started, begin), "Clean-up", step.phase)
        yield from of_items(step.items, begin)


def of_items(items: Iterable[Item], begin: float) -> Iterator[Row]:
    """Draw items in the order of their records."""
    for item in items:
        match item:
            case FrameView():
                yield _frame(item, begin)
            case CheckView():
                if item.event.frame is None or item.failed:
                    yield _check(item, begin)
            case PromptView():
                yield _prompt(item, begin)
            case Gap():
                yield gap(item.count, item.n, item.last)
            case Record():
                row = _record(item, begin)
                if row is not None:
                    yield row


def gap(count: int, first: int, last: int) -> Row:
    """Draw what is left out of the sequence."""
    what = f"{count} {'entry' if count == 1 else 'entries'} left out"
    where = f"record {first}" if first == last else f"records {first} to {last}"
    detail = f"{where} of the journal"
    return Row("gap", 0, "", what, detail, left_out=(first, last, count))


def bounded(rows: Sequence[Row], most: int) -> Iterator[Row]:
    """Leave out of a long sequence what is far from both ends, steps and fails."""
    if len(rows) <= most:
        yield from rows
        return
    failed = [i for i, row in enumerate(rows) if row.verdict in ("fail", "inconclusive", "error")]
    ends = most // 3 if failed else most // 2
    kept = {*range(ends), *range(len(rows) - ends, len(rows))}
    for index in (i for near in failed for i in range(near - 6, near + 4)):
        if len(kept) >= most:
            break
        if 0 <= index < len(rows):
            kept.add(index)
    left: list[Row] = []
    for index, row in enumerate(rows):
        if index in kept or (row.kind == "step" and len(rows) < 50 * most):
            yield from gap_of(left)
            left = []
            yield row
        else:
            left.append(row)
    yield from gap_of(left)


def gap_of(rows: Sequence[Row]) -> Iterator[Row]:
    """Draw one gap for rows that are left out, gaps among them."""
    found = [row.left_out or (row.n, row.n, 1) for row in rows if row.n or row.left_out]
    if found:
        firsts, lasts, counts = zip(*found, strict=True)
        yield gap(sum(counts), min(firsts), max(lasts))


def _after(stamp: Stamp, begin: float) -> str:
    return f"{stamp.mono - begin:+.3f}"


def _frame(view: FrameView, begin: float) -> Row:
    answer = False
    match view.frame:
        case Broken(reason=reason):
            label, detail = "broken frame", reason
        case CallError(code=code, description=description):
            label = f"{view.action} CALLERROR {code}".strip()
            detail, answer = description, True
        case frame:
            label, detail = view.action or "CALLRESULT", key_fields(frame.payload)
            answer = isinstance(frame, CallResult)
    if view.lost:
        detail = f"{detail} (not delivered: {view.lost})".strip()
    if view.left_unanswered:
        detail = f"{detail} (left unanswered on purpose)".strip()
    failed = any(check.failed for check in view.checks)
    return Row(
        "frame",
        view.n,
        _after(view.stamp, begin),
        label,
        detail,
        verdict=next((c.event.verdict for c in view.checks if c.failed), "") if failed else "",
        from_station=view.from_station,
        answer=answer,
        raw=view.text,
        checks=[check.event for check in view.checks],
    )


def key_fields(payload: Mapping[str, Any], most: int = 5) -> str:
    """Say the fields of a payload that a reader looks for first."""
    words = []
    for key, value in payload.items():
        match value:
            case dict():
                plain = [(k, v) for k, v in value.items() if not isinstance(v, dict | list)]
                words += [f"{key}.{name}={_plain(part)}" for name, part in plain[:2]]
            case list() if not value or any(isinstance(part, dict | list) for part in value):
                words.append(f"{key}[{len(value)}]")
            case list():
                words.append(f"{key}={','.join(map(_plain, value))}")
            case _:
                words.append(f"{key}={_plain(value)}")
    more = " …" if len(words) > most else ""
    return " ".join(words[:most]) + more


def _plain(value: Any) -> str:
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return shorten(value, 40).strip('"')


def _check(view: CheckView, begin: float) -> Row:
    event = view.event
    detail = f"expected {event.expected}, came {event.actual}"
    return Row("check", view.n, _after(view.stamp, begin), event.text, detail, event.verdict)


def _prompt(view: PromptView, begin: float) -> Row:
    detail = "not answered yet"
    if view.answer is not None:
        detail = f"{view.answer.by or 'the operator'}: {shorten(view.answer.answer)}"
        detail += f" “{view.answer.comment}”" if view.answer.comment else ""
    elif view.withdrawn is not None:
        detail = f"no answer: {view.withdrawn}"
    return Row("operator", view.n, _after(view.stamp, begin), view.event.text, detail)


def _record(record: Record, begin: float) -> Row | None:
    n, time = record.n, f"{record.mono - begin:+.3f}"
    match record.event:
        case Acted() as act:
            arguments = ", ".join(f"{k}={_plain(v)}" for k, v in act.arguments.items())
            label = f"{act.device}: {act.method}({arguments})"
            result = "" if act.result is None else f"→ {shorten(act.result, 120)}, "
            if act.error is not None:
                return Row("act", n, time, label, f"{act.error} ({spoken(act.duration)})", "error")
            return Row("act", n, time, label, f"{result}{spoken(act.duration)}")
        case Measured() as value:
            return Row("note", n, time, f"{value.name} = {value.value:g} {value.unit}", "measured")
        case Noted(text, by):
            return Row("note", n, time, text, by)
        case Tabulated(title, rows=rows):
            return Row("note", n, time, title, f"a table of {len(rows)} rows")
        case Retried(reason):
            return Row("note", n, time, "the case begins once more", reason)
        case EarlierResultsVoid(why):
            return Row("note", n, time, "earlier results are void", why)
        case Instructed(text):
            return Row("note", n, time, text)
        case StationConnected() as event:
            detail = f"{event.remote}, offers {', '.join(event.offered) or 'no subprotocol'}"
            return Row("connection", n, time, f"connection {event.connection} opened", detail)
        case StationDisconnected(connection) as event:
            return Row("connection", n, time, f"connection {connection} closed", event.how)
        case StationRefused(reason=reason):
            return Row("connection", n, time, "connection refused", reason)
        case DeviceLost(device, reason):
            return Row("act", n, time, f"{device} was lost", reason, "error")
        case DeviceOpened(device=device):
            return Row("act", n, time, f"{device} was opened")
        case DeviceClosed(device):
            return Row("act", n, time, f"{device} was closed")
        case Interlocked(device, did, reason):
            return Row("act", n, time, f"interlock: {device} {did}", reason, "error")
        case MadeSafe(failures):
            text = "; ".join(f"{name}: {why}" for name, why in failures.items())
            return Row("act", n, time, "the lab was made safe", text, "error" if failures else "")
        case RunPaused(by):
            return Row("note", n, time, "paused", by)
        case RunResumed(by):
            return Row("note", n, time, "resumed", by)
        case AbortRequested(by):
            return Row("note", n, time, "abort requested", by)
        case _:
            return None
