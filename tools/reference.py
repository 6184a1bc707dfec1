"""Write the generated parts of the documentation (`make docs`).

A page asks for one between two marks: `<!-- generated: NAME ARGUMENTS -->` and `<!-- end -->`.
With `--check` nothing is written; stale pages are named and the exit code is 1.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from api_reference import api_models, api_routes
from command_reference import command_lines
from meanings import RELAY_MEANINGS
from sources import ROOT, source
from tables import json_type, keys, keys_of, table, wrapped

from bench.attributes import attribute_docstrings
from bench.device import Driver
from bench.dut import Timing
from bench.plan import groups_of, load_suites
from bench.procedure import Procedure
from bench.questionnaire import QUESTIONS
from drivers import profile, profile_meter
from drivers.profile_pilot_box import PilotBoxProfile
from stations.defects import DEFECTS


def drivers() -> str:
    """List every driver with what it offers and the keys of its `[[device]]` table."""
    parts = []
    for point in sorted(entry_points(group="pilotbench.drivers"), key=lambda point: point.name):
        driver: Driver = point.load()
        offers = ", ".join(f"`{capability.__name__}`" for capability in driver.offers)
        about = (inspect.getdoc(import_module(point.module)) or "").splitlines()[0]
        if driver.by_hand:
            about = "The operator acts, and is asked to by prompts."
        about += f" Offers {offers}."
        parts.append(f"### `{point.name}`\n\n{about}\n\n{keys_of(driver.settings)}")
    return "\n\n".join(parts)


def pics() -> str:
    """Tabulate the PICS items with the cases whose applicability hangs on them."""
    rows = []
    for item, question in QUESTIONS.items():
        words = (str(one.applies).replace("(", " ").replace(")", " ").split() for one in _cases())
        cases = [one.id for one, found in zip(_cases(), words, strict=True) if item in found]
        links = ", ".join(map(_link, cases))
        rows.append((f'`"{item}"`', str(question.answer), question.text, links))
    return table(("item", "answer", "meaning", "decides on"), rows)


def _cases() -> list[Procedure]:
    return [one for suite in load_suites() for one in suite.procedures]


def _link(case: str) -> str:
    return f"[{case}](cases.md#{case.lower()})"


def cases() -> str:
    """Tabulate all cases, then describe each."""
    rows = [
        (f"[{one.id}](#{one.id.lower()})", one.title, one.mark, str(one.applies), one.group)
        for one in _cases()
    ]
    parts = [table(("id", "title", "mark", "applies", "group"), rows)]
    for one in _cases():
        needs = ", ".join(f"`{need}`" for need in one.needs) or "no device"
        groups = ", ".join(f"`{group}`" for group in sorted(groups_of(one)))
        waits = one.waits(Timing())
        caught = [defect.name for defect in DEFECTS if defect.caught_by == one.id]
        facts = [
            f"- References: {'; '.join(one.refs)}",
            f"- Needs {needs}; in the groups {groups}",
            f"- Prescribed waits with the default timing: {waits:g} s" if waits else "",
            f"- Seen to fail on: {', '.join(f'[{name}](defects.md#{name})' for name in caught)}",
        ]
        purpose = wrapped(" ".join(one.purpose.split()))
        text = "\n".join(wrapped(fact, subsequent_indent="  ") for fact in facts if fact)
        parts.append(f"## {one.id}\n\n**{one.title}** ({one.mark})\n\n{purpose}\n\n{text}")
    return "\n\n".join(parts)


def defects() -> str:
    """Tabulate the named defects of the virtual station."""
    rows = [
        (f'<a id="{one.name}"></a>`{one.name}`', one.text, _link(one.caught_by)) for one in DEFECTS
    ]
    return f"There are {len(rows)}.\n\n" + table(("name", "what is wrong", "caught by"), rows)


def kinds_of_event(place: str) -> str:
    """Describe every kind of event of a vocabulary, given as module, with its fields."""
    events = import_module(place)
    parts = []
    for name, kind in events.KINDS.items():
        hints, meanings = typing.get_type_hints(kind), attribute_docstrings(kind)
        rows = [
            (f"`{field.name}`", json_type(hints[field.name]), meanings.get(field.name, ""))
            for field in dataclasses.fields(kind)
        ]
        about = inspect.getdoc(kind) or ""
        parts.append(f"### {name}\n\n{about}\n\n{table(('field', 'type', 'meaning'), rows)}")
    return f"The vocabulary has version {events.SCHEMA}.\n\n" + "\n\n".join(parts)


def monitors() -> str:
    """Tabulate the rules that are watched in every case, as the modules of the rules have them."""
    rows = []
    for path in sorted((ROOT / "bench/ocpp/rules").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="Finding"), args=[ast.Constant(value=str(name)), text, *_]
                ):
                    rows.append((f"`{name}`", _text(text)))
    return table(("monitor", "rule"), dict.fromkeys(rows))


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue():
            return "…"
        case ast.JoinedStr(values=parts):
            return "".join(map(_text, parts))
        case _:
            return ast.unparse(node)


def relays() -> str:
    """Tabulate the relays and the pilot meter of the shipped pilot box."""
    box = profile.load(PilotBoxProfile, "pilot-box-12")
    rows = [
        (f"`{name}`", str(coil.unit), str(coil.coil), RELAY_MEANINGS[name])
        for name, coil in box.relays.by_name().items()
    ]
    parts = [table(("relay", "unit", "coil", "when it is on"), rows)]
    if box.pilot is not None:
        names = ("high", "low", "duty", "frequency")
        values = zip(names, ("V", "V", "%", "Hz"), box.pilot.values(), strict=True)
        rows = [
            (f"`{name}`", str(box.pilot.unit), str(one.register), f"{one.scale:g} {si}")
            for name, si, one in values
        ]
        parts.append(table(("value", "unit", "input register", "one step"), rows))
    return "\n\n".join(parts)


def units() -> str:
    """List the units that a meter's profile may use."""
    return ", ".join(f"`{unit}`" for unit in profile_meter.UNITS) + "."


BLOCKS: dict[str, Callable[..., str]] = {
    "api-models": api_models,
    "api-routes": api_routes,
    "cases": cases,
    "commands": command_lines,
    "defects": defects,
    "drivers": drivers,
    "events": kinds_of_event,
    "keys": keys,
    "monitors": monitors,
    "pics": pics,
    "relays": relays,
    "source": source,
    "units": units,
}
_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def pages() -> Iterator[tuple[Path, str, str]]:
    """Yield every page with generated parts: its path, its text, and what the text should be."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        before = path.read_text("utf-8")
        after = _BLOCK.sub(_filled, before)
        if _BLOCK.search(before):
            yield path, before, after


def _filled(block: re.Match[str]) -> str:
    name, *arguments = block[2].split()
    return f"{block[1]}\n{BLOCKS[name](*arguments)}\n\n{block[4]}"


def main() -> int:
    """Write the pages, or with `--check` say which are stale."""
    check = sys.argv[1:] == ["--check"]
    stale = [(path, after) for path, before, after in pages() if before != after]
    for path, after in stale:
        sys.stdout.write(
            f"{path.relative_to(ROOT)} {'is stale: make docs' if check else 'written'}\n"
        )
        if not check:
            path.write_text(after, "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
