"""How a transaction begins, is started remotely, and ends: parts of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.capability import Card, VehicleCoupler
from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.forbidden import Forbidden
from bench.ocpp.match import result
from bench.ocpp.message import Received
from bench.ocpp.predicate import any_of, matching
from bench.ocpp.station import Station


@dataclass(frozen=True, slots=True)
class Plugged:
    """A vehicle that was plugged in before anybody was authorised."""

    fed: bool = False
    """The plug was fed for a moment, and the connector reports Available again."""
    stays: Forbidden | None = None
    """Lets the connector not report Available before the transaction begins."""


async def asks_before_remote_start(case: Case, station: Station) -> bool:
    """Read whether the station asks the CSMS about the idTag of a remote start; a step of its own.

    The key decides which messages a remote start consists of.
    """
    key = "AuthorizeRemoteTxRequests"
    async with case.step("Read whether the station authorises remote starts"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        value = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", value, matching("true|false"))
    return str(value.value).lower() == "true"


async def remote_start_accepted(
    case: Case, station: Station, card: Card, *, asks: bool, **fields: Any
) -> None:
    """Start remotely for a card; the station accepts, and asks about it if it is to."""
    connector = case.pixit.connector
    request = v16.RemoteStartTransaction(connectorId=connector, idTag=card.id_tag, **fields)
    await station.call(request, result(status="Accepted"))
    if asks:
        await station.expect(v16.Authorize(idTag=card.id_tag))


async def no_needless_authorize(station: Station, *, asks: bool) -> None:
    """Check that no Authorize came in this step, if the station is configured not to ask."""
    if not asks:
        await station.expect_none(v16.Authorize(), during=0)


async def plugged_in_time(case: Case, station: Station, coupler: VehicleCoupler) -> None:
    """Plug in at the connector under test, which somebody was authorised to use before.

    Raises `Unverifiable` when the station gave up waiting for the cable before it was in.
    """
    connector = case.pixit.connector
    case.afterwards(coupler.unplug, connector)
    await coupler.plug_in(connector)
    if station.messages(v16.StatusNotification(connectorId=connector, status="Available")):
        text = "the cable came too late: the station had given up waiting for it"
        raise Unverifiable(f"{text} (ConnectionTimeOut)")


async def begins(
    case: Case,
    station: Station,
    card: Card,
    *,
    plugged: Plugged | None = None,
    in_order: bool = False,
    within: float | None = None,
    **fields: Any,
) -> Received:
    """Expect StartTransaction (with these fields) and Charging in any order; returns the first.

    `plugged` tells of a vehicle that was plugged in before. With `in_order` the StartTransaction
    comes after what the step has seen so far. `within` in s is its deadline, None: the triggered
    function timeout. Afterwards no transaction is left.
    """
    connector = case.pixit.connector
    plug = plugged or Plugged()
    # The cable may be locked in for as long as it runs.
    case.afterwards(all_ended, station)
    start = v16.StartTransaction(connectorId=connector, idTag=card.id_tag, **fields)
    message = await station.expect(start, in_order=in_order, within=within)
    ready = None
    if plug.fed:
        preparing = v16.StatusNotification(connectorId=connector, status="Preparing")
        ready = await station.expect(preparing)
    charging = v16.StatusNotification(connectorId=connector, status="Charging")
    await station.expect(charging, after=ready)
    if plug.stays is not None:
        plug.stays.lift()
    return message


async def all_ended(station: Station) -> None:
    """Stop remotely every transaction that the bench knows to run."""
    for number in station.transactions:
        request = v16.RemoteStopTransaction(transactionId=number)
        answer = await station.call(request, result(status=any_of("Accepted", "Rejected")))
        if answer["status"] == "Accepted":
            await station.expect(v16.StopTransaction(transactionId=number))


async def ends(
    case: Case,
    station: Station,
    transaction_id: int,
    *,
    within: float | None = None,
    after: Received | None = None,
    rests_as: Any = "Finishing",
    **fields: Any,
) -> Received:
    """Expect StopTransaction (with these fields) and Finishing in any order; returns the first.

    `within` in s is the deadline of the StopTransaction, None: the triggered function timeout; with
    `after` it follows that message. `rests_as` replaces Finishing.
    """
    connector = case.pixit.connector
    stop = v16.StopTransaction(transactionId=transaction_id, **fields)
    message = await station.expect(stop, within=within, after=after)
    await station.expect(v16.StatusNotification(connectorId=connector, status=rests_as))
    return message
