"""The commands as the documentation shows them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tables import table

from bench.cli import commands


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
