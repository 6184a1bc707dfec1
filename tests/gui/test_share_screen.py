"""The Share screen on a real engine: make, list, revoke."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PyQt6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from gui.share.links import read_links
from gui.share.make import MakeLink
from gui.share.screen import ShareScreen
from tests.gui.asked import AskedLink
from tests.gui.served import Served, asked_about, nameless, press, waiting


@pytest.fixture
def screen(qtbot: QtBot, served: Served) -> Iterator[ShareScreen]:
    with served.looked_at(qtbot) as (run, link):
        made = ShareScreen(run, link)
        qtbot.addWidget(made)
        made.resize(1280, 650)
        made.show()
        made.shown()
        waiting(qtbot, lambda: made.form.what.count() >= 3)
        yield made


def test_a_link_is_made_copied_and_revoked(
    qtbot: QtBot, screen: ShareScreen, served: Served
) -> None:
    form = screen.form
    assert nameless(screen) == []
    assert form.what.itemText(0).startswith("All runs of Pilotbench")
    form.ask()
    assert form.wrong.text().startswith("Say for whom")
    form.name.setText("Example Motors")
    form.lasting.setCurrentText("soon")
    form.ask()
    assert form.wrong.text().startswith("Is good for: 'soon', expected a number with m, h, d or w")
    form.lasting.setCurrentText("12h")
    form.place.setText("https://lab.example:8443")
    form.ask()
    waiting(qtbot, lambda: screen.rows)
    assert form.address.text().startswith("https://lab.example:8443/view/#token=pbs.")
    form.copy.click()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == form.address.text()
    assert form.copy.text() == "✓ Copied"
    token = form.address.text().partition("#token=")[2]
    assert served.service.shares.check(token) is not None

    (one,) = screen.rows
    assert (one.name, one.watching) == ("Example Motors", 0)
    assert one.left(datetime.now(UTC)).startswith("11 hours left, until ")
    screen.ask_revoke()
    box = asked_about()
    assert "Example Motors" in box.text()
    press(box, "Keep it")
    assert served.service.shares.check(token) is not None
    screen.ask_revoke()
    press(asked_about(), "Revoke")
    waiting(qtbot, lambda: screen.notice.words == "The link for Example Motors works no more.")
    assert served.service.shares.check(token) is None
    waiting(qtbot, lambda: screen.rows and screen.rows[0].revoked is not None)
    assert not screen.revoke.isEnabled()


def test_links_tell_who_watches_and_how_long_they_are_good() -> None:
    moment = datetime(2026, 11, 25, 12, tzinfo=UTC)
    share = {
        "id": "a",
        "name": "V",
        "expires": "2026-11-28T13:00:00Z",
        "revoked": None,
        "run": None,
        "dut": ["Maker", "Box", "CP1"],
    }
    viewers = [{"share": "a"}, {"share": "a"}, {"share": "b"}]
    (one,) = read_links([share], viewers)
    assert (one.what, one.watching, one.state(moment)) == ("all runs of Maker Box CP1", 2, "good")
    assert one.left(moment).startswith("3 days left")
    (gone,) = read_links(
        [{**share, "dut": None, "run": "r1", "expires": "2026-11-25T11:00:00Z"}], []
    )
    assert (gone.what, gone.state(moment)) == ("run r1", "expired")
    (revoked,) = read_links([{**share, "revoked": "2026-11-25T10:00:00Z"}], [])
    assert revoked.state(moment) == "revoked"


def test_a_link_that_leads_to_this_computer_only_says_so(qtbot: QtBot) -> None:
    link = AskedLink()
    form = MakeLink(link)
    qtbot.addWidget(form)
    form.offer([{"vendor": "V", "model": "M", "identity": "CP1"}], [])
    for place, said in (("http://127.0.0.1:8280", True), ("https://lab.example", False)):
        link.answers["/shares"] = {"link": f"{place}/view/#token=pbs.x"}
        form.name.setText("Example Motors")
        form.ask()
        assert ("It leads to this computer" in form.once.text()) is said
