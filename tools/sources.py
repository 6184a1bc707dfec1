"""Read source text for the documentation: quoted definitions."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def source(path: str, *names: str) -> str:
    """Quote functions and classes of a source file, decorators included; without names all."""
    text = (ROOT / path).read_text("utf-8")
    if names:
        found = dict(_definitions(ast.parse(text)))
        text = "\n\n".join(_quoted(text, found[name]) for name in names)
    return f"```python\n# {path}\n{text.rstrip()}\n```"


def _definitions(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                yield prefix + name, node
                yield from _definitions(node, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name, node
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield prefix + name, node


def _quoted(text: str, node: Any) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : node.end_lineno]))
