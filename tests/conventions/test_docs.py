"""The documentation is true: links lead somewhere, and commands print what it says."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.cli import commands
from drivers.sim.lab_process import running_lab

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))

_FENCE = re.compile(
    r"^(?P<mark><!-- not run[^\n]*-->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)+/?|[\w-]+\.(?:py|sh)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_VARYING = re.compile(
    r"[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z|(?<![A-Za-z_\d])\d+(?:[.:]\d+)*(?: ms| s)?"
)
"""Hashes, moments, durations and counts, which are compared as #; numbers in names are not."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    kind: str
    text: str
    runs: bool
    """False when the page says that the tests do not run it."""


def blocks(page: Path, kind: str) -> list[Block]:
    found = _FENCE.finditer(page.read_text("utf-8"))
    return [
        Block(one["kind"], one["text"], one["mark"] is None) for one in found if one["kind"] == kind
    ]


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """List the options of a command and of the commands below it."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)


def anchors(page: Path) -> set[str]:
    """Make the anchors of a page's headings as web front ends of git do, and those written out."""
    found = set(re.findall(r'<a id="([^"]+)">', page.read_text("utf-8")))
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.M):
        text = _LINK.sub(lambda link: link[0].partition("]")[0], heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = 0
        while f"{slug}-{number}" in found or (number == 0 and slug in found):
            number += 1
        found.add(f"{slug}-{number}" if number else slug)
    return found


def test_the_generated_parts_are_up_to_date() -> None:
    script = str(ROOT / "tools" / "reference.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@EACH_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.is_relative_to(ROOT), target
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@EACH_PAGE
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    for code in _CODE.findall(prose(page)):
        if not _PATH.fullmatch(code):
            continue
        if "/" not in code:
            assert any(file for folder in FOLDERS for file in folder.rglob(code)), code
        elif ROOT / code.split("/")[0] in FOLDERS:
            assert any(ROOT.glob(code)), code


@EACH_PAGE
def test_every_option_that_a_page_names_is_one(page: Path) -> None:
    known = {}
    for command in commands():
        known[command.name] = parser = argparse.ArgumentParser(command.name)
        command.configure(parser)
    own = {name: set(options(parser)) for name, parser in known.items()}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for code in _CODE.findall(prose(page)):
        program, *words = code.removeprefix("pilotbench ").split()
        if program == "make" and words:
            assert words[0] in targets, code
        of = own.get(program, set().union(*own.values()) | {"--debug", "--version"})
        assert set(_OPTION.findall(code)) <= of | {"--debug"}, code


def test_every_page_that_the_source_names_is_there() -> None:
    for file in (file for folder in FOLDERS for file in folder.rglob("*.py")):
        for name in re.findall(r"(?<![\w/])docs/[\w/-]+\.md\b", file.read_text("utf-8")):
            assert (ROOT / name).is_file(), f"{file}: {name}"


@EACH_PAGE
def test_prose_is_short_lined_and_names_no_place_of_one_machine(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"/(?:work|tmp|root|home)/", text)
    long = [
        line
        for line in prose(page).splitlines()
        if len(line) > 150 and not line.startswith(("|", "<!--", "!["))
    ]
    assert long == []


@EACH_PAGE
def test_every_command_line_can_be_parsed(page: Path) -> None:
    parsers = {}
    for command in commands():
        parsers[command.name] = argparse.ArgumentParser(command.name)
        parsers[command.name].add_argument("--debug", action="store_true")
        command.configure(parsers[command.name])
    for block in blocks(page, "console"):
        for line, _ in typed(block.text):
            for part in re.split(r" [|>] ", line):
                program, *arguments = shlex.split(part) if "<<" not in part else [""]
                if Path(program).name == "pilotbench":
                    parsers[arguments[0]].parse_args(arguments[1:])


def typed(text: str) -> Iterator[tuple[str, str]]:
    """Take a console apart: each command (with its `> ` lines), and what it printed."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        lines = part.splitlines()
        more = next((i for i, line in enumerate(lines[1:], 1) if not line.startswith("> ")), None)
        command = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
        yield command, "\n".join(lines[more:]) if more else ""


@EACH_PAGE
def test_every_command_prints_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for block in blocks(page, "toml"):
        tomllib.loads(block.text)
        if name := re.match(r"# (\S+\.toml)\n", block.text):
            Path(name[1]).write_text(block.text, "utf-8")
    with ExitStack() as stack:
        for block in blocks(page, "console"):
            if not block.runs:
                continue
            if block.text.startswith("$ pilotbench lab --dir"):
                stack.close()  # the lab of before was stopped with Ctrl-C
                ((line, expected),) = typed(block.text)
                files = stack.enter_context(running_lab(*shlex.split(line)[2:]))
                check_output(line, expected, json.dumps(files))
            else:
                check_console(block.text)


def check_console(text: str) -> None:
    """Run the commands of a console in one shell, and compare what they print."""
    dialogue = list(typed(text))
    script = "last=0\n"
    for command, _ in dialogue:
        script += f"echo '<command>'; (exit $last)\n{command}\nlast=$?\n"
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    printed = done.stdout.split("<command>\n")[1:]
    for (command, expected), came in zip(dialogue, printed, strict=True):
        check_output(command, expected, came)


def check_output(command: str, expected: str, came: str) -> None:
    """Compare what a command printed with what the page shows, numbers aside."""
    assert re.fullmatch(pattern(expected), plain(came) + "\n"), f"$ {command}\n{came}"


def plain(text: str) -> str:
    """Make what varies from run to run alike."""
    return _VARYING.sub("#", text).strip()


def pattern(expected: str) -> str:
    """Make a pattern of what a page shows: a line `…` is any lines, `…` within a line any text."""
    parts = (
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
        for line in plain(expected).split("\n")
    )
    return "".join(parts)


def test_what_a_page_shows_is_compared_line_by_line() -> None:
    def fits(expected: str, came: str) -> bool:
        return bool(re.fullmatch(pattern(expected), plain(came) + "\n"))

    assert fits("pass in 12 ms\n…\nend of …", "pass in 1.2 s\none\ntwo\nend of it")
    assert fits("…\nend", "end")
    assert fits("", "")
    assert not fits("pass in 12 ms", "fail in 12 ms")
    assert not fits("pass\n…\nend", "pass\none")
    assert not fits("pass", "pass\nmore")
    assert not fits("", "a word")
    assert not fits("say … here", "say\nhere")
    assert not fits("TC_003_CS pass", "TC_004_CS pass")
