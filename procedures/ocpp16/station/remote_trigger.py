"""Remote trigger (Certification Document 2, Appendix C no. 87 and 88)."""

from __future__ import annotations

import math
from typing import Any

from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import CallPattern, error, result
from bench.ocpp.message import Received
from bench.ocpp.predicate import any_of, containing, numeral
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import states

TRIGGERED = containing({"sampledValue": containing({"context": "Trigger"})})
"""Meter values that were sampled because the CSMS asked for them (clause 7.35)."""


@procedure(
    "TC_054_CS",
    title="Trigger message",
    mark="M",
    refs=["Certification Document 2, App. C no. 87", "OCPP 1.6 ed. 2 clause 5.17"],
    applies=pics("FP.RT"),
)
async def triggered_messages_follow_their_answers(case: Case, station: Station) -> None:
    """The station sends the message that it is asked for, after it has answered the request.

    A station without firmware management may say that it does not implement that message.
    """
    connector = case.pixit.connector
    here = {"connectorId": connector}
    async with case.preamble():
        await _heartbeats_seldom(case, station)
    await _triggered(case, station, v16.MeterValues(**here, meterValue=TRIGGERED), **here)
    await _triggered(case, station, v16.Heartbeat())
    await _triggered(case, station, v16.StatusNotification(**here), **here)
    await _triggered(case, station, v16.DiagnosticsStatusNotification(status="Idle"))
    idle = v16.FirmwareStatusNotification(status="Idle")
    async with case.step("Trigger FirmwareStatusNotification"):
        answer = await _asked(station, idle, status=any_of("Accepted", "NotImplemented"))
        if answer["status"] == "Accepted":
            await station.expect(idle, after=answer)


@procedure(
    "TC_055_CS",
    title="Trigger message – rejected",
    mark="M",
    refs=["Certification Document 2, App. C no. 88", "OCPP 1.6 ed. 2 clause 5.17"],
    applies=pics("FP.RT"),
    waits=lambda timing: timing.settling,
)
async def unknown_connector_triggers_nothing(case: Case, station: Station) -> None:
    """The station refuses to send a message about a connector that it does not have."""
    unknown = case.pixit.connectors + 1
    async with case.step(f"Trigger MeterValues of connector {unknown}, which does not exist"):
        request = v16.TriggerMessage(requestedMessage="MeterValues", connectorId=unknown)
        await station.call(request, result(status="Rejected") | error())
        await station.expect_none(v16.MeterValues(), during=case.pixit.settling_time)


async def _heartbeats_seldom(case: Case, station: Station) -> None:
    """Have the station's own Heartbeats come so seldom that none passes for a triggered one."""
    key, seldom = "HeartbeatInterval", 4 * math.ceil(case.pixit.timing.triggered)
    async with case.step(f"Set {key} to {seldom}, if the station takes it"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        before = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", before, numeral(0, None))
        request = v16.ChangeConfiguration(key=key, value=str(seldom))
        case.afterwards(states.written, station, key, str(before.value))
        if (await station.call(request))["status"] != "Accepted":
            case.note(f"{key} stays {before}: a Heartbeat may come that was not triggered")


async def _triggered(case: Case, station: Station, message: CallPattern, **fields: Any) -> None:
    async with case.step(f"Trigger {message.action}"):
        answer = await _asked(station, message, status="Accepted", **fields)
        await station.expect(message, after=answer)


async def _asked(station: Station, message: CallPattern, *, status: Any, **fields: Any) -> Received:
    request = v16.TriggerMessage(requestedMessage=message.action, **fields)
    return await station.call(request, result(status=status))
