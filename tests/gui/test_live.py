"""The run that is looked at: frames of the stream taken once, in order, told in batches."""

from __future__ import annotations

import json
from typing import Any

from pytestqt.qtbot import QtBot

from bench.events import (
    Answered,
    ChannelDeclared,
    OperatorReturned,
    PromptWithdrawn,
    RunStarted,
    ViewerConnected,
)
from bench.journal import Record, as_json
from bench.samples import Entry, Window
from bench.server.feed import written
from bench.server.sample_frames import encode
from gui.live import LiveRun
from tests.gui.asked import AskedLink, prompted, record
from tests.gui.recorded import records


class Stream:
    """A live run on a link whose inbox the test fills."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.run, self.link = LiveRun(), AskedLink()
        self.run.follow(self.link)
        self.begun = 0
        self.told: list[list[Record]] = []
        self.windows: list[Window] = []
        self.run.begun.connect(self._begun)
        self.run.advanced.connect(self.told.append)
        self.run.sampled.connect(self.windows.extend)

    def _begun(self) -> None:
        self.begun += 1

    def send(self, run: str | None, *found: Record) -> None:
        """Let records come, as the engine writes them."""
        for one in found:
            self.link.inbox.append(written(run, one.n, as_json(one)).frame)
        self.take()

    def snapshot(self, *prompts: dict[str, Any]) -> None:
        """Let a snapshot come, as at the begin of each connection."""
        self.link.inbox.append(json.dumps({"snapshot": {"prompts": list(prompts)}}))
        self.take()

    def take(self) -> None:
        self.qtbot.waitUntil(lambda: not self.link.inbox)
        with self.qtbot.waitSignal(self.run.ticked):
            pass


def test_records_come_once_and_in_batches(qtbot: QtBot) -> None:
    stream, found = Stream(qtbot), records()
    stream.send("a", *found)
    assert stream.begun == 1
    assert [one.n for batch in stream.told for one in batch] == [one.n for one in found]
    assert len(stream.told) < len(found) / 2
    assert stream.link.position == ("a", found[-1].n)
    # What comes again after a break is left out.
    stream.told.clear()
    stream.send("a", *found[-3:])
    assert stream.told == []
    # Another run starts over.
    stream.send("b", found[0])
    assert stream.begun == 2
    assert stream.run.view.records == 1


def test_an_event_of_a_newer_engine_is_left_out(qtbot: QtBot) -> None:
    stream = Stream(qtbot)
    frame = {"run": "a", "n": 1, "utc": "2026-01-01T00:00:00Z", "mono": 1.0}
    stream.link.inbox.append(json.dumps({**frame, "event": "NotYetKnown", "data": {}}))
    stream.send("a", record(2, prompted()))
    assert list(stream.run.prompts) == ["p1"]


def test_questions_open_and_close_also_between_runs(qtbot: QtBot) -> None:
    stream = Stream(qtbot)
    stream.send(None, record(1, prompted()))
    assert list(stream.run.prompts) == ["p1"]
    before = stream.run.deadlines["p1"]
    stream.send(None, record(2, OperatorReturned({"p1": "2031-01-01T00:00:00Z"})))
    assert stream.run.deadlines["p1"] > before
    stream.send(None, record(3, Answered("p1", True, "Ada", "")))
    assert stream.run.prompts == {}
    assert stream.run.answered is not None
    assert stream.run.answered.answer is not None
    stream.send("a", record(1, prompted(name="p2")), record(2, PromptWithdrawn("p2", "too late")))
    assert stream.run.answered.withdrawn == "too late"


def test_a_snapshot_says_what_is_open_and_closes_the_rest(qtbot: QtBot) -> None:
    stream = Stream(qtbot)
    stream.send("a", record(1, prompted()))
    asked = prompted(name="p7", text="And now?")
    shown: dict[str, Any] = {
        "id": "p7",
        "kind": "confirm",
        "text": "And now?",
        "options": [],
        "deadline": asked.deadline,
        "action": None,
        "picture": None,
    }
    stream.snapshot(shown)
    assert [one.event.text for one in stream.run.prompts.values()] == ["And now?"]
    stream.snapshot()
    assert stream.run.prompts == {}


def test_samples_are_what_the_engine_sent(qtbot: QtBot) -> None:
    stream = Stream(qtbot)
    energy = ChannelDeclared(3, "energy", "Wh", "meter", 1, zero=1_234_567.0)
    sent = Window(
        9, 12.5, 12.6, (Entry(energy, 4, 1_234_567.5, 1_234_568.5, 1_234_568.0, 1_234_568.25),)
    )
    stream.link.inbox.append(encode(sent))  # of a channel that is not known yet
    stream.send(
        "a", record(1, RunStarted("a", "0", 1, {}, {}, [], [], {}, {}, {})), record(2, energy)
    )
    stream.link.inbox.append(encode(sent))
    stream.link.inbox.append(b"\x09\x00" + bytes(22))  # of another kind
    stream.take()
    assert [window for window in stream.windows if window.entries] == [sent]


def test_the_session_is_asked_for_when_it_changes(qtbot: QtBot) -> None:
    stream = Stream(qtbot)
    stream.send(None, record(1, ViewerConnected(1, "Vendor", "s")))
    qtbot.waitUntil(lambda: ("GET", "/session", None) in stream.link.asked)
