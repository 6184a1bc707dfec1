"""What every network path promises: broken and mended as often as told, mended when safe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import toml
from bench.capability import Cut, NetworkPath
from bench.errors import DeviceError, Unverifiable
from drivers import linux_path, tcp_relay
from drivers.traffic import Traffic
from tests.contract.rigs import DEADLINE, NO_TWIN, ROWS, Row, driver_of, loaded, rig_of
from tests.wire.namespaces import machines
from tests.wire.responders import context

RELAY, KERNEL = "tcp-relay", "linux-path"
MACHINES = {row.name: row for row in ROWS if NetworkPath in driver_of(row).offers}
PATHS = pytest.mark.parametrize("name", [RELAY, KERNEL, *MACHINES])


@asynccontextmanager
async def relay() -> AsyncIterator[Any]:
    """The relay, before an engine that never answers."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    more = {"ocpp_listen": "127.0.0.1:0", "ocpp_upstream": lambda: f"{host}:{port}"}
    try:
        yield tcp_relay.DRIVER.make(tcp_relay.TcpRelaySettings(), context("dev", **more))
    finally:
        server.close()


@asynccontextmanager
async def kernel() -> AsyncIterator[Any]:
    """The path through a namespace that is a bench of its own."""
    async with machines() as where:
        table = {"interface": "dut0", "uplink": "net0", "command": where.helper}
        settings = toml.parse(linux_path.LinuxPathSettings, table, "bench.toml: [[device]] 'dev'")
        yield linux_path.DRIVER.make(settings, context("dev"))


@pytest.fixture
async def path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    async with asyncio.timeout(4 * DEADLINE):
        if name in (RELAY, KERNEL):
            async with relay() if name == RELAY else kernel() as device:
                yield device
        else:
            async with rig_of(MACHINES[name], tmp_path, monkeypatch) as rig:
                yield rig.device


def test_what_has_no_twin_is_here() -> None:
    paths = {path for path in NO_TWIN if NetworkPath in loaded(path).offers}
    assert paths == {"drivers.tcp_relay:DRIVER", "drivers.linux_path:DRIVER"}


@PATHS
@pytest.mark.parametrize("how", list(Cut))
async def test_it_breaks_and_mends_as_often_as_told(path: Any, how: Cut) -> None:
    async with path:
        assert not await path.is_cut()
        try:
            await path.cut(how)
        except Unverifiable:
            assert not await path.is_cut(), "what it can not do, it does not do by half"
            return
        await path.cut(how)
        assert await path.is_cut()
        await path.restore()
        await path.restore()
        assert not await path.is_cut()


@PATHS
async def test_it_is_mended_when_it_is_safe_and_when_it_is_left(path: Any) -> None:
    async with path:
        await path.cut()
        await path.make_safe()
        assert not await path.is_cut()
        await path.cut()
    async with path:
        assert not await path.is_cut()


@PATHS
async def test_a_delay_is_set_or_refused(path: Any) -> None:
    async with path:
        await path.delay(0.0)
        try:
            await path.delay(0.01)
        except Unverifiable:
            return
        except DeviceError as error:
            if "kind is unknown" not in str(error):  # a kernel without netem
                raise
            return
        await path.delay(0.0)
        with pytest.raises(ValueError, match="expected 0 to 60"):
            await path.delay(61.0)


@PATHS
async def test_a_limit_is_set_or_refused(path: Any) -> None:
    async with path:
        await path.limit(None)
        try:
            await path.limit(5000.0)
        except Unverifiable:
            return
        await path.limit(None)
        for wrong in (0.0, 0.5, float("inf"), float("nan")):
            with pytest.raises(ValueError, match="expected 1 or more, or None"):
                await path.limit(wrong)


@pytest.mark.parametrize("row", MACHINES.values(), ids=lambda row: row.name)
async def test_a_port_that_does_not_follow_is_an_error_that_names_the_device(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig_of(row, tmp_path, monkeypatch) as rig, rig.opened() as device:
        assert row.jam is not None
        row.jam(rig.twin.device)
        with pytest.raises(DeviceError, match=r"^dev\b.*commanded"):
            await device.cut()


async def test_the_relays_self_test_sees_that_it_does_not_carry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp_relay, "_UPSTREAM_WITHIN", 0.1)
    async with relay() as device, device:
        assert "carries again" in await device.self_test()

        async def swallow(
            traffic: Traffic, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool
        ) -> None:
            await source.read()

        monkeypatch.setattr(Traffic, "carry", swallow)
        with pytest.raises(DeviceError, match=r"^dev: the open path to 127.* does not carry"):
            await device.self_test()
        monkeypatch.undo()
        assert "carries again" in await device.self_test()
