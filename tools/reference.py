"""Write the generated parts of the documentation (`make docs`).

A page asks for one between two marks: `<!-- generated: NAME ARGUMENTS -->` and `<!-- end -->`.
With `--check` nothing is written; stale pages are named and the exit code is 1.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import json
import re
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from meanings import RELAY_MEANINGS
from pydantic import BaseModel
from sources import ROOT, source

from bench.attributes import attribute_docstrings
from bench.cli import commands
from bench.config import BenchConfig, BenchSettings
from bench.device import Driver
from bench.dut import Timing
from bench.engine import Engine
from bench.plan import groups_of, load_suites
from bench.procedure import Procedure
from bench.questionnaire import QUESTIONS
from bench.server import bench_models, dut_models, models, openapi_of, share_models
from bench.server.routes import ROOT as API_ROOT
from drivers import profile, profile_meter
from drivers.profile_pilot_box import PilotBoxProfile
from stations.defects import DEFECTS

MODELS = (models, bench_models, dut_models, share_models)
"""What declares the objects of the API."""

_SCALARS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    date: "date",
}


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a Markdown table; a row's last line breaks and bars are made harmless."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads)]
    lines += [[" ".join(cell.split()).replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _type(hint: Any) -> str:
    """Say a type hint in words for people who write TOML or read JSON."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f"`{json.dumps(option)}`" for option in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(one) for one in arguments if one is not type(None))
    if origin in (tuple, list):
        return f"list of {_type(arguments[0])}"
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        return f"table of {_type(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        return "table"
    return _SCALARS.get(hint, "any")


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else "none"
    if dataclasses.is_dataclass(field.default):
        return "as below"
    if field.default in (None, "", ()):
        return "none"
    if isinstance(field.default, float):
        return f"`{field.default:g}`"
    return f"`{json.dumps(field.default)}`"


def keys(place: str) -> str:
    """Tabulate the keys of a settings class, given as `module:class`."""
    module, _, name = place.partition(":")
    return _keys(getattr(import_module(module), name))


def _keys(kind: Any) -> str:
    hints, meanings = typing.get_type_hints(kind), attribute_docstrings(kind)
    rows = [
        (f"`{field.name}`", _type(hints[field.name]), _default(field), meanings.get(field.name, ""))
        for field in dataclasses.fields(kind)
    ]
    return table(("key", "type", "default", "meaning"), rows) if rows else "It has no keys."


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
        parts.append(f"### `{point.name}`\n\n{about}\n\n{_keys(driver.settings)}")
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
        purpose = _wrapped(" ".join(one.purpose.split()))
        text = "\n".join(_wrapped(fact, subsequent_indent="  ") for fact in facts if fact)
        parts.append(f"## {one.id}\n\n**{one.title}** ({one.mark})\n\n{purpose}\n\n{text}")
    return "\n\n".join(parts)


def _wrapped(text: str, **options: Any) -> str:
    return textwrap.fill(text, 140, break_on_hyphens=False, break_long_words=False, **options)


def defects() -> str:
    """Tabulate the named defects of the virtual station."""
    rows = [
        (f'<a id="{one.name}"></a>`{one.name}`', one.text, _link(one.caught_by)) for one in DEFECTS
    ]
    return f"There are {len(rows)}.\n\n" + table(("name", "what is wrong", "caught by"), rows)


def command_lines() -> str:
    """Describe every command with its arguments."""
    parts = []
    for command in commands():
        parser = argparse.ArgumentParser(prog=f"pilotbench {command.name}", add_help=False)
        command.configure(parser)
        parts += _command("##", f"pilotbench {command.name}", command.summary, parser)
    return "\n\n".join(parts)


def _command(mark: str, name: str, summary: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Describe a command, then those beneath it."""
    yield f"{mark} {name}\n\n{summary[0].upper()}{summary[1:]}."
    rows, beneath = [], []
    for one in parser._actions:  # noqa: SLF001
        if isinstance(one, argparse._SubParsersAction):  # noqa: SLF001
            beneath.append(one)
        elif not isinstance(one, argparse._HelpAction):  # noqa: SLF001
            rows.append((_argument(one), one.help or "", _preset(one)))
    if rows or not beneath:
        yield table(("argument", "meaning", "default"), rows)
    for one in beneath:
        for word, sub in one.choices.items():
            yield from _command(f"{mark}#", f"{name} {word}", sub.description or "", sub)


def _argument(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or "/".join(action.choices or ()))
    if action.option_strings:
        return f"`{action.option_strings[-1]} {value}".rstrip() + "`"
    return f"`{value}…`" if action.nargs in ("*", "+") else f"`{value}`"


def _preset(action: argparse.Action) -> str:
    if action.required and action.nargs != "*":
        return "required"
    return f"`{action.default}`" if isinstance(action.default, str) and action.default else ""


def kinds_of_event(place: str) -> str:
    """Describe every kind of event of a vocabulary, given as module, with its fields."""
    events = import_module(place)
    parts = []
    for name, kind in events.KINDS.items():
        hints, meanings = typing.get_type_hints(kind), attribute_docstrings(kind)
        rows = [
            (f"`{field.name}`", _json_type(hints[field.name]), meanings.get(field.name, ""))
            for field in dataclasses.fields(kind)
        ]
        about = inspect.getdoc(kind) or ""
        parts.append(f"### {name}\n\n{about}\n\n{table(('field', 'type', 'meaning'), rows)}")
    return f"The vocabulary has version {events.SCHEMA}.\n\n" + "\n\n".join(parts)


def _json_type(hint: Any) -> str:
    text = _type(hint).replace("table of any", "object").replace("table", "object")
    return f"{text} or null" if type(None) in typing.get_args(hint) else text


def api_routes() -> str:
    """Tabulate the routes of the API, as its OpenAPI document has them."""
    bench = BenchConfig(ROOT / "bench.toml", BenchSettings("bench"))
    document = openapi_of(Engine(bench, [], ROOT / "runs"))
    rows = []
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            answers = ", ".join(code for code in route["responses"])
            about = (route.get("description") or route.get("summary") or "").splitlines()[0]
            rows.append((f"`{method.upper()} {path.removeprefix(API_ROOT)}`", about, answers))
    return table(("route", "what it does", "answers"), rows)


def api_models() -> str:
    """Tabulate the objects that the API takes and gives."""
    parts = []
    found = {name: kind for module in MODELS for name, kind in vars(module).items()}
    for name, kind in sorted(found.items()):
        if not (isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not BaseModel):
            continue
        hints, meanings = typing.get_type_hints(kind), attribute_docstrings(kind)
        rows = [(f"`{one}`", _json_type(hints[one]), meanings.get(one, "")) for one in hints]
        rows = [row for row in rows if row[0] != "`model_config`"]
        head = f"### {name.removesuffix('Model')}"
        parts.append(
            f"{head}\n\n{inspect.getdoc(kind)}\n\n{table(('field', 'type', 'meaning'), rows)}"
        )
    return "\n\n".join(parts)


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
