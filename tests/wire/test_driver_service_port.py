"""The service port's driver against HTTP answers written by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import toml
from bench.capability import Failure
from bench.config import load_bench
from bench.errors import ConfigError, DeviceError, DeviceTimeout, Unverifiable
from drivers import service_port
from drivers.service_port import DRIVER, ServicePort, ServicePortSettings
from tests.wire.responders import context, http, response

LOCK = {
    "provoke": {"path": "/connectors/{connector}/faults", "json": '{"id": {connector}}'},
    "relieve": {"path": "/connectors/{connector}/faults", "method": "DELETE"},
    "state": {"path": "/connectors", "pointer": "/{connector}/lock"},
    "provoked": "stuck",
}
LIST = {
    "provoke": {"path": "/list/break?now=1", "method": "PUT"},
    "relieve": {"path": "/list/mend", "json": '"list of {connector}"'},
    "state": {"path": "/list", "pointer": "/broken"},
}


class Panel:
    """A vendor's own interface."""

    def __init__(self) -> None:
        self.locks = ["", "free", "free"]
        self.broken = False
        self.stuck = False
        self.seen: list[str] = []
        self.headers: dict[str, str] = {}
        self.status = "200 OK"
        self.body: bytes | None = None

    async def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> bytes | None:
        self.seen.append(f"{method} {target} {body.decode()}".rstrip())
        self.headers = headers
        if not self.stuck and method != "GET":
            if target.startswith("/connectors/"):
                number = int(target.split("/")[2])
                self.locks[number] = "free" if method == "DELETE" else "stuck"
            else:
                self.broken = target.startswith("/list/break")
        if method != "GET":
            return response(b"", status=self.status)
        document: Any = {"broken": self.broken}
        if target == "/connectors":
            document = [{"lock": lock} for lock in self.locks]
        return response(json.dumps(document).encode() if self.body is None else self.body)


def settings(url: str = "http://x", **keys: Any) -> ServicePortSettings:
    table = {"link": url, "failures": {"lock-blocked": LOCK, "local-list-failure": LIST}} | keys
    return toml.parse(ServicePortSettings, table, "bench.toml: [[device]] 'service'")


def make(url: str, **keys: Any) -> ServicePort:
    made = DRIVER.make(settings(url, **keys), context("service"))
    assert isinstance(made, ServicePort)
    return made


@asynccontextmanager
async def opened(panel: Panel, **keys: Any) -> AsyncIterator[ServicePort]:
    async with http(panel.answer) as url, make(url, **keys) as driver:
        panel.seen.clear()
        yield driver


async def test_what_the_station_is_told() -> None:
    panel = Panel()
    async with opened(panel, connectors=[1, 2]) as service:
        await service.provoke(Failure.LOCK_BLOCKED, 2)
        assert panel.locks == ["", "free", "stuck"]
        await service.relieve(Failure.LOCK_BLOCKED, 2)
        await service.provoke(Failure.LOCAL_LIST_FAILURE, 0)
        assert panel.broken
        assert panel.seen == [
            'POST /connectors/2/faults {"id": 2}',
            "GET /connectors",
            "DELETE /connectors/2/faults",
            "GET /connectors",
            "PUT /list/break?now=1",
            "GET /list",
        ]
        panel.seen.clear()
    assert panel.seen == [
        "DELETE /connectors/1/faults",
        "GET /connectors",
        "DELETE /connectors/2/faults",
        "GET /connectors",
        'POST /list/mend "list of 1"',
        "GET /list",
        'POST /list/mend "list of 2"',
        "GET /list",
    ]


async def test_a_failure_of_the_whole_station_is_relieved_once() -> None:
    panel = Panel()
    whole = LIST | {"relieve": {"path": "/list/mend"}}
    async with opened(panel, connectors=[1, 2], failures={"local-list-failure": whole}) as service:
        await service.make_safe()
    assert panel.seen[:2] == ["POST /list/mend", "GET /list"]
    assert len(panel.seen) == 4


async def test_a_failure_that_nobody_wrote_down_is_not_verifiable() -> None:
    async with opened(Panel(), failures={"lock-blocked": LOCK}) as service:
        with pytest.raises(
            Unverifiable,
            match=r"service: bench.toml has no \[device.failures.local-list-failure\]",
        ):
            await service.provoke(Failure.LOCAL_LIST_FAILURE, 0)


async def test_a_station_that_does_not_follow_is_a_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service_port, "_WITHIN", 0.05)
    panel = Panel()
    async with opened(panel) as service:
        panel.stuck = True
        with pytest.raises(
            DeviceTimeout,
            match=r"service: lock-blocked at connector 1 reads 'free', provoked, after 0\.05 s",
        ):
            await service.provoke(Failure.LOCK_BLOCKED, 1)


async def test_keys_and_passwords() -> None:
    panel = Panel()
    async with opened(panel, user="lab", password="secret", token="7") as service:
        await service.identify()
    assert panel.headers["x-api-key"] == "7"
    assert panel.headers["authorization"] == "Basic " + base64.b64encode(b"lab:secret").decode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>", "expected JSON, got '<html>'"),
        (b"{}", "GET /connectors has nothing at '/1/lock'"),
        (b"[{}]", "GET /connectors has nothing at '/1/lock'"),
    ],
)
async def test_an_answer_of_something_else_is_refused(body: bytes, text: str) -> None:
    panel = Panel()
    panel.body = body
    async with http(panel.answer) as url:
        with pytest.raises(DeviceError, match=r"^service \(http:.*\): ") as caught:
            await make(url).__aenter__()
    assert text in str(caught.value)


async def test_a_refused_request_is_named() -> None:
    panel = Panel()
    async with opened(panel) as service:
        panel.status = "404 Not Found"
        with pytest.raises(DeviceError, match=r"service .*POST /connectors/1/faults: answered 404"):
            await service.provoke(Failure.LOCK_BLOCKED, 1)
        panel.status = "200 OK"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"failures": {}}, "'failures' is empty, expected lock-blocked or local-list-failure"),
        ({"failures": {"lock": LOCK}}, "'failures' has 'lock', expected lock-blocked or"),
        ({"connectors": [0]}, r"'connectors' is \[0\], expected numbers from 1"),
        (
            {"failures": {"lock-blocked": LOCK | {"provoke": {"path": "faults"}}}},
            "'failures'.lock-blocked, key 'provoke': 'path' is 'faults', expected it to begin",
        ),
        (
            {"failures": {"lock-blocked": {"provoke": {"path": "/"}}}},
            "'failures'.lock-blocked: key 'relieve' is missing",
        ),
        (
            {"failures": {"lock-blocked": LOCK | {"relieve": {"path": "/", "json": "{on: 1}"}}}},
            r"key 'relieve': 'json' is '\{on: 1\}', no JSON: ",
        ),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        settings(**keys)


def test_it_is_read_from_a_bench_file(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(
        '[bench]\nname = "B"\n[[device]]\nname = "service"\ndriver = "service-port"\n'
        'link = "http://x"\n[device.failures.lock-blocked]\n'
        'provoke = { path = "/on" }\nrelieve = { path = "/off" }\n'
        'state = { path = "/", pointer = "/on" }\n',
        "utf-8",
    )
    (device,) = load_bench(path).devices
    assert device.settings.failures["lock-blocked"].of_the_station
