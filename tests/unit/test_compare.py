"""Two runs side by side."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import cli
from bench.alignment import MOST, Message, align, messages_of
from bench.compare import compare
from bench.events import CaseStarted, FrameReceived, RunStarted
from bench.journal import Record
from bench.report import read_run
from bench.runview import RunView, fold
from bench.unlike import MISSING, Unlike, unlike
from drivers.sim.simulated_bench import run_virtually
from tests.procedures.simulated import simulated
from tests.unit.recorded import SUITE, record


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Record a good run, another good one, and one with defects that has a case less."""

    async def make() -> dict[str, Path]:
        found = {}
        for name, defects in {
            "good": (),
            "again": (),
            "bad": ("starts-anyway", "odd-value"),
        }.items():
            cases = SUITE.procedures[: 3 if name == "bad" else 4]
            folder = tmp_path_factory.mktemp(name)
            found[name] = (await record(folder, *defects, cases=cases)).folder
        return found

    return asyncio.run(make())


def view(runs: dict[str, Path], name: str) -> RunView:
    return read_run(runs[name]).view


def test_two_runs_of_one_station_do_not_differ(runs: dict[str, Path]) -> None:
    found = compare(view(runs, "good"), view(runs, "again"))
    assert found.same_verdicts
    assert found.conditions == ()
    assert [case.first_other_message for case in found.cases] == [None] * 5
    assert {case.first.outcome for case in found.cases} == {"pass", "not-applicable"}
    assert all(case.messages for case in found.cases[:4])


def test_what_another_station_does_is_told_by_verdict_message_and_field(
    runs: dict[str, Path],
) -> None:
    found = compare(view(runs, "good"), view(runs, "bad"))
    assert not found.same_verdicts
    boots, refused, indicated, alone, reset = found.cases
    assert (boots.first.outcome, boots.second.outcome) == ("pass", "fail")
    assert boots.second.reason is not None
    assert "sixty" in boots.second.reason
    other = boots.first_other_message
    assert other is not None
    path = "configurationKey[key=HeartbeatInterval].value"
    assert other.fields == (Unlike(path, "60", "sixty"),)
    assert other.first is not None
    assert json.loads(other.first.text)[2]["configurationKey"][0]["value"] == "60"
    other = refused.first_other_message
    assert other is not None
    assert (other.first, other.second and other.second.action) == (None, "StartTransaction")
    turned = compare(view(runs, "bad"), view(runs, "good"), cases=("TC_902_CS",)).cases[0]
    assert turned.instead is not None
    assert (turned.instead.action, turned.instead.from_station) == ("GetConfiguration", False)
    assert not indicated.same_outcome
    assert (alone.first.outcome, alone.second.outcome) == ("pass", "not run")
    assert reset.first == reset.second
    assert reset.first.reason == "needs C-99"
    key = Unlike("configuration[key=HeartbeatInterval]", "60", "sixty")
    assert found.conditions == (key,)


def test_values_and_response_times_stand_side_by_side(runs: dict[str, Path]) -> None:
    boots, _, indicated, *_ = compare(view(runs, "good"), view(runs, "again")).cases
    voltage, power = indicated.measured
    assert (voltage.name, voltage.unit, voltage.first, voltage.second) == (
        *("voltage L1", "V"),
        *(229.7, 229.7),
    )
    assert voltage.verdicts == ("pass", "pass")
    assert power.verdicts == ("none", "none")
    assert [one.action for one in boots.responses] == ["ClearCache", "GetConfiguration"]
    (cleared, asked) = (one.first for one in boots.responses)
    assert cleared is not None
    assert asked is not None
    assert (cleared.count, asked.count) == (1, 2)
    assert 0 < asked.median <= asked.greatest < 5


def test_what_a_run_was_made_with_is_told_by_table_and_key(runs: dict[str, Path]) -> None:
    records = [*_records(view(runs, "good"))]
    started = records[0].event
    assert isinstance(started, RunStarted)
    other = replace(
        started,
        version="9.9",
        dut={**started.dut, "software": "1.1"},
        bench={**started.bench, "name": "Bench 2"},
        pics={**started.pics, "C-07": False, "C-08": True},
        pixit={**started.pixit, "connectors": 2},
    )
    found = compare(fold(records), fold([replace(records[0], event=other)])).conditions
    assert found == (
        Unlike("pilotbench", started.version, "9.9"),
        Unlike("dut.software", "1.0", "1.1"),
        Unlike("bench.name", "Bench 1", "Bench 2"),
        Unlike("pics.C-07", True, False),
        Unlike("pics.C-08", MISSING, True),
        Unlike("pixit.connectors", 1, 2),
    )


def _records(view: RunView) -> list[Record]:
    assert view.first is not None
    return [view.first]


def test_one_case_can_be_compared_alone(runs: dict[str, Path]) -> None:
    found = compare(view(runs, "good"), view(runs, "bad"), cases=("TC_903_CS",))
    assert [case.case for case in found.cases] == ["TC_903_CS"]


# Messages


def talk(*frames: str) -> list[Message]:
    """Record messages of a station and list them."""
    moment = datetime(2031, 1, 1, tzinfo=UTC)
    events: list[Any] = [CaseStarted("TC_1", "One", "M", "core", "", [])]
    events += [FrameReceived(1, text) for text in frames]
    records = (Record(n, moment, 0.5 * n, event) for n, event in enumerate(events, start=1))
    return messages_of(fold(records).cases[0])


def call(action: str, **fields: Any) -> str:
    return json.dumps([2, "m1", action, fields])


def test_times_ids_registers_and_ports_are_no_difference() -> None:
    def once(stamp: str, number: int, register: int, port: int) -> list[Message]:
        value = {"timestamp": stamp, "sampledValue": [{"value": str(register)}]}
        return talk(
            call("StartTransaction", meterStart=register, timestamp=stamp),
            json.dumps([3, f"x{number}", {"transactionId": number}]),
            call("MeterValues", transactionId=number, meterValue=[value]),
            call("StopTransaction", transactionId=number, meterStop=register + 1),
            call("UpdateFirmware", location=f"ftp://lab:{port}/f.bin"),
        )

    rows = align(
        once("2031-01-01T00:00:00Z", 7, 1234, 2121), once("2032-02-02T02:00:00.5Z", 8, 99, 4040)
    )
    assert len(rows) == 5
    assert all(row.same for row in rows)


def test_of_two_messages_that_the_other_did_not_see_the_earlier_comes_first() -> None:
    first = talk(call("Reset"), call("Authorize"), call("StartTransaction"))
    second = talk(call("Reset"), call("StatusNotification", status="Faulted"))
    later = [replace(one, at=one.at + 5) for one in first[1:]]
    rows = align([first[0], *later], second)
    assert [(row.first or row.second) for row in rows] == [first[0], second[1], *later]


async def files(folder: Path) -> Path:
    async with simulated(folder) as bench:
        return (await bench.run("TC_044_1_CS", "TC_045_1_CS")).folder


def test_addresses_of_files_are_new_each_time_and_no_difference(tmp_path: Path) -> None:
    views = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        views.append(read_run(run_virtually(files(tmp_path / name))).view)
    found = compare(*views)
    assert found.same_verdicts
    executed = [case for case in found.cases if case.messages]
    assert [case.case for case in executed] == ["TC_044_1_CS", "TC_045_1_CS"]
    assert [case.first_other_message for case in executed] == [None, None]


def test_another_transaction_is_a_difference() -> None:
    starts = [json.dumps([3, "x", {"transactionId": n}]) for n in (7, 8)]
    first = talk(*starts, call("StopTransaction", transactionId=7))
    second = talk(*starts, call("StopTransaction", transactionId=8))
    *_, last = align(first, second)
    (field,) = last.fields
    assert field == Unlike("transactionId", "(transactionId 1)", "(transactionId 2)")


def test_heartbeats_more_or_less_are_no_difference() -> None:
    with_one = talk(call("Authorize", idTag="A"), call("Heartbeat"), call("Authorize", idTag="B"))
    without = talk(call("Authorize", idTag="A"), call("Authorize", idTag="B"))
    assert [row.same for row in align(with_one, without)] == [True, True, True]
    assert [row.same for row in align(without, with_one)] == [True, True, True]


def test_rows_keep_the_order_of_both_runs() -> None:
    first = talk(*(call("Authorize", idTag=name) for name in "ABCD"), call("Authorize"), "[7]")
    second = talk(*(call("Authorize", idTag=name) for name in "AXCD"), call("Reset"), "[8,]")
    rows = align(first, second)
    assert [row.first for row in rows if row.first] == first
    assert [row.second for row in rows if row.second] == second
    changed, broken = (row.fields[0] for row in rows if row.fields)
    assert changed == Unlike("idTag", "B", "X")
    assert (broken.path, broken.first) == ("reason", "message type 7, expected 2, 3 or 4")
    assert [row.first is None for row in rows if not (row.first and row.second)] == [False, True]


WORDS = st.sampled_from(["A", "B", "C"])


@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=12))
def test_no_message_is_lost_or_moved_by_laying_two_runs_side_by_side(
    first: list[str], second: list[str]
) -> None:
    ours, theirs = (talk(*(call(name) for name in names)) for names in (first, second))
    rows = align(ours, theirs)
    assert [row.first for row in rows if row.first] == ours
    assert [row.second for row in rows if row.second] == theirs
    assert all(row.first or row.second for row in rows)
    assert all(row.same for row in rows) is (first == second)


def test_very_many_messages_are_cut_and_said_to_be() -> None:
    many = [call("StatusNotification", connectorId=n % 7, status="Available") for n in range(3000)]
    first, second = talk(*many), talk(call("Reset"), *many)
    rows = align(first, second)
    assert sum(row.second is not None for row in rows) == MOST < len(second)
    assert len(align(first, first)) == 3000


# JSON


def test_json_values_differ_by_path() -> None:
    first = {"a": [{"b": 1}, 2], "c": {"d": True}, "e": 1}
    second = {"a": [{"b": 2}, 2], "c": {"d": 1}, "f": None}
    assert list(unlike(first, second)) == [
        Unlike("a[0].b", 1, 2),
        Unlike("c.d", True, 1),
        Unlike("e", 1, MISSING),
        Unlike("f", MISSING, None),
    ]
    assert list(unlike([1], [1, 2])) == [Unlike("", [1], [1, 2])]
    assert list(unlike(first, first)) == []


# The command


def test_the_command_tells_by_its_exit_code(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["compare", str(runs["good"]), str(runs["again"])]) == 0
    out = capsys.readouterr().out
    assert "made with the same product" in out
    assert "cases: 4 came to the same, 0 to something else, 1 ran in neither" in out
    assert cli.main(["compare", str(runs["good"]), str(runs["bad"])]) == 1
    out = capsys.readouterr().out
    assert "≠ TC_901_CS    pass in " in out
    assert 'configurationKey[key=HeartbeatInterval].value: "60" | "sixty"' in out
    assert "cases: 0 came to the same, 4 to something else, 1 ran in neither" in out
    assert cli.main(["compare", str(runs["good"]), "nowhere"]) == 3
    assert "nowhere: no journal.jsonl here" in capsys.readouterr().err


def test_the_command_shows_one_case_message_by_message(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    both = [str(runs["good"]), str(runs["bad"])]
    assert cli.main(["compare", *both, "--case", "TC_902_CS"]) == 1
    out = capsys.readouterr().out
    assert "→ Authorize" in out
    assert "← Authorize CALLRESULT" in out
    assert "≠ –" in out
    assert '"connectorId":1,"idTag":"BAD"' in out
    assert cli.main(["compare", *both, "--case", "TC_000"]) == 3
    assert "neither run knows this case" in capsys.readouterr().err


def test_the_command_writes_json(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", str(runs["good"]), str(runs["bad"]), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["same_verdicts"] is False
    boots = found["cases"][0]
    row = boots["messages"][boots["first_other_message"]]
    path = "configurationKey[key=HeartbeatInterval].value"
    assert row["fields"] == [{"path": path, "first": "60", "second": "sixty"}]
    assert "content" not in row["first"]
