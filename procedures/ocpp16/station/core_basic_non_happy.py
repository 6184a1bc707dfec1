"""Core: basic actions, non-happy (Certification Document 2, Appendix C no. 34 to 38, 59, 62)."""

from __future__ import annotations

from bench.capability import CardPresenter, Provocation, VehicleCoupler
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import error, result
from bench.ocpp.predicate import any_of
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import memory, states


@procedure(
    "TC_023_CS",
    title="Authorize invalid",
    mark="M",
    refs=["Certification Document 2, App. C no. 34", "OCPP 1.6 ed. 2 clause 4.1"],
    waits=lambda timing: timing.settling,
)
async def refused_card_starts_no_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, cards: CardPresenter
) -> None:
    """A card that the CSMS refuses must not start a transaction, nor get any energy."""
    stranger, connector = case.pixit.card("invalid"), case.pixit.connector
    csms.answers(v16.Authorize, idTagInfo={"status": "Invalid"})
    card_first = bool(case.pics.get("AQ-2"))
    remote = case.pics.get("C-07") is False

    async with case.preamble():
        if remote:
            case.note("no local identification (C-07 = false): the CSMS asks for the start instead")
            await states.configured(case, station, "AuthorizeRemoteTxRequests", "true")
        await states.configured(case, station, "MinimumStatusDuration", 10, if_implemented=True)
        await states.configured(case, station, "LocalPreAuthorize", "true")

    charged = v16.StatusNotification(
        connectorId=connector, status=any_of("Charging", "SuspendedEV")
    )
    with station.forbid(v16.StartTransaction()), station.forbid(charged):
        if not card_first:
            await states.plugged_in(case, station, coupler)

        async with case.step("Present a card that the CSMS refuses"):
            if remote:
                request = v16.RemoteStartTransaction(connectorId=connector, idTag=stranger.id_tag)
                # A station that asks before it answers knows better than to accept.
                await station.call(request, result(status=any_of("Accepted", "Rejected")))
            else:
                await cards.present(stranger, connector=connector)
            await station.expect(v16.Authorize(idTag=stranger.id_tag))

        if card_first:
            async with case.step("Push the plug in, which the lock may keep out"):
                case.afterwards(coupler.unplug, connector)
                await coupler.plug_in(connector)
                ready = v16.StatusNotification(connectorId=connector, status="Preparing")
                await station.may_come(ready, within=case.pixit.settling_time)

        async with case.step("No transaction starts"):
            await station.expect_none(v16.StartTransaction(), during=case.pixit.settling_time)


@procedure(
    "TC_024_CS",
    title="Lock failure",
    mark="O",
    refs=["Certification Document 2, App. C no. 38", "OCPP 1.6 ed. 2 clauses 4.9, 7.6"],
    applies=~pics("GEN.fixed_cable") & pics("BENCH.block_lock"),
    waits=lambda timing: timing.settling,
)
async def lock_failure_is_reported_and_starts_no_transaction(
    case: Case, station: Station, coupler: VehicleCoupler, provocation: Provocation
) -> None:
    """A cable that the station can't lock in makes the connector faulty, and nothing starts."""
    connector = case.pixit.connector
    async with case.preamble():
        if case.pics.get("AQ-2"):
            # Until somebody is authorised, this lock keeps the plug out: it must open first.
            await states.remotely_prepared(case, station)
            await states.lock_blocked(case, provocation)
        else:
            await states.lock_blocked(case, provocation)
            await states.remotely_prepared(case, station)

    with station.forbid(v16.StartTransaction()):
        async with case.step("Plug the cable in: the lock fails"):
            case.afterwards(coupler.unplug, connector)
            await coupler.plug_in(connector)
            faulted = v16.StatusNotification(
                connectorId=connector, status="Faulted", errorCode="ConnectorLockFailure"
            )
            await station.expect(faulted)

        async with case.step("No transaction starts"):
            await station.expect_none(v16.StartTransaction(), during=case.pixit.settling_time)


@procedure(
    "TC_043_1_CS",
    title="Send local list – not supported",
    mark="C",
    refs=["Certification Document 2, App. C no. 62", "OCPP 1.6 ed. 2 clauses 5.15, 7.47"],
    applies=~pics("FP.LAL"),
)
async def station_without_local_lists_refuses_one(case: Case, station: Station) -> None:
    """A station without the profile says of a local list that it does not support it."""
    card = case.pixit.card("valid")
    async with case.step("Send a local list"):
        request = v16.SendLocalList(
            listVersion=1, updateType="Full", localAuthorizationList=[memory.listed(card.id_tag)]
        )
        await station.call(request, result(status="NotSupported") | error("NotSupported"))


@procedure(
    "TC_042_1_CS",
    title="Get local list version – not supported",
    mark="C",
    refs=["Certification Document 2, App. C no. 59", "OCPP 1.6 ed. 2 clause 5.10"],
    applies=~pics("FP.LAL"),
)
async def station_without_local_lists_has_no_list_version(case: Case, station: Station) -> None:
    """A station without the profile has no version of a local list to tell."""
    async with case.preamble():
        key = "LocalAuthListEnabled"
        await states.configured(case, station, key, "false", if_implemented=True)

    async with case.step("Ask for the version of the local list"):
        answer = result(listVersion=-1) | error("NotSupported")
        await station.call(v16.GetLocalListVersion(), answer)
