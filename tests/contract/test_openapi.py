"""The API does what its OpenAPI document says, whatever is sent to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from bench.server import openapi_of
from tests.engine.service import TOKEN, idle_engine, served

EXAMPLES = 8
"""Requests made up for each route."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an engine without devices from a thread."""
    folder = tmp_path_factory.mktemp("runs")
    ready, over = threading.Event(), threading.Event()
    place: list[str] = []

    async def serve() -> None:
        async with served(idle_engine(folder, actuators=True), folder) as bench:
            place.append(bench.url)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield place[0]
    finally:
        over.set()
        thread.join()


schema = schemathesis.openapi.from_dict(openapi_of(idle_engine(Path("nowhere"), actuators=True)))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_of_those_declared(case: Any, url: str) -> None:
    response = case.call(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"})
    undone = response.status_code == 501 and "detail" in response.json()
    case.validate_response(
        response,
        checks=[
            *([] if undone else [not_a_server_error]),
            status_code_conformance,
            response_schema_conformance,
        ],
    )
