"""Unknown keys and wrong types in every file that a lab edits, as the command line tells them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from drivers.sim.bench_files import bench_toml, dut_toml
from drivers.sim.variants import VARIANTS
from stations.settings import StationSettings

ROOT = Path(__file__).parents[2]
LINKS = {
    "pilot-box": "modbus-tcp://127.0.0.1:9",
    "card-changer": "serial:/dev/null?baudrate=9600",
    "meter": "modbus-rtu:/dev/null?baudrate=9600",
    "load": "socket://127.0.0.1:9",
    "mains": "http://127.0.0.1:9",
    "modem": "http://127.0.0.1:9",
    "service-port": "http://127.0.0.1:9",
}
STATION = StationSettings(identity="PB-0001", url="ws://127.0.0.1:9/ocpp")
FILES = {
    "bench.toml": bench_toml("127.0.0.1:0", LINKS),
    "dut.toml": dut_toml(VARIANTS["default"], STATION),
    "plan.toml": '[plan]\ncases = ["TC_003_CS"]\ngroups = ["core"]\n',
    "meter.toml": (ROOT / "drivers/profiles/eastron-sdm630.toml").read_text("utf-8"),
    "box.toml": (ROOT / "drivers/profiles/pilot-box-12.toml").read_text("utf-8"),
}
WRONG: Any = [[]]
"""A value of a type that no key has."""

Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """List every table, list and value in a document."""
    if place:
        yield place
    items = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value) if isinstance(value, list) else items:
        yield from places(part, (*place, key))


def at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def written(value: Any) -> str:
    """Write a value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def mistakes(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make every wrong type and every unknown key, each with the word that an error must have."""
    for place in places(document):
        wrong = deepcopy(document)
        at(wrong, place[:-1])[place[-1]] = WRONG
        yield next(str(key) for key in reversed(place) if isinstance(key, str)), wrong
    for place in ((), *places(document)):
        if isinstance(at(document, place), dict):
            unknown = deepcopy(document)
            at(unknown, place)["nonsense"] = WRONG
            yield "nonsense", unknown


@pytest.mark.parametrize("name", FILES)
def test_every_mistake_is_told_in_one_line_with_file_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], "utf-8")
    assert main(["check", str(path)]) == 0
    capsys.readouterr()
    made = 0
    for word, document in mistakes(tomllib.loads(FILES[name])):
        text = "".join(f"{json.dumps(k)} = {written(v)}\n" for k, v in document.items())
        path.write_text(text, "utf-8")
        code, said = main(["check", str(path)]), capsys.readouterr()
        assert (code, said.out) == (3, ""), text
        assert re.fullmatch(rf"{re.escape(str(path))}: [^\n]*{word}[^\n]*\n", said.err), text
        made += 1
    assert made >= 4


def run(folder: Path) -> list[str]:
    """Write the arguments of a run with the files of a folder."""
    files = [f"--{kind}={folder / f'{kind}.toml'}" for kind in ("bench", "dut", "plan")]
    return ["run", *files, f"--out={folder / 'run'}", "--operator=refuse"]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "bench.toml",
            "connectors = [1]",
            'connectors = ["one"]',
            "bench.toml: [[device]] 'pilot-box', key 'connectors'[0]: \"one\", "
            "expected a whole number",
        ),
        (
            "bench.toml",
            "outlet = 1",
            "outlets = 1",
            "bench.toml: [[device]] 'mains': unknown key 'outlets', did you mean 'outlet'?",
        ),
        (
            "bench.toml",
            'profile = "eastron-sdm630"',
            'profile = "{folder}/meter.toml"',
            "meter.toml: table [map], key 'function': 5, expected one of 3, 4",
        ),
        (
            "bench.toml",
            "[bench]",
            '[lab]\nsigning_key = "lab.key"\n[bench]',
            "bench.toml: table [lab], key 'signing_key': ",
        ),
        (
            "bench.toml",
            "[bench]",
            '[lab]\ntimestamp = "tsa.example"\n[bench]',
            "bench.toml: table [lab]: key 'timestamp': expected http://HOST/… or https://HOST/…",
        ),
        (
            "dut.toml",
            "settling = 1.5",
            'settling = "1.5"',
            "dut.toml: table [pixit], key 'timing', key 'settling': \"1.5\", expected a number",
        ),
        (
            "dut.toml",
            "[pixit]",
            "[pixits]",
            "dut.toml: unknown table [pixits], did you mean 'pixit'?",
        ),
        (
            "plan.toml",
            'groups = ["core"]',
            'group = "core"',
            "plan.toml: table [plan]: unknown key 'group', did you mean 'groups'?",
        ),
        (
            "plan.toml",
            '["TC_003_CS"]',
            '"TC_003_CS"',
            "plan.toml: table [plan], key 'cases': \"TC_003_CS\", expected a list",
        ),
        ("plan.toml", "[plan]", "[plan", "plan.toml: not TOML: "),
        ("plan.toml", "[plan]", '["pl\\nan"]', "plan.toml: unknown table [pl an], did you"),
    ],
)
def test_a_run_with_a_wrong_file_does_not_begin(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    old: str,
    new: str,
    message: str,
) -> None:
    for file, text in FILES.items():
        (tmp_path / file).write_text(text, "utf-8")
    profile = FILES["meter.toml"].replace("function = 4 ", "function = 5 ")
    (tmp_path / "meter.toml").write_text(profile, "utf-8")
    assert old in FILES[name]
    changed = FILES[name].replace(old, new.replace("{folder}", str(tmp_path)), 1)
    (tmp_path / name).write_text(changed, "utf-8")
    assert main(run(tmp_path)) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"pilotbench: {tmp_path}/{message}")
    assert said.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "bench.toml"), str(tmp_path)]) == 3
    missing, folder = capsys.readouterr().err.splitlines()
    assert missing == f"{tmp_path}/bench.toml: No such file or directory"
    assert folder == f"{tmp_path}: Is a directory"
