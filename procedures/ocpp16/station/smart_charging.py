"""Smart charging (Certification Document 2, Appendix C no. 89 to 98)."""

from __future__ import annotations

from bench.capability import VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import error, result
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import charging, states, transactions
from procedures.ocpp16.charging import ChargingProfiles

SMART = pics("FP.SC") & ~pics("GEN.mode12")

VALID = 401
"""Seconds from startSchedule to validTo of the profiles whose schedules end before."""
DAY = 86400


@procedure(
    "TC_056_CS",
    title="TxDefaultProfile",
    mark="M",
    refs=["Certification Document 2, App. C no. 89", "OCPP 1.6 ed. 2 clauses 3.13.1, 5.7, 5.16"],
    applies=SMART,
)
async def default_profile_limits_the_connector(case: Case, station: Station) -> None:
    """A default profile is accepted and determines the composite schedule of its connector."""
    profiles = await charging.idle(case, station)
    async with case.step("Set a default profile"):
        await profiles.set_plain("TxDefaultProfile")

    await _schedule_follows(case, profiles, case.pixit.charging.duration)


@procedure(
    "TC_057_CS",
    title="TxProfile",
    mark="M",
    refs=["Certification Document 2, App. C no. 90", "OCPP 1.6 ed. 2 clauses 3.13.1, 5.7, 5.16"],
    applies=SMART,
)
async def profile_of_a_transaction_limits_its_connector(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A profile for the running transaction is accepted and determines its composite schedule."""
    profiles = await charging.in_transaction(case, station, csms, coupler, vehicle)
    async with case.step("Set a profile for the transaction"):
        await profiles.set_plain("TxProfile")

    await _schedule_follows(case, profiles, case.pixit.charging.duration)


@procedure(
    "TC_058_1_CS",
    title="TxProfile without transaction",
    mark="M",
    refs=["Certification Document 2, App. C no. 91", "OCPP 1.6 ed. 2 clauses 3.13.1, 5.16.4"],
    applies=SMART,
)
async def profile_without_its_transaction_is_refused(case: Case, station: Station) -> None:
    """A profile for a transaction is refused while no transaction runs."""
    profiles = await charging.idle(case, station)
    async with case.step("Set a profile for a transaction that does not run: it is refused"):
        refused = result(status="Rejected") | error("PropertyConstraintViolation")
        await profiles.offer(profiles.plain("TxProfile", transactionId=1), refused)


@procedure(
    "TC_058_2_CS",
    title="TxProfile with wrong transactionId",
    mark="M",
    refs=["Certification Document 2, App. C no. 92", "OCPP 1.6 ed. 2 clauses 3.13.1, 5.16, 7.8"],
    applies=SMART,
)
async def profile_of_another_transaction_is_refused(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A profile that names another transaction than the running one is refused."""
    profiles = await charging.in_transaction(case, station, csms, coupler, vehicle)
    async with case.step("Set a profile for another transaction: it is refused"):
        other = (profiles.transaction_id or 0) + 1
        profile = profiles.plain("TxProfile", transactionId=other)
        await profiles.offer(profile, result(status="Rejected"))


@procedure(
    "TC_082_CS",
    title="TxDefaultProfile with ongoing transaction",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 93",
        "OCPP 1.6 ed. 2 clauses 3.13.1, 5.7, 5.16.4",
        "OCPP 1.6 errata sheet 4.0 clause 3.8",
    ],
    applies=SMART,
)
async def default_profile_reaches_the_running_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A new default profile determines the schedule of a transaction that runs already.

    The transaction goes on.
    """
    profiles = await charging.in_transaction(case, station, csms, coupler, vehicle)
    with station.forbid(v16.StopTransaction()):
        async with case.step("Set a default profile"):
            await profiles.set_plain("TxDefaultProfile")

        await _schedule_follows(case, profiles, case.pixit.charging.duration)


@procedure(
    "TC_066_CS",
    title="Get composite schedule",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 94",
        "OCPP 1.6 ed. 2 clauses 3.13.1 to 3.13.3, 5.7",
        "OCPP 1.6 errata sheet 4.0 clause 3.43",
    ],
    applies=SMART
    & pics("CFG.MaxChargingProfilesInstalled").at_least(3)
    & pics("CFG.ChargingScheduleMaxPeriods").at_least(5),
)
async def composite_schedule_combines_all_purposes(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """The composite schedule combines profiles of all purposes.

    The profile of the transaction comes before the default one as long as its schedule lasts, and
    neither may go beyond the limit of the whole station.
    """
    connector = case.pixit.connector
    default = {0: 6, 60: 10, 120: 8, 180: 15, 260: 8}
    own = {0: 8, 50: 11, 140: 16, 200: 6, 240: 12}
    profiles = await charging.in_transaction(case, station, csms, coupler, vehicle)
    async with case.preamble(), case.step("Set a profile of each purpose"):
        await profiles.set(0, 1, "ChargePointMaxProfile", {0: 10}, duration=DAY)
        await profiles.set(connector, 2, "TxDefaultProfile", default, duration=300, valid_for=VALID)
        await profiles.set(connector, 3, "TxProfile", own, duration=260, valid_for=VALID)

    await _schedule_follows(case, profiles, 400)


@procedure(
    "TC_067_CS",
    title="Clear charging profile",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 95",
        "OCPP 1.6 ed. 2 clauses 5.5, 5.7",
        "OCPP 1.6 errata sheet 4.0 clauses 3.25, 3.26",
    ],
    applies=SMART,
)
async def cleared_profiles_limit_no_more(case: Case, station: Station) -> None:
    """A profile can be cleared by its id, by what it is for, and together with all others.

    What is cleared has no effect on the composite schedule any more, what remains still has.
    """
    connector, default = case.pixit.connector, "TxDefaultProfile"
    upper, lower, station_limit = {0: 6, 60: 8, 200: 10}, {0: 7, 100: 9}, {0: 11, 200: 12}
    profiles = await charging.idle(case, station)
    async with case.preamble(), case.step("Set two default profiles and one for the station"):
        await profiles.set(connector, 1, default, upper, duration=400, level=1)
        await profiles.set(connector, 2, default, lower, duration=400, valid_for=VALID)
        await profiles.set(
            0, 3, "ChargePointMaxProfile", station_limit, duration=DAY, valid_for=VALID
        )

    async with case.step("Clear a profile by its id"):
        await profiles.clear(id=1)
    await _schedule_follows(case, profiles, 350)

    async with case.step("Clear a profile by its purpose and its level"):
        await profiles.clear(chargingProfilePurpose="TxDefaultProfile", stackLevel=0)
    await _schedule_follows(case, profiles, 350)

    async with case.step("Clear all profiles"):
        await profiles.clear()
    await _schedule_follows(case, profiles, 350)


@procedure(
    "TC_072_CS",
    title="Stacking charging profiles",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 96",
        "OCPP 1.6 ed. 2 clauses 3.13.2, 5.7",
        "OCPP 1.6 errata sheet 4.0 clause 3.43",
    ],
    applies=SMART & pics("CFG.ChargeProfileMaxStackLevel").at_least(1),
)
async def higher_level_prevails_until_its_schedule_ends(case: Case, station: Station) -> None:
    """The profile of the highest level prevails; when its schedule has ended, the next one does."""
    connector, default = case.pixit.connector, "TxDefaultProfile"
    lower, upper = {0: 6, 100: 8, 200: 10}, {0: 7, 100: 9}
    profiles = await charging.idle(case, station)
    async with case.preamble(), case.step("Set default profiles of two levels"):
        await profiles.set(connector, 1, default, lower, duration=400, valid_for=VALID)
        await profiles.set(connector, 2, default, upper, duration=150, level=1, valid_for=VALID)

    await _schedule_follows(case, profiles, 350)


@procedure(
    "TC_059_CS",
    title="Remote start with charging profile",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 97",
        "OCPP 1.6 ed. 2 clauses 5.7, 5.11, 5.16.2",
        "OCPP 1.6 errata sheet 4.0 clauses 3.41, 3.67",
    ],
    applies=SMART,
)
async def profile_of_a_remote_start_limits_its_transaction(
    case: Case, station: Station, csms: Csms, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """The profile that a remote start brings determines the schedule of its transaction."""
    connector, card = case.pixit.connector, case.pixit.card("valid")
    cable_later = bool(case.pics.get("AQ-2"))
    async with case.preamble():
        await charging.unit_allowed(case, station)
        asks = await transactions.asks_before_remote_start(case, station)
        plugged = None if cable_later else await states.plugged_in(case, station, coupler)

    profiles = ChargingProfiles(case, station)
    async with case.step("Start remotely with a profile: the transaction begins"):
        profiles.cleared_afterwards()
        profile = profiles.plain("TxProfile", room=DAY)
        await transactions.remote_start_accepted(
            case, station, card, asks=asks, chargingProfile=profile
        )
        if cable_later:
            ready = v16.StatusNotification(connectorId=connector, status="Preparing")
            await station.expect(ready)
            case.afterwards(coupler.unplug, connector)
            await coupler.plug_in(connector)
        await vehicle.draw(connector)
        start = await transactions.begins(case, station, card, plugged=plugged)
        profiles.transaction_id = csms.book.transaction_id(start.payload)
        profiles.came_into_force(connector, profile)

    await _schedule_follows(case, profiles, case.pixit.charging.duration)


@procedure(
    "TC_060_CS",
    title="Remote start with wrong profile purpose",
    mark="M",
    refs=[
        "Certification Document 2, App. C no. 98",
        "OCPP 1.6 ed. 2 clauses 5.11, 5.16.2",
        "OCPP 1.6 errata sheet 4.0 clause 3.41",
    ],
    applies=SMART,
    waits=lambda timing: timing.settling,
)
async def remote_start_with_a_default_profile_is_refused(
    case: Case, station: Station, coupler: VehicleCoupler, vehicle: VehicleEmulator
) -> None:
    """A remote start whose profile is not for a transaction is refused and starts none.

    A vehicle is plugged in before, where the station lets it, so that nothing else is in the way.
    """
    connector = case.pixit.connector
    profiles = ChargingProfiles(case, station)
    async with case.preamble():
        await charging.unit_allowed(case, station)
        if not case.pics.get("AQ-2"):
            await states.plugged_in(case, station, coupler)
            await vehicle.draw(connector)

    async with case.step("Start remotely with a default profile: no transaction begins"):
        profiles.cleared_afterwards()
        request = v16.RemoteStartTransaction(
            connectorId=connector,
            idTag=case.pixit.card("valid").id_tag,
            chargingProfile=profiles.plain("TxDefaultProfile"),
        )
        refused = result(status="Rejected") | error("PropertyConstraintViolation")
        await station.call(request, refused)
        await station.expect_none(v16.StartTransaction(), during=case.pixit.settling_time)


async def _schedule_follows(case: Case, profiles: ChargingProfiles, duration: int) -> None:
    async with case.step(f"The composite schedule of {duration} s follows from the profiles"):
        await profiles.compare(duration)
