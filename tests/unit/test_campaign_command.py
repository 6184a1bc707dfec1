"""`pilotbench campaign`: a small campaign of three days in the simulated lab, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import cli
from bench.campaign.acts import settle
from bench.campaign.folder import RECORD, changing, read
from bench.campaign.results import histories
from bench.campaign.running import begin
from bench.errors import ConfigError
from bench.report import write_all
from drivers.sim.simulated_bench import open_bench, run_virtually
from tests.unit.campaigns import CASES, new_book
from tests.unit.test_earlier import with_other_software


def call(*arguments: object) -> int:
    return cli.main(["campaign", *map(str, arguments)])


async def day(
    folder: Path,
    *cases: str,
    first: bool = False,
    reason: str | None = None,
    defects: Sequence[str] = (),
    other_software: bool = False,
) -> None:
    """Make a run of the campaign in virtual time, as `campaign run` makes it in real time."""
    async with open_bench(folder.parent / "lab", defects=defects) as bench:
        if other_software:
            with_other_software(bench.lab.station)
        if first:
            files = ("--bench", bench.lab.bench_file, "--dut", bench.lab.dut_file)
            plan = folder.parent / "plan.toml"
            plan.write_text('[plan]\ncases = ["TC_001_CS", "TC_021_CS", "TC_023_CS"]\n')
            assert call("new", folder, *files, "--plan", plan, "--by", "ada") == 0
        begun = begin(folder, "ada", cases=cases, reason=reason)
        await bench.session.run(begun.plan, begun.folder)
        write_all(begun.folder)
        with changing(folder) as campaign:
            assert settle(campaign, "ada") == [begun.folder.name]


def states(folder: Path) -> dict[str, str]:
    return {one.id: one.state for one in histories(read(folder)) if one.outcome == "runnable"}


def test_a_campaign_of_three_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "wall"
    (tmp_path / "lab").mkdir()
    run_virtually(day(folder, first=True, defects=["invalid-card-starts"]))
    assert states(folder) == {"TC_001_CS": "pass", "TC_021_CS": "pass", "TC_023_CS": "fail"}

    # What is decided is not run again by itself, and not without a reason.
    with pytest.raises(ConfigError, match="no case is left to be run"):
        begin(folder, "ada")
    with pytest.raises(ConfigError, match="TC_023_CS has a result, fail in run"):
        begin(folder, "ada", cases=["TC_023_CS"])
    run_virtually(day(folder, "TC_023_CS", reason="the lab's card was a valid one"))
    assert states(folder) == dict.fromkeys(("TC_001_CS", "TC_021_CS", "TC_023_CS"), "pass")
    assert call("verify", folder) == 0
    capsys.readouterr()
    assert call("status", folder) == 0
    said = capsys.readouterr().out
    assert "Pilotbench Virtual AC 22 (PB-0001), software 1.0.0" in said
    assert "Cases     3 pass" in said
    assert ": fail\n" in said
    assert ": pass (counts); again, as the lab's card was a valid one\n" in said

    # The software is another one: the run says so, and all cases start over.
    run_virtually(day(folder, "TC_001_CS", reason="asked by the vendor", other_software=True))
    assert set(states(folder).values()) == {"to run"}
    assert call("status", folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["runs"]) == 3
    assert {one["void"] for case in told["cases"] for one in case["attempts"]} == {
        "the DUT reported the software '1.0.0' before, now '9.9.9'"
    }
    assert told["identification"][2] == {
        "name": "software",
        "stated": "1.0.0",
        "reported": "9.9.9",
    }
    assert cli.main(["verify", str(folder)]) == 0
    assert capsys.readouterr().out.endswith("\nsound\n")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of a bench and a DUT."""
    folder = tmp_path_factory.mktemp("lab")
    bench, dut = folder / "bench.toml", folder / "dut.toml"
    bench.write_text(
        '[bench]\nname = "Desk"\n[[device]]\nname = "mains"\ndriver = "manual-power"\n'
    )
    dut.write_text(
        '[dut]\nkind = "charging-station"\nidentity = "CP1"\nvendor = "Lab"\nmodel = "Sample"\n'
        'software = "1.0"\n[pics]\n"C-07" = true\n[pixit.timing]\nboot = 100\n'
    )
    return bench, dut


def new(folder: Path, lab: tuple[Path, Path]) -> Path:
    assert call("new", folder, "--bench", lab[0], "--dut", lab[1], "--by", "ada") == 0
    return folder


def test_what_people_do_is_recorded_with_their_names(
    tmp_path: Path, lab: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = new(tmp_path / "c", lab)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    by = ("--by", "bob")
    mobile = ("--technology", "mobile", "--bandwidth", 3, "--latency", 80, "--rssi", -70)
    assert call("intake", folder, "--works", "yes", "--milliseconds", "no", *by) == 0
    assert call("connection", folder, *mobile, *by) == 0
    assert "not good enough for the test setup: 3 kB/s" in capsys.readouterr().out
    assert call("note", folder, "the vendor is here", *by) == 0
    assert call("attach", folder, photo, "--about", "TC_001_CS", *by) == 0
    assert call("waive", folder, "status", "--reason", "as the group decided", *by) == 0
    assert call("changed", folder, "configuration", "DHCP instead of a fixed address", *by) == 0
    assert capsys.readouterr().out.endswith("all cases start over\n")
    assert call("close", folder, "--by", "cy", "--note", "withdrawn") == 0
    assert "not settled: " in capsys.readouterr().out
    kinds = [(type(one.event).__name__, one.event) for one in read(folder).records]
    assert [(name, getattr(event, "by", "")) for name, event in kinds] == [
        ("CampaignOpened", "ada"),
        ("InputsTaken", "ada"),
        ("IntakeDone", "bob"),
        ("ConnectionMeasured", "bob"),
        ("NoteAdded", "bob"),
        ("FileAdded", "bob"),
        ("WaiverGranted", "bob"),
        ("DutChanged", "bob"),
        ("CampaignClosed", "cy"),
    ]
    assert call("verify", folder) == 0


def test_a_closed_campaign_is_signed_with_the_lab_s_key(
    tmp_path: Path, lab: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    bench, key, other = tmp_path / "bench.toml", tmp_path / "lab.pem", tmp_path / "other.pem"
    bench.write_text(f'{lab[0].read_text()}\n[lab]\nsigning_key = "lab.pem"\n')
    for path in (key, other):
        assert cli.main(["key", "new", str(path)]) == 0
        path.with_suffix(".pub").write_text(capsys.readouterr().out.partition("fingerprint")[0])
    folder = new(tmp_path / "c", (bench, lab[1]))
    assert cli.main(["verify", str(folder)]) == 0
    assert call("close", folder, "--by", "ada") == 0
    seal = (folder / "seal.json").read_bytes()
    assert b"Pilotbench campaign c\\nrecords 3\\nhead " in seal
    capsys.readouterr()
    public = tmp_path / "lab.pub"
    assert cli.main(["verify", str(folder), "--key", str(public)]) == 0
    assert "\nsigned   with the key " in capsys.readouterr().out
    assert cli.main(["verify", str(folder), "--key", str(tmp_path / "other.pub")]) == 1
    assert "NOT SOUND: the campaign is signed with the key " in capsys.readouterr().out
    (folder / "seal.json").unlink()
    assert cli.main(["verify", str(folder)]) == 1
    assert "the campaign was to be signed with the key " in capsys.readouterr().out
    # As after a program that died between its record and its seal.
    assert call("close", folder, "--by", "ada") == 0
    assert (folder / "seal.json").read_bytes() == seal
    assert call("close", folder, "--by", "ada") == 3


def test_changed_files_are_taken_before_the_next_run_and_reset_what_they_must(
    tmp_path: Path, lab: tuple[Path, Path]
) -> None:
    folder = new(tmp_path / "c", lab)
    dut = tmp_path / "dut.toml"
    text = lab[1].read_text("utf-8")

    def begin_with(text: str) -> tuple[list[str], str]:
        dut.write_text(text, "utf-8")
        said: list[str] = []
        with pytest.raises(ConfigError) as refused:
            begin(folder, "ada", cases=["TC_001_CS"], dut=dut, say=said.append)
        return said, str(refused.value)

    # The desk has no network path and no cards: nothing runs, but the files are in force.
    said, refused = begin_with(text.replace("boot = 100", "boot = 200"))
    assert refused.startswith("TC_001_CS will not run: not-runnable, ")
    assert said == ["changed: PIXIT timing.boot was 100.0, now 200.0"]
    assert read(folder).changes == []
    said, _ = begin_with(text.replace('software = "1.0"', 'software = "1.1"'))
    assert said[0] == "changed: the stated software was '1.0', now '1.1'"
    assert said[-1].endswith("all cases start over")
    said, _ = begin_with(
        text.replace('software = "1.0"', 'software = "1.1"').replace("true", 'false\n"C-08" = true')
    )
    assert said[:2] == ["changed: PICS C-07 was true, now false", "changed: PICS C-08 is answered"]
    assert [(one.kind, one.resets) for _, one in read(folder).changes] == [
        ("software", True),
        ("claims", True),
    ]
    _, refused = begin_with(text.replace('model = "Sample"', 'model = "N"'))
    assert "table [dut], key 'model': 'N', but 'Sample' in this campaign" in refused
    inputs = read(folder).inputs
    assert inputs is not None
    copy = next(name for name in inputs.files if name.endswith("/dut.toml"))
    assert "C-08" in (folder / copy).read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("status", "nowhere"), "nowhere: no campaign.jsonl here, so this is no campaign's folder"),
        (("note", "c", " "), "note: expected a text"),
        (("note", "c", "x", "--by", ""), "--by '': expected a name"),
        (("reason", "c", "r1", "why not"), "no run 'r1' is in it"),
        (("add", "c", "nowhere"), "nowhere: no journal.jsonl here, so this is no run's folder"),
        (("run", "c", "TC_9", "--by", "ada"), "unknown case 'TC_9'"),
        (("run", "c", "--reason", ""), "--reason: expected a text"),
        (("changed", "c", "paint", "red"), "argument KIND: invalid choice: 'paint'"),
        (("waive", "c", "TC_901_CS"), "the following arguments are required: --reason"),
        (("close", "c"), "the following arguments are required: --by"),
        (("connection", "c", "--technology", "WiFi", "--bandwidth", "-1", "--latency", "1"), "-1"),
        (("new", "c", "--bench", "bench.toml", "--dut", "dut.toml"), "there is something already"),
        ((), "the following arguments are required: WHAT"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path,
    lab: tuple[Path, Path],
    arguments: tuple[str, ...],
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in lab:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    new_book(tmp_path / "c", cases=[])
    before = (tmp_path / "c" / RECORD).read_bytes()
    assert call(*arguments) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line
    assert (tmp_path / "c" / RECORD).read_bytes() == before


def test_the_name_is_the_login_s_unless_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_book(tmp_path / "c")
    monkeypatch.setenv("LOGNAME", "grace")
    assert call("note", tmp_path / "c", "x", "--about", CASES[0]) == 0
    (note,) = read(tmp_path / "c").notes
    assert (note.by, note.about) == ("grace", CASES[0])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "--bench F is missing, or --campaign DIR"),
        (("--campaign", "nowhere"), "nowhere: no campaign.jsonl here"),
        (("--campaign", "c", "--out", "runs"), "--campaign: expected no --out"),
    ],
)
def test_what_is_wrong_with_a_served_campaign_is_said_in_one_line(
    arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["serve", *arguments]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line
