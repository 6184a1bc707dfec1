"""Messages of any shape: what breaks its schema fails a case, and never its procedure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.ocpp.frame import CallError
from tests.procedures.scripted.rig import Rig, rig
from tests.procedures.scripted.station import Payload
from tests.procedures.scripted.test_cases import follow_virtual_time

Spoil = Callable[[Payload], Payload]


def sends(bench: Rig, action: str, spoil: Spoil) -> None:
    """Let the station send one kind of CALL otherwise."""
    call = bench.station.call

    what = action

    async def spoilt(action: str, **payload: Any) -> Payload:
        return await call(action, **(spoil(payload) if action == what else payload))

    bench.station.call = spoilt  # type: ignore[method-assign]


def with_odd_keys(payload: Payload) -> Payload:
    odd = [[], "x", {"key": 5, "value": {}}, {"readonly": 1}]
    return payload | {"configurationKey": [*payload["configurationKey"], *odd]}


def with_odd_samples(payload: Payload) -> Payload:
    first, *rest = payload["meterValue"]
    first = first | {"sampledValue": [*first["sampledValue"], "x", {"measurand": []}, []]}
    return payload | {"meterValue": [first, 7, *rest]}


@pytest.mark.parametrize(
    "spoil", [with_odd_keys, lambda payload: payload | {"configurationKey": 7}]
)
async def test_keys_of_any_shape_are_listed_and_fail(spoil: Spoil) -> None:
    async with rig() as bench:
        read = bench.station.answers["GetConfiguration"]

        def spoilt(payload: Payload) -> Payload | CallError:
            answer = read(payload)
            if isinstance(answer, CallError) or payload.get("key"):
                return answer
            return spoil(answer)

        bench.station.answers["GetConfiguration"] = spoilt
        ended = await bench.run("TC_019_CS")
        assert (ended.verdict, ended.traceback) == ("fail", None)


@pytest.mark.parametrize("case", ["TC_070_CS", "TC_036_CS"])
async def test_samples_of_any_shape_fail(case: str) -> None:
    async with rig() as bench:
        follow_virtual_time(bench)
        sends(bench, "MeterValues", with_odd_samples)
        ended = await bench.run(case)
        assert (ended.verdict, ended.traceback) == ("fail", None)


async def test_a_register_that_is_a_text_fails() -> None:
    async with rig() as bench:
        start: Spoil = lambda payload: payload | {"meterStart": str(payload["meterStart"])}  # noqa: E731
        sends(bench, "StartTransaction", start)
        ended = await bench.run("TC_039_CS")
        assert (ended.verdict, ended.traceback) == ("fail", None)
        assert "StartTransaction" in (ended.reason or "")
