"""The API as the documentation shows it: routes and objects."""

from __future__ import annotations

import inspect
import typing

from pydantic import BaseModel
from sources import ROOT
from tables import json_type, table

from bench.attributes import attribute_docstrings
from bench.config import BenchConfig, BenchSettings
from bench.engine import Engine
from bench.server import bench_models, dut_models, models, openapi_of, share_models
from bench.server.routes import ROOT as API_ROOT

MODELS = (models, bench_models, dut_models, share_models)
"""What declares the objects of the API."""


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
        rows = [(f"`{one}`", json_type(hints[one]), meanings.get(one, "")) for one in hints]
        rows = [row for row in rows if row[0] != "`model_config`"]
        head = f"### {name.removesuffix('Model')}"
        parts.append(
            f"{head}\n\n{inspect.getdoc(kind)}\n\n{table(('field', 'type', 'meaning'), rows)}"
        )
    return "\n\n".join(parts)
