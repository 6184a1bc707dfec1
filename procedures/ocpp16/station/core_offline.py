"""Core: offline behaviour (Certification Document 2, Appendix C no. 48 to 53)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bench.capability import Cut, NetworkPath, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.dut import Timing
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import Pattern
from bench.ocpp.message import Observed, Received, elapsed, interval
from bench.ocpp.predicate import absent, any_of, between, compare, containing
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states

PERIODIC = {"sampledValue": containing({"context": any_of("Sample.Periodic", absent)})}
"""A meter value that was sampled at the interval; a sample without context is (clause 7.43)."""


def dwell(timing: Timing) -> float:
    """Return how long the path stays cut in s, so that at least three samples are queued."""
    return max(timing.offline, 3 * timing.meter_interval + timing.deviation)


@procedure(
    "TC_036_CS",
    title="Connection loss during transaction",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 48",
        "OCPP 1.6 ed. 2 clauses 3.7, 3.16",
        "OCPP-J 1.6 clause 5.4",
    ],
    waits=lambda timing: dwell(timing) + 2 * timing.meter_interval,
)
async def samples_taken_offline_are_delivered_in_order(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    network: NetworkPath,
) -> None:
    """The meter values of a transaction that goes on without connection are delivered later.

    None is missing, they carry the time when they were taken, and they come in that order, before
    those that are taken after the connection is back.
    """
    timing = case.pixit.timing
    every = timing.meter_interval

    async with case.preamble():
        await states.configured(case, station, "MeterValueSampleInterval", every)
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)

    connector = case.pixit.connector
    samples = v16.MeterValues(
        connectorId=connector,
        transactionId=transaction_id,
        meterValue=containing(PERIODIC),
    )

    async with case.step("After a sample, the network path is cut"):
        await station.expect(samples, within=every + timing.triggered)
        case.afterwards(network.restore)
        await network.cut(Cut.RESET)
        online = station.messages(samples)

    async with case.step(f"The path stays cut for {dwell(timing):g} s"):
        stray = await station.may_come(samples, within=dwell(timing))
        if stray is not None:
            raise Unverifiable(f"MeterValues came although the path is cut (record {stray.n})")

    async with case.step("The path is mended: all samples come in order, then new ones"):
        await network.restore()
        delivered = await _delivered(station, samples, online[-1], timing)
        taken = [moment for message in (*online, *delivered) for moment in _moments(message)]
        for earlier, later in pairwise(taken):
            case.check(
                "MeterValues timestamp, seconds after the one before",
                elapsed(earlier, later),
                between(every - timing.deviation, every + timing.deviation),
            )
        for boot in station.messages(v16.BootNotification()):
            text = f"BootNotification (record {boot.n}) though only the connection was lost"
            case.note(f"{text}: OCPP-J 1.6 clause 5.4 advises against it")


async def _delivered(
    station: Station, samples: Pattern, last: Received, timing: Timing
) -> list[Received]:
    """Take samples as they come, until one that was taken after the connection was back.

    `last` is the last one of before: its answer can have been lost, then it comes once more.
    """
    delivered: list[Received] = []
    first = await station.expect(samples, within=timing.reconnect)
    while_away = between(None, interval(last, first).value)
    start, message = next(_moments(last)), first
    while True:
        if message is not first or message.payload != last.payload:
            delivered.append(message)
        if not all(while_away.accepts(elapsed(start, taken).value) for taken in _moments(message)):
            return delivered
        message = await station.expect(samples, within=timing.meter_interval + timing.triggered)


def _moments(message: Received) -> Iterator[Observed]:
    """Observe when the periodic samples of a MeterValues message were taken."""
    for index, value in enumerate(message["meterValue"]):
        if not compare(PERIODIC, value, ""):
            yield message.field(f"meterValue[{index}].timestamp")
