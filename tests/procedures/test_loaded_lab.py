"""A load in the simulated lab: real drivers and twins, and a station that has a transaction."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.capability import Load, PowerMeter, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.events import Interlocked
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.plan import Plan, load_suites
from bench.procedure import procedure
from procedures.ocpp16 import states
from tests.engine.meanwhile import check_sound, happened
from tests.procedures.simulated import simulated

(SUITE,) = load_suites()


@procedure("TC_901_CS", title="A load draws in a transaction", mark="O", refs=["none"])
async def a_load_draws(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    load: Load,
    meter: PowerMeter,
) -> None:
    """A load draws what the station offers, and is off before the transaction ends."""
    async with case.preamble():
        transaction = await states.charging(case, station, csms, coupler, vehicle)
    async with case.step("Draw"):
        async with asyncio.timeout(3.0):  # the contactor moves when the coil has its current
            while (await load.read()).voltage.value == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await load.draw(current=10)
        case.check("The load draws in A", (await load.read()).current.value, 10.0)
        await asyncio.sleep(1.0)  # the meter takes a reading each second
        case.check("The meter sees it in A", (await meter.read()).current[0].value, 10.0)
    async with case.step("Stop remotely"):
        stop = v16.RemoteStopTransaction(transactionId=transaction)
        await station.call(stop, result(status="Accepted"))
        await station.expect(v16.StopTransaction(transactionId=transaction))
        await coupler.unplug(1)
        case.check("The load is off", await load.is_drawing(), False)


async def test_a_load_draws_in_a_transaction_and_is_off_when_it_ends(tmp_path: Path) -> None:
    async with simulated(tmp_path) as bench:
        twin = bench.lab.twins["load"].device
        plan = Plan(SUITE, (a_load_draws,), ())
        run = await bench.session.run(plan, tmp_path / "run1")
        (ended,) = bench.ended().values()
        assert ended.verdict == "pass", ended.reason
        (off,) = happened(bench, Interlocked)
        assert (off.device, off.did) == ("load", "switched off")
        assert not twin.on
        check_sound(run)
