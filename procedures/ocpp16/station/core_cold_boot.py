"""Core: cold boot (Certification Document 2, Appendix C no. 1 and 2)."""

from __future__ import annotations

from bench.capability import PowerSwitch
from bench.case import Case
from bench.dut import Timing
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import call_other_than, result
from bench.ocpp.message import Received, interval
from bench.ocpp.predicate import between, containing, present
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states
from procedures.ocpp16.configuration_keys import number

TIMER = 0.1
"""How much earlier than it was told a good timer may fire, in s."""


def _waits(timing: Timing) -> float:
    return timing.off + timing.retry_interval + 2 * timing.heartbeat_interval


@procedure(
    "TC_001_CS",
    title="Cold boot",
    mark="M",
    refs=["Certification Document 2, App. C no. 1", "OCPP 1.6 ed. 2 clauses 4.2, 4.6, 4.9"],
    waits=_waits,
)
async def rejected_station_keeps_silent_and_asks_again(
    case: Case, station: Station, csms: Csms, power: PowerSwitch
) -> None:
    """A station that is rejected at its boot is silent until it may ask again.

    Once accepted it reports all its connectors, and sends heartbeats at the interval it was told.
    """
    retry = case.pixit.timing.retry_interval
    csms.answers(v16.BootNotification, times=1, status="Rejected", interval=retry)

    async with case.step(f"Cycle the supply: rejected, the station tries again after {retry} s"):
        await power.cycle(off_for=case.pixit.timing.off)
        rejected = await _announcement(case, station)
        accepted = await _next_announcement(case, station, rejected)
        await states.every_status(case, station, after=accepted, errorCode="NoError")

    await _heartbeats(case, station)


@procedure(
    "TC_002_CS",
    title="Cold boot – Pending",
    mark="M",
    refs=["Certification Document 2, App. C no. 2", "OCPP 1.6 ed. 2 clauses 4.2, 5.3, 5.8"],
    waits=_waits,
)
async def pending_station_can_be_configured(
    case: Case, station: Station, csms: Csms, power: PowerSwitch
) -> None:
    """A station whose registration is pending answers the CSMS and stores what it configures.

    It sends nothing of its own until it may ask again. Once accepted it reports all its
    connectors, and sends heartbeats at the interval it was told.
    """
    key, value = "MeterValueSampleInterval", case.pixit.timing.meter_interval
    retry = case.pixit.timing.retry_interval

    async with case.preamble():
        await states.configured(case, station, key, 0)

    csms.answers(v16.BootNotification, times=1, status="Pending", interval=retry)

    async with case.step(f"Cycle the supply: pending for {retry} s, the station can be configured"):
        await power.cycle(off_for=case.pixit.timing.off)
        pending = await _announcement(case, station)
        keys = result(configurationKey=containing({"key": present}))
        await station.call(v16.GetConfiguration(), keys)
        await states.written(station, key, value)
        accepted = await _next_announcement(case, station, pending)
        await states.every_status(case, station, after=accepted)

    async with case.step("What was configured is still in effect"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        read = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", read, number(value))

    await _heartbeats(case, station)


async def _announcement(case: Case, station: Station) -> Received:
    who = v16.BootNotification(chargePointVendor=present, chargePointModel=present)
    return await station.expect(who, within=case.pixit.timing.boot)


async def _next_announcement(case: Case, station: Station, last: Received) -> Received:
    timing = case.pixit.timing
    with station.forbid(call_other_than("BootNotification")):
        late = timing.retry_interval + timing.triggered
        message = await station.expect(v16.BootNotification(), within=late)
    case.check(
        "BootNotification, seconds after the one before",
        interval(last, message),
        between(timing.retry_interval - TIMER, None),
    )
    return message


async def _heartbeats(case: Case, station: Station) -> None:
    timing = case.pixit.timing
    every = timing.heartbeat_interval
    async with case.step(f"A Heartbeat comes every {every} s"):
        first = await station.expect(v16.Heartbeat(), within=every + timing.triggered)
        second = await station.expect(v16.Heartbeat(), within=every + timing.triggered)
        latest = every
        if any(first.n < m.n < second.n for m in station.messages(call_other_than("Heartbeat"))):
            # Clause 4.6: what it has sent in the meantime may stand in for one Heartbeat.
            latest = 2 * every
        case.check(
            "Heartbeat, seconds after the one before",
            interval(first, second),
            between(every - timing.deviation, latest + timing.deviation),
        )
