"""Core: offline behaviour (Certification Document 2, Appendix C no. 48 to 53)."""

from __future__ import annotations

from functools import partial

from bench.capability import CardPresenter, Cut, NetworkPath, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.dut import Timing
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.predicate import absent, any_of, between, containing
from bench.ocpp.station import Station
from bench.pics import pics
from bench.procedure import procedure
from procedures.ocpp16 import offline, states, transactions
from procedures.ocpp16.samples import PERIODIC, taken

STARTS_OFFLINE = pics("C-07") & pics("C-08") & (pics("FP.LAL") | pics("C-02") | pics("C-04"))

LOCALLY = any_of("Local", absent)
"""The reason of a stop by card; one that is left out means it (clause 6.49)."""


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

    samples = v16.MeterValues(
        connectorId=case.pixit.connector,
        transactionId=transaction_id,
        meterValue=containing(taken(PERIODIC)),
    )

    async with case.step("After a sample, the network path is cut"):
        await station.expect(samples, within=every + timing.triggered)
        case.afterwards(network.restore)
        await network.cut(Cut.RESET)
        online = station.messages(samples)

    async with case.step(f"The path stays cut for {dwell(timing):g} s"):
        await offline.nothing_comes(station, samples, during=dwell(timing))

    async with case.step("The path is mended: all samples come in order, then new ones"):
        await network.restore()
        delivered = await offline.delivered(case, station, samples, online[-1])
        offline.check_spacing(case, (*online, *delivered), every)
        for boot in station.messages(v16.BootNotification()):
            text = f"BootNotification (record {boot.n}) though only the connection was lost"
            case.note(f"{text}: OCPP-J 1.6 clause 5.4 advises against it")


@procedure(
    "TC_037_1_CS",
    title="Offline start – valid id",
    mark="C",
    refs=["Certification Document 2, App. C no. 49", "OCPP 1.6 ed. 2 clauses 3.5, 3.7, 4.8, 4.9"],
    applies=STARTS_OFFLINE,
    waits=lambda timing: timing.offline + timing.quiet,
)
async def start_while_offline_is_told_afterwards(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    network: NetworkPath,
) -> None:
    """A card that the station knows starts a transaction without connection.

    The start is told when the connection is back, with the time when it was, and nobody is asked.
    """
    card, timing = case.pixit.card("valid"), case.pixit.timing
    async with case.preamble():
        await offline.known(case, station, csms, coupler, vehicle, cards, card)
        await offline.cut(case, station, network)

    async with case.step("Start at the station"):
        began = await offline.start(case, station, coupler, vehicle, cards, card)

    async with case.step("The path is mended: the start is told"):
        await network.restore()
        start = await transactions.begins(case, station, card, within=timing.reconnect)
        offline.check_age(case, "StartTransaction", start, began)
        await station.expect_none(v16.Authorize(), during=timing.quiet)


@procedure(
    "TC_037_2_CS",
    title="Offline start – invalid id, StopTransactionOnInvalidId=false",
    mark="C",
    refs=[
        "Certification Document 2, App. C no. 50",
        "OCPP 1.6 ed. 2 clauses 3.5.4, 4.8, 9.1.14, 9.1.24",
    ],
    applies=STARTS_OFFLINE,
    waits=lambda timing: timing.offline + timing.settling,
)
async def refused_offline_start_gets_no_more_energy(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    network: NetworkPath,
) -> None:
    """A transaction that the CSMS refuses afterwards goes on without energy.

    That is so when StopTransactionOnInvalidId is false and no energy is granted all the same.
    """
    card, connector = case.pixit.card("invalid"), case.pixit.connector
    timing = case.pixit.timing
    async with case.preamble():
        await offline.known_until_refused(
            case, station, csms, coupler, vehicle, cards, stops="false"
        )
        await offline.cut(case, station, network)

    async with case.step("Start at the station"):
        await offline.start(case, station, coupler, vehicle, cards, card)

    with station.forbid(v16.StopTransaction()):
        async with case.step("The path is mended: the start is refused, the energy withheld"):
            await network.restore()
            await transactions.begins(case, station, card, within=timing.reconnect)
            withheld = v16.StatusNotification(connectorId=connector, status="SuspendedEVSE")
            await station.expect(withheld, in_order=True)

        async with case.step("The transaction goes on without energy"):
            charges = v16.StatusNotification(connectorId=connector, status="Charging")
            await station.expect_none(charges, during=case.pixit.settling_time)


@procedure(
    "TC_037_3_CS",
    title="Offline start – invalid id, StopTransactionOnInvalidId=true",
    mark="C",
    refs=[
        "Certification Document 2, App. C no. 51",
        "OCPP 1.6 ed. 2 clauses 3.5.4, 4.8, 7.36, 9.1.24",
    ],
    applies=STARTS_OFFLINE,
    waits=lambda timing: timing.offline + timing.quiet,
)
async def refused_offline_start_is_stopped(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    network: NetworkPath,
) -> None:
    """A transaction that the CSMS refuses afterwards ends if StopTransactionOnInvalidId is true."""
    card, connector = case.pixit.card("invalid"), case.pixit.connector
    timing = case.pixit.timing
    async with case.preamble():
        await offline.known_until_refused(
            case, station, csms, coupler, vehicle, cards, stops="true"
        )
        await offline.cut(case, station, network)

    async with case.step("Start at the station"):
        await offline.start(case, station, coupler, vehicle, cards, card)
        # The cable of a refused card stays locked until the card is presented.
        case.afterwards(partial(cards.present, card, connector=connector))

    async with case.step("The path is mended: the start is refused, the transaction ends"):
        await network.restore()
        start = await transactions.begins(case, station, card, within=timing.reconnect)
        number = csms.book.transaction_id(start.payload)
        await transactions.ends(case, station, number, reason="DeAuthorized")
        await station.expect_none(v16.StopTransaction(), during=timing.quiet)


@procedure(
    "TC_038_CS",
    title="Offline stop",
    mark="C",
    refs=["Certification Document 2, App. C no. 52", "OCPP 1.6 ed. 2 clauses 3.7, 4.10, 6.49"],
    applies=pics("C-08"),
    waits=lambda timing: timing.offline + timing.quiet,
)
async def stop_while_offline_is_told_afterwards(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    network: NetworkPath,
) -> None:
    """A card ends its transaction without connection; that is told when the connection is back.

    The transaction was started remotely for the card. Its end carries the time when it was.
    """
    timing = case.pixit.timing
    async with case.preamble():
        transaction_id = await states.charging(case, station, csms, coupler, vehicle)
        await offline.cut(case, station, network)

    async with case.step("Stop at the station"):
        ended = await offline.stop(
            case, station, cards, case.pixit.card("valid"), during=timing.offline
        )

    async with case.step("The path is mended: the stop is told"):
        await network.restore()
        stop = await transactions.ends(
            case, station, transaction_id, within=timing.reconnect, reason=LOCALLY
        )
        offline.check_age(case, "StopTransaction", stop, ended)
        await station.expect_none(v16.StopTransaction(), during=timing.quiet)


@procedure(
    "TC_039_CS",
    title="Offline transaction",
    mark="C",
    refs=["Certification Document 2, App. C no. 53", "OCPP 1.6 ed. 2 clauses 3.5, 3.7, 4.8, 4.10"],
    applies=STARTS_OFFLINE,
    waits=lambda timing: timing.offline + timing.quiet,
)
async def transaction_while_offline_is_told_afterwards(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    network: NetworkPath,
) -> None:
    """A transaction that begins and ends without connection is told when the connection is back.

    The start comes first, and the stop names the transaction as the CSMS has numbered it by then.
    """
    card, connector = case.pixit.card("valid"), case.pixit.connector
    timing = case.pixit.timing
    async with case.preamble():
        await offline.known(case, station, csms, coupler, vehicle, cards, card)
        await offline.cut(case, station, network)

    async with case.step("Start at the station"):
        began = await offline.start(case, station, coupler, vehicle, cards, card)

    async with case.step("Stop at the station, take the cable out"):
        ended = await offline.stop(case, station, cards, card, during=timing.quiet)
        await coupler.unplug(connector)

    async with case.step("The path is mended: start and stop are told"):
        await network.restore()
        starts = v16.StartTransaction(connectorId=connector, idTag=card.id_tag)
        start = await station.expect(starts, within=timing.reconnect)
        offline.check_age(case, "StartTransaction", start, began)
        number = csms.book.transaction_id(start.payload)
        stop = await station.expect(
            v16.StopTransaction(transactionId=number, reason=LOCALLY), after=start
        )
        offline.check_age(case, "StopTransaction", stop, ended)
        case.check("StartTransaction meterStart", start.field("meterStart"), between(None, None))
        case.check(
            "StopTransaction meterStop", stop.field("meterStop"), between(start["meterStart"], None)
        )
