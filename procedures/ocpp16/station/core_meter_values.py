"""Core: meter values (Certification Document 2, Appendix C no. 32 and 33)."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.clock import from_iso
from bench.errors import CheckFailed
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import Pattern
from bench.ocpp.message import Observed, elapsed, interval
from bench.ocpp.predicate import any_of, between, containing
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states
from procedures.ocpp16.samples import (
    CLOCK,
    PERIODIC,
    check_samples,
    measurands,
    moments,
    taken,
)

SAMPLES = 3
"""How many intervals are watched."""


@procedure(
    "TC_070_CS",
    title="Sampled meter values",
    mark="M",
    refs=["Certification Document 2, App. C no. 32", "OCPP 1.6 ed. 2 clauses 3.16.1, 4.7, 9.1.17"],
    waits=lambda timing: SAMPLES * timing.meter_interval,
)
async def meter_values_are_sampled_at_the_interval(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A transaction is sampled at the interval that is set, counted from its start.

    Each sample belongs to the transaction and holds every measurand that is configured.
    """
    connector, timing = case.pixit.connector, case.pixit.timing
    async with case.preamble():
        await states.configured(case, station, "ClockAlignedDataInterval", 0)
        await states.configured(case, station, "MeterValueSampleInterval", timing.meter_interval)
        names = await _configured_measurands(station, case, "MeterValuesSampledData")
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)
        start, *_ = station.messages(v16.StartTransaction(connectorId=connector))
        charging = v16.StatusNotification(connectorId=connector, status="Charging")
        first, *_ = station.messages(charging)

    wanted = v16.MeterValues(
        connectorId=connector,
        transactionId=transaction_id,
        meterValue=containing(taken(PERIODIC)),
    )
    async with case.step(f"{SAMPLES} intervals of {timing.meter_interval} s pass"):
        every = timing.meter_interval
        stamps = await _watched(case, station, wanted, PERIODIC, names, every=every)
        # Some count from where the energy flows, and some take a sample at the very beginning.
        most = every + max(0.0, interval(start, first).value) + timing.deviation
        case.check(
            "MeterValues timestamp, seconds after that of StartTransaction",
            elapsed(start.field("timestamp"), stamps[0]),
            any_of(
                between(-timing.deviation, timing.deviation),
                between(every - timing.deviation, most),
            ),
        )


@procedure(
    "TC_071_CS",
    title="Clock-aligned meter values",
    mark="M",
    refs=["Certification Document 2, App. C no. 33", "OCPP 1.6 ed. 2 clauses 3.16.2, 4.7, 9.1.5"],
    waits=lambda timing: SAMPLES * timing.aligned_interval,
)
async def meter_values_are_aligned_to_the_clock(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """Meter values are taken whenever the clock shows a multiple of the interval since midnight.

    They say that the clock was why they were taken, and hold every measurand that is configured.
    """
    connector, timing = case.pixit.connector, case.pixit.timing
    every, deviation = timing.aligned_interval, timing.deviation
    async with case.preamble():
        await states.configured(case, station, "MeterValueSampleInterval", 0)
        await states.configured(case, station, "ClockAlignedDataInterval", every)
        names = await _configured_measurands(station, case, "MeterValuesAlignedData")
        await states.charging(case, station, csms, coupler, vehicle)

    wanted = v16.MeterValues(connectorId=connector, meterValue=containing(taken(CLOCK)))
    async with case.step(f"{SAMPLES} intervals of {every} s pass"):
        for stamp in await _watched(case, station, wanted, CLOCK, names, every=every):
            case.check(
                f"MeterValues timestamp, seconds after the nearest multiple of {every} s",
                elapsed(_nearest(stamp, every), stamp),
                between(-deviation, deviation),
            )


async def _configured_measurands(station: Station, case: Case, key: str) -> list[str]:
    async with case.step(f"Read {key}"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        name = answer.field(f"configurationKey[key={key}].key")
        case.check(f"GetConfiguration answer, key {key}", name, key)
        return measurands(answer.field(f"configurationKey[key={key}].value").value)


async def _watched(
    case: Case,
    station: Station,
    wanted: Pattern,
    context: Any,
    names: list[str],
    *,
    every: int,
) -> list[Observed]:
    """Take the messages of so many intervals and check them; returns when they were sampled."""
    timing = case.pixit.timing
    stamps: list[Observed] = []
    while len(stamps) < SAMPLES:
        message = await station.expect(wanted, within=every + timing.triggered)
        check_samples(case, message, context, names)
        stamps += moments(message, context)
    for earlier, later in pairwise(stamps):
        case.check(
            "MeterValues timestamp, seconds after the one before",
            elapsed(earlier, later),
            between(every - timing.deviation, every + timing.deviation),
        )
    return stamps


def _nearest(stamp: Observed, every: int) -> Observed:
    """Give the moment nearest to a time stamp that is a multiple of `every` s since midnight."""
    try:
        moment = from_iso(stamp.value)
    except (TypeError, ValueError) as error:
        raise CheckFailed(f"MeterValues timestamp {stamp}: {error}") from error
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (moment - midnight).total_seconds()
    nearest = (midnight + timedelta(seconds=round(since / every) * every)).isoformat()
    return Observed(nearest, {"kind": "given", "value": nearest})
