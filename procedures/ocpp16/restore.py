"""000_RESET: bring a charging station to the basic state, from whatever state it is in."""

from __future__ import annotations

import asyncio
from types import MappingProxyType

from bench.capability import VehicleCoupler
from bench.case import Case
from bench.errors import CheckFailed
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import call_other_than, result
from bench.ocpp.message import Received
from bench.ocpp.predicate import ABSENT, any_of
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import memory, reservations, states

BASIC_VALUES = MappingProxyType(
    {
        "MeterValueSampleInterval": "0",
        "ClockAlignedDataInterval": "0",
        "LocalPreAuthorize": "false",
    }
)
"""Keys that would make a station chat or decide by itself, with their values in the basic state."""

CACHE, LIST = "AuthorizationCacheEnabled", "LocalAuthListEnabled"
PROFILES = "MaxChargingProfilesInstalled"

PLUGGED = ("Charging", "SuspendedEV", "SuspendedEVSE", "Preparing", "Finishing")
NOT_IN_USE = ("Available", "Reserved", "Unavailable", "Faulted")


@procedure(
    "000_RESET",
    title="Restore the basic state",
    mark="-",
    refs=["Certification Document 2 clause 7.2.2"],
    waits=lambda timing: timing.quiet,
)
async def basic_state_is_restored(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler
) -> None:
    """The station can be brought to the basic state from which every case begins.

    It is connected and accepted, runs no transaction, all its connectors are in service and
    Available, it samples no meter values, its other keys are as they were before the cases, and
    its cache, local list and charging profiles are empty. A station that is in this state already
    is asked, but nothing is changed.
    """
    restless = await registered(case, station, csms)
    restless |= await transactions_stopped(case, station, csms)
    restless |= await reservations_cancelled(case, station, csms)
    clear = await cable_out(case, station, csms, coupler)
    clear &= await statuses_known(case, station, csms)
    if not clear:
        await restarted(case, station)
    await connectors_available(case, station, csms)
    await keys_restored(case, station, csms)
    await configuration_basic(case, station)
    if restless or not clear:
        await silent(case, station)


async def registered(case: Case, station: Station, csms: Csms) -> bool:
    """Wait until the station is connected and accepted; tell whether it was not."""
    boot = case.pixit.timing.boot
    async with case.step("The station is connected and accepted"):
        was_away = not station.is_connected
        await station.connects(within=boot)
        if csms.book.boot_status == "Accepted":
            return was_away
        await station.expect(v16.BootNotification(), within=boot)
        return True


async def transactions_stopped(case: Case, station: Station, csms: Csms) -> bool:
    """Stop every transaction that the bench knows of (000_STOPTX); tell whether there was one.

    A transaction that the station does not know is struck off the bench's book.
    """
    running = tuple(csms.book.open.values())
    for transaction in running:
        number = transaction.transaction_id
        async with case.step(f"Stop transaction {number}"):
            request = v16.RemoteStopTransaction(transactionId=number)
            answer = await station.call(request, result(status=any_of("Accepted", "Rejected")))
            stop = v16.StopTransaction(transactionId=number)
            if answer["status"] == "Accepted":
                await station.expect(stop)
            elif not await station.may_come(stop, within=case.pixit.timing.quiet):
                csms.book.open.pop(number, None)
                case.note(f"the station has no transaction {number}")
    return bool(running)


async def reservations_cancelled(case: Case, station: Station, csms: Csms) -> bool:
    """Cancel every reservation that the bench knows of; tell whether there was one."""
    known = tuple(sorted(csms.book.reservations))
    if known:
        async with case.step("No connector is reserved"):
            for number in known:
                await reservations.cancelled(station, csms, number)
    return bool(known)


async def cable_out(case: Case, station: Station, csms: Csms, coupler: VehicleCoupler) -> bool:
    """Take the cable out; tell whether that leaves no connector in use."""
    connector = case.pixit.connector
    async with case.step("The cable is out, no connector is in use"):
        statuses = dict(csms.book.statuses)
        if statuses.get(connector) in PLUGGED or await coupler.is_plugged_in(connector):
            await coupler.unplug(connector)
        for one in (c for c in statuses if statuses[c] in PLUGGED):
            # One that is ready for somebody waits for as long as ConnectionTimeOut says.
            left = v16.StatusNotification(connectorId=one, status=any_of(*NOT_IN_USE))
            if not await station.may_come(left, within=case.pixit.timing.triggered):
                case.note(f"connector {one} is in use, and the bench does not know by whom")
                return False
    return True


async def statuses_known(case: Case, station: Station, csms: Csms) -> bool:
    """Have every connector report its status; false when the station can't be asked for it."""

    def unreported() -> list[int]:
        return [c for c in range(1, case.pixit.connectors + 1) if c not in csms.book.statuses]

    if not unreported():
        return True
    async with case.step("Every connector reports its status"):
        for one in unreported():
            # A station that has just booted is about to report by itself.
            status = v16.StatusNotification(connectorId=one)
            if await station.may_come(status, within=case.pixit.timing.quiet):
                continue
            if not case.pics.get("FP.RT"):
                return False
            trigger = v16.TriggerMessage(requestedMessage="StatusNotification", connectorId=one)
            await station.call(trigger, result(status="Accepted"))
            await station.expect(status)
    return True


async def restarted(case: Case, station: Station) -> None:
    """Reset a station whose state can't be known otherwise."""
    async with case.step("Reset the station: it reports the status of its connectors"):
        await station.call(v16.Reset(type="Hard"), result(status="Accepted"))
        boot = await station.expect(v16.BootNotification(), within=case.pixit.timing.boot)
        for connector in range(1, case.pixit.connectors + 1):
            await station.expect(v16.StatusNotification(connectorId=connector), after=boot)


async def connectors_available(case: Case, station: Station, csms: Csms) -> None:
    """Put every connector into service."""
    async with case.step("Every connector is in service and Available"):
        statuses = dict(csms.book.statuses)
        unavailable = [c for c in statuses if c > 0 and statuses[c] == "Unavailable"]
        for connector in (0, *unavailable):
            request = v16.ChangeAvailability(connectorId=connector, type="Operative")
            await station.call(request, result(status=any_of("Accepted", "Scheduled")))
        for connector in (c for c in statuses if statuses[c] != "Available"):
            available = v16.StatusNotification(connectorId=connector, status="Available")
            await station.expect(available)


async def keys_restored(case: Case, station: Station, csms: Csms) -> None:
    """Give the keys that a case left changed the values that they had before."""
    left = {k: v for k, v in csms.book.changed_keys.items() if k not in (*BASIC_VALUES, LIST)}
    if not left:
        return
    needs_reboot = False
    async with case.step("The keys that were left changed have their old values"):
        for key, value in left.items():
            request = v16.ChangeConfiguration(key=key, value=value)
            wanted = result(status=any_of("Accepted", "RebootRequired"))
            answer = await station.call(request, wanted)
            needs_reboot |= answer["status"] == "RebootRequired"
    if needs_reboot:
        await restarted(case, station)


async def configuration_basic(case: Case, station: Station) -> None:
    """Give the keys their basic values and empty what the station remembers."""
    async with case.step("The configuration is basic, memories are empty"):
        keys = [*BASIC_VALUES, CACHE, LIST, PROFILES]
        answer = await station.call(v16.GetConfiguration(key=keys))
        for key, basic in BASIC_VALUES.items():
            if _value(answer, key) not in (None, basic):
                await states.written(station, key, basic)
        if _value(answer, CACHE) == "true":
            await station.call(v16.ClearCache(), result(status="Accepted"))
        if _value(answer, LIST) is not None and case.pics.get("FP.LAL") is not False:
            if _value(answer, LIST) != "true":
                await states.written(station, LIST, "true")
            await memory.list_emptied(station)
        if _value(answer, PROFILES) is not None and case.pics.get("FP.SC") is not False:
            cleared = result(status=any_of("Accepted", "Unknown"))
            await station.call(v16.ClearChargingProfile(), cleared)


def _value(answer: Received, key: str) -> str | None:
    value = answer.field(f"configurationKey[key={key}].value").value
    return None if value is ABSENT else str(value).lower()


async def silent(case: Case, station: Station) -> None:
    """Let the station deliver what it has queued, until it has nothing more to say."""
    timing = case.pixit.timing
    async with case.step(f"The station is silent for {timing.quiet:g} s"):
        try:
            async with asyncio.timeout(timing.triggered):
                while await station.may_come(call_other_than("Heartbeat"), within=timing.quiet):
                    pass
        except TimeoutError:
            text = f"the station did not fall silent for {timing.quiet:g} s"
            raise CheckFailed(f"{text} within {timing.triggered:g} s") from None
