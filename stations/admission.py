"""Who starts and stops what: cards at the readers, wishes of the CSMS, its second thoughts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from stations.authorization import Authorized, Authorizer, IdTagInfo
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.connector import Connector
from stations.hardware import CardRead
from stations.messages import Payload, Spawn
from stations.reserving import Reserving
from stations.settings import StationSettings
from stations.transactions import Transaction


class Admission:
    """Bring idTags and connectors together."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        authorizer: Authorizer,
        configuration: Configuration,
        reserving: Reserving,
        settings: StationSettings,
        behaviour: Behaviour,
        spawn: Spawn,
    ) -> None:
        self._connectors = connectors
        self._authorizer = authorizer
        self._configuration = configuration
        self._reserving = reserving
        self._settings = settings
        self._behaviour = behaviour
        self._spawn = spawn
        self._asking: set[int] = set()
        """Connectors for which an authorisation is on its way."""
        if behaviour.asks_on_plug:
            for connector in connectors.values():
                connector.on_claimed = self._claimed
        self._last_card = ""

    # Cards

    def card_read(self, card: CardRead) -> None:
        """React to a card at a reader."""
        connector = self._connector_for(card)
        if connector is None or connector.number in self._asking:
            return
        transaction = connector.transaction
        held_for = connector.held_for
        who = connector.authorized
        if transaction is not None:
            self._stop_by_card(connector, transaction, card.id_tag)
        elif held_for is not None and _same(held_for.id_tag, card.id_tag):
            connector.release_for(held_for)
        elif who is not None:
            if _same(who.id_tag, card.id_tag) and self._behaviour.takes_back_with_card:
                connector.cancel()
        elif connector.startable and self._reserving.may_admit(connector, card.id_tag):
            self._spawn(lambda: self._start_by_card(connector, card.id_tag))
        self._last_card = card.id_tag

    def _connector_for(self, card: CardRead) -> Connector | None:
        """Choose the connector that a card is meant for when there is one reader only."""
        if not self._settings.shared_reader:
            return self._connectors.get(card.connector)
        candidates = self._connectors.values()

        def owned(connector: Connector) -> bool:
            owner = connector.transaction or connector.held_for or connector.authorized
            return owner is not None and _same(owner.id_tag, card.id_tag)

        for suits in (
            owned,
            lambda connector: connector.startable and connector.connected,
            lambda connector: connector.startable,
            lambda connector: connector.transaction is not None,
        ):
            for connector in candidates:
                if suits(connector):
                    return connector
        return None

    async def _start_by_card(self, connector: Connector, id_tag: str) -> None:
        info = IdTagInfo("Accepted")
        early = not connector.connected
        if self._behaviour.asks_before_start and (
            not early or self._behaviour.asks_about_early_card
        ):
            info = await self._ask(connector, id_tag)
        if not info.accepted:
            wait = self._behaviour.starts_refused_card_after
            if wait is None:
                return
            await asyncio.sleep(wait)
        self._admit(connector, Authorized(id_tag, info.parent, "card"))

    def _stop_by_card(self, connector: Connector, transaction: Transaction, id_tag: str) -> None:
        if _same(transaction.id_tag, id_tag):
            if self._settings.local_stop and self._behaviour.own_card_stops:
                stops = self._last_card if self._behaviour.stops_with_last_card else id_tag
                connector.stop("Local", stops or id_tag)
        elif self._behaviour.any_card_stops:
            connector.stop("Local", id_tag)
        elif transaction.parent is not None and not self._behaviour.notices_group:
            return
        elif transaction.parent is not None or self._behaviour.asks_about_foreign_card:
            self._spawn(lambda: self._stop_by_group(connector, transaction, id_tag))

    async def _stop_by_group(
        self, connector: Connector, transaction: Transaction, id_tag: str
    ) -> None:
        """Let another card of the same group stop the transaction (clause 3.8)."""
        info = await self._ask(connector, id_tag)
        if connector.transaction is not transaction or not info.accepted:
            return
        if info.parent is not None and transaction.parent is not None:
            if _same(info.parent, transaction.parent) and self._behaviour.stops_by_group:
                owner = self._behaviour.names_owner_for_group
                connector.stop("Local", transaction.id_tag if owner else id_tag)

    # Wishes of the CSMS

    def connector_for_remote_start(self, number: int | None, id_tag: str) -> Connector | None:
        """Return where a remote start may happen, None when nowhere."""
        candidates = [
            connector
            for connector in self._connectors.values()
            if number in (None, connector.number)
            and connector.startable
            and connector.number not in self._asking
            and self._reserving.may_admit(connector, id_tag)
            and (connector.connected or not self._behaviour.needs_plug_for_remote_start)
        ]
        candidates.sort(key=lambda connector: not connector.connected)
        return candidates[0] if candidates else None

    def start_remotely(
        self, connector: Connector, id_tag: str, profile: Payload | None = None
    ) -> None:
        """Start for an idTag that the CSMS named, as if its card was presented."""
        self._spawn(lambda: self._start_remotely(connector, id_tag, profile))

    async def _start_remotely(
        self, connector: Connector, id_tag: str, profile: Payload | None
    ) -> None:
        info = IdTagInfo("Accepted")
        asks = self._configuration.flag("AuthorizeRemoteTxRequests")
        asks |= not self._reserving.admits(connector, id_tag, None)
        if asks and self._behaviour.asks_before_remote_start:
            info = await self._ask(connector, id_tag)
        if info.accepted:
            self._admit(connector, Authorized(id_tag, info.parent, "remote", profile))
        wait = self._behaviour.asks_after_remote_start
        if wait is not None:
            await asyncio.sleep(wait)
            await self._ask(connector, id_tag)

    # What the CSMS says of an idTag later

    def confirmed(self, transaction: Transaction, id_tag: str, info: IdTagInfo) -> None:
        """Take in the `idTagInfo` of a StartTransaction or StopTransaction answer."""
        self._authorizer.learn(id_tag, info)
        connector = self._connectors[transaction.connector]
        if connector.transaction is not transaction:
            return
        transaction.parent = info.parent or transaction.parent
        if not info.accepted and self._behaviour.heeds_invalid_id:
            self._spawn(lambda: self._deauthorize(connector, transaction))

    async def _deauthorize(self, connector: Connector, transaction: Transaction) -> None:
        """End the transaction of a refused idTag, or its energy (clause 3.5.4)."""
        await asyncio.sleep(self._behaviour.invalid_id_patience)
        if connector.transaction is not transaction:
            return
        stops = self._behaviour.invalid_id_stops
        if stops is None:
            stops = self._configuration.flag("StopTransactionOnInvalidId")
        if stops:
            connector.stop("DeAuthorized")
        else:
            connector.withhold(after=self._configuration.number("MaxEnergyOnInvalidId"))
            wait = self._behaviour.stops_after_withholding
            if wait is not None:
                await asyncio.sleep(wait)
                connector.stop("DeAuthorized")

    # Inside

    def _claimed(self, connector: Connector, who: Authorized) -> None:
        self._spawn(lambda: self._ask(connector, who.id_tag))

    async def _ask(self, connector: Connector, id_tag: str) -> IdTagInfo:
        self._asking.add(connector.number)
        try:
            return await self._authorizer.authorize(id_tag)
        finally:
            self._asking.discard(connector.number)

    def _admit(self, connector: Connector, who: Authorized) -> None:
        # While the CSMS was asked, the connector may have gone out of service or broken.
        if connector.startable and self._reserving.admits(connector, who.id_tag, who.parent):
            connector.authorize(who)


def _same(one: str, other: str) -> bool:
    """Compare idTags, which are case-insensitive."""
    return one.casefold() == other.casefold()
