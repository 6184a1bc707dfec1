"""Local authorization list management (Certification Document 2, Appendix C no. 60 to 67)."""

from __future__ import annotations

from bench.capability import Failure, Provocation, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.predicate import between
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import memory, states, transactions

ENABLED = "LocalAuthListEnabled"


@procedure(
    "TC_042_2_CS",
    title="Get local list version – empty",
    mark="M",
    refs=["Certification Document 2, App. C no. 60", "OCPP 1.6 ed. 2 clauses 5.10, 5.15"],
    applies=pics("FP.LAL"),
)
async def empty_list_has_version_zero(case: Case, station: Station) -> None:
    """A full update without entries empties the list, and an empty list has the version 0.

    That holds whatever version the update came with.
    """
    async with case.preamble():
        await states.configured(case, station, ENABLED, "true")

    async with case.step("Send a full update without a list"):
        await station.call(
            v16.SendLocalList(listVersion=1, updateType="Full"), result(status="Accepted")
        )

    async with case.step("The list is empty"):
        await _version_is(station, 0)


@procedure(
    "TC_043_CS",
    title="Send local list",
    mark="M",
    refs=["Certification Document 2, App. C no. 61", "OCPP 1.6 ed. 2 clauses 5.15, 9.2.3"],
    applies=pics("FP.LAL") & pics("CFG.SendLocalListMaxLength").at_least(5),
)
async def full_and_differential_updates_are_accepted(case: Case, station: Station) -> None:
    """The station takes a whole local list, and a change to it."""
    id_tags = [case.pixit.card("valid").id_tag, *(f"PB-LIST-{n}" for n in range(2, 6))]
    async with case.preamble():
        await states.configured(case, station, ENABLED, "true")

    async with case.step("Send a full update with five entries"):
        await memory.list_accepted(case, station, 1, [memory.listed(tag) for tag in id_tags])

    async with case.step("Send a differential update that changes one entry"):
        # No entry more, as five may be all that the list holds.
        blocked = {"idTag": id_tags[-1], "idTagInfo": {"status": "Blocked"}}
        await memory.list_accepted(case, station, 2, [blocked], update="Differential")
        answer = await station.call(v16.GetLocalListVersion())
        case.note(f"the list now has version {answer.field('listVersion')}, sent was 2")


@procedure(
    "TC_043_2_CS",
    title="Send local list – version mismatch",
    mark="M",
    refs=["Certification Document 2, App. C no. 63", "OCPP 1.6 ed. 2 clauses 5.10, 5.15, 7.47"],
    applies=pics("FP.LAL"),
)
async def older_differential_update_is_refused(case: Case, station: Station) -> None:
    """A change to the list is refused when it is older than the list, which keeps its version."""
    card = case.pixit.card("valid")
    async with case.preamble():
        await states.configured(case, station, ENABLED, "true")

    async with case.step("Send a full update of version 2"):
        await memory.list_accepted(case, station, 2, [memory.listed(card.id_tag)])
        await _version_is(station, 2)

    async with case.step("Send a differential update of version 5"):
        change = [memory.listed("PB-LIST-2")]
        await memory.list_accepted(case, station, 5, change, update="Differential")
        await _version_is(station, 5)

    async with case.step("Send a differential update of version 4: it is too old"):
        old = v16.SendLocalList(
            listVersion=4,
            updateType="Differential",
            localAuthorizationList=[memory.listed("PB-LIST-3")],
        )
        await station.call(old, result(status="VersionMismatch"))
        await _version_is(station, 5)


@procedure(
    "TC_043_3_CS",
    title="Send local list – failed",
    mark="O",
    refs=["Certification Document 2, App. C no. 64", "OCPP 1.6 ed. 2 clauses 5.15, 7.47"],
    applies=pics("FP.LAL") & pics("BENCH.lal_failure"),
)
async def list_that_can_not_be_stored_has_failed(
    case: Case, station: Station, provocation: Provocation
) -> None:
    """A station that can't store a local list says that the update has failed."""
    card, connector = case.pixit.card("valid"), case.pixit.connector
    async with case.preamble():
        await states.configured(case, station, ENABLED, "true")
        async with case.step("Let the memory of the local list fail"):
            case.afterwards(provocation.relieve, Failure.LOCAL_LIST_FAILURE, connector)
            await provocation.provoke(Failure.LOCAL_LIST_FAILURE, connector)

    async with case.step("Send a full update: it fails"):
        request = v16.SendLocalList(
            listVersion=2, updateType="Full", localAuthorizationList=[memory.listed(card.id_tag)]
        )
        await station.call(request, result(status="Failed"))


@procedure(
    "TC_008_CS",
    title="Start with id in local list",
    mark="M",
    refs=["Certification Document 2, App. C no. 67", "OCPP 1.6 ed. 2 clauses 3.5.2, 5.11, 9.1.13"],
    applies=pics("FP.LAL"),
)
async def listed_card_starts_without_being_asked_about(
    case: Case, station: Station, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A card that the local list accepts starts a transaction without a question to the CSMS."""
    card, connector = case.pixit.card("valid"), case.pixit.connector
    remote_first = bool(case.pics.get("AQ-2"))

    async with case.preamble():
        await states.authorizes_remote_starts(case, station)
        await states.configured(case, station, "LocalPreAuthorize", "true")
        cache = "AuthorizationCacheEnabled"
        await states.configured(case, station, cache, "false", if_implemented=True)
        await states.configured(case, station, ENABLED, "true")

    async with case.step("Send a local list with the card"):
        answer = await station.call(v16.GetLocalListVersion())
        version = answer.field("listVersion")
        case.check("GetLocalListVersion answer, listVersion", version, between(0, None))
        await memory.list_accepted(
            case, station, int(version.value) + 1, [memory.listed(card.id_tag)]
        )

    plugged = None
    with station.forbid(v16.Authorize()):
        if remote_first:
            async with case.step("Start remotely: the connector gets ready"):
                await transactions.remote_start_accepted(case, station, card, asks=False)
                ready = v16.StatusNotification(connectorId=connector, status="Preparing")
                await station.expect(ready)
        else:
            plugged = await states.plugged_in(case, station, coupler)

        title = "Plug the cable in" if remote_first else "Start remotely"
        async with case.step(f"{title}: the transaction begins without Authorize"):
            if remote_first:
                case.afterwards(coupler.unplug, connector)
                await coupler.plug_in(connector)
            else:
                await transactions.remote_start_accepted(case, station, card, asks=False)
            await vehicle.draw(connector)
            await transactions.begins(case, station, card, plugged=plugged)


async def _version_is(station: Station, version: int) -> None:
    await station.call(v16.GetLocalListVersion(), result(listVersion=version))
