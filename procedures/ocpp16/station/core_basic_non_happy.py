"""Core: basic actions, non-happy flow (Certification Document 2, Appendix C no. 34 to 38)."""

from __future__ import annotations

from bench.capability import CardPresenter, VehicleCoupler
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states


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
    """A card that the CSMS refuses must not start a transaction."""
    stranger = case.pixit.card("invalid")
    csms.answers(v16.Authorize, idTagInfo={"status": "Invalid"})
    card_first = bool(case.pics.get("AQ-2"))

    async with case.preamble():
        if case.pics.get("C-07") is False:
            raise Unverifiable("the station has no local identification means (C-07 = false)")
        await states.configured(case, station, "MinimumStatusDuration", 10, if_implemented=True)
        await states.configured(case, station, "LocalPreAuthorize", "true")

    with station.forbid(v16.StartTransaction()):
        if not card_first:
            await states.plugged_in(case, station, coupler)

        async with case.step("Present a card that the CSMS refuses"):
            await cards.present(stranger, connector=case.pixit.connector)
            await station.expect(v16.Authorize(idTag=stranger.id_tag))

        if card_first:
            await states.plugged_in(case, station, coupler)

        async with case.step("No transaction starts"):
            await station.expect_none(v16.StartTransaction(), during=case.pixit.settling_time)
