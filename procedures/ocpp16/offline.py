"""What a station does while its network path is cut, and what it tells when it is mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from bench.capability import Card, CardPresenter, Cut, NetworkPath, VehicleCoupler, VehicleEmulator
from bench.case import Case
from bench.clock import now
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.csms import Csms
from bench.ocpp.match import Pattern, call_other_than
from bench.ocpp.message import Received, age, elapsed, interval
from bench.ocpp.predicate import between
from bench.ocpp.station import Station
from procedures.ocpp16 import memory, states
from procedures.ocpp16.samples import PERIODIC, moments


@dataclass(frozen=True, slots=True)
class Span:
    """Between which moments something was done, in s of the monotonic clock."""

    since: float
    until: float


async def known(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    card: Card,
) -> None:
    """Let the station know a card by all means that it has to start for it offline."""
    await states.configured(case, station, "LocalAuthorizeOffline", "true")
    unknown = "AllowOfflineTxForUnknownId"
    await states.configured(case, station, unknown, "true", if_implemented=True)
    if case.pics.get("FP.LAL"):
        await memory.id_tag_listed(case, station, card)
    if case.pics.get("C-04"):
        await memory.id_tag_cached(case, station, csms, coupler, vehicle, cards, card)


async def known_until_refused(
    case: Case,
    station: Station,
    csms: Csms,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    *,
    stops: str,
) -> None:
    """Let the station know the card `invalid` as Accepted; from now on the CSMS refuses it.

    `stops` is the value of StopTransactionOnInvalidId.
    """
    card = case.pixit.card("invalid")
    await states.configured(case, station, "StopTransactionOnInvalidId", stops)
    await states.configured(case, station, "MaxEnergyOnInvalidId", 0, if_implemented=True)
    for action in (v16.Authorize, v16.StartTransaction, v16.StopTransaction):
        csms.answers(action, idTagInfo={"status": "Accepted"})
    await known(case, station, csms, coupler, vehicle, cards, card)
    csms.forget()
    for action in (v16.Authorize, v16.StartTransaction):
        csms.answers(action, idTagInfo={"status": "Invalid"})


async def cut(case: Case, station: Station, network: NetworkPath) -> None:
    """Cut the network path until the case mends it: the station's connection ends."""
    async with case.step("The network path is cut"):
        case.afterwards(network.restore)
        await network.cut(Cut.RESET)
        await station.disconnects(within=case.pixit.timing.reconnect)


async def start(
    case: Case,
    station: Station,
    coupler: VehicleCoupler,
    vehicle: VehicleEmulator,
    cards: CardPresenter,
    card: Card,
) -> Span:
    """Start with a card while the path is cut, and leave it cut; returns when that was."""
    connector = case.pixit.connector
    since = now().mono
    case.afterwards(coupler.unplug, connector)
    if case.pics.get("AQ-2"):
        await cards.present(card, connector=connector)
        await coupler.plug_in(connector)
    else:
        await coupler.plug_in(connector)
        await cards.present(card, connector=connector)
    await vehicle.draw(connector)
    return await _stays_cut(case, station, since, during=case.pixit.timing.offline)


async def stop(
    case: Case, station: Station, cards: CardPresenter, card: Card, *, during: float
) -> Span:
    """Stop with a card while the path is cut, and leave it cut for `during` s; returns when."""
    since = now().mono
    await cards.present(card, connector=case.pixit.connector)
    return await _stays_cut(case, station, since, during=during)


async def _stays_cut(case: Case, station: Station, since: float, *, during: float) -> Span:
    """Leave the path cut for `during` s; returns when the station did what was begun at `since`.

    It may take its time, but what it stamps when the path is mended must be told from that.
    """
    done = now().mono
    await nothing_comes(station, call_other_than("Heartbeat"), during=during)
    return Span(since, max(done, now().mono - 2 * case.pixit.timing.deviation))


async def nothing_comes(station: Station, pattern: Pattern, *, during: float) -> None:
    """See that nothing comes for `during` s; raises `Unverifiable`, as the path is not cut then."""
    stray = await station.may_come(pattern, within=during)
    if stray is not None:
        raise Unverifiable(f"a message came although the path is cut (record {stray.n})")


def check_age(case: Case, name: str, message: Received, span: Span) -> None:
    """Check that a message carries the time of what was done in a span of time."""
    deviation, came = case.pixit.timing.deviation, message.stamp.mono
    possible = between(came - span.until - deviation, came - span.since + deviation)
    case.check(f"{name} timestamp, seconds ago", age(message, "timestamp"), possible)


async def delivered(
    case: Case, station: Station, samples: Pattern, last: Received
) -> list[Received]:
    """Take samples as they come, until one that was taken after the connection was back.

    `last` is the last one of before: its answer can have been lost, then it comes once more.
    The new one is due an interval after the first that comes, whatever else comes meanwhile.
    """
    timing = case.pixit.timing
    delivered: list[Received] = []
    first = await station.expect(samples, within=timing.reconnect)
    while_away = between(None, interval(last, first).value)
    start, message = next(moments(last, PERIODIC)), first
    within = timing.meter_interval + timing.triggered
    while True:
        if message is not first or message.payload != last.payload:
            delivered.append(message)
        stamps = moments(message, PERIODIC)
        if not all(while_away.accepts(elapsed(start, stamp).value) for stamp in stamps):
            return delivered
        if (took := interval(first, message)).value > within:
            text = "Seconds from the first sample delivered to one that is taken afterwards"
            case.check(text, took, between(None, within))
        message = await station.expect(samples, within=within)


def check_spacing(case: Case, messages: Iterable[Received], every: float) -> None:
    """Check that the samples in these messages were taken in order, one every so many s."""
    stamps = [moment for message in messages for moment in moments(message, PERIODIC)]
    # Whatever the deviation, a sample that is missing or out of order is noticed.
    margin = min(case.pixit.timing.deviation, every / 2)
    for earlier, later in pairwise(stamps):
        case.check(
            "MeterValues timestamp, seconds after the one before",
            elapsed(earlier, later),
            between(every - margin, every + margin),
        )
