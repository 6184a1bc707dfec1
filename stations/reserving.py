"""Reserve connectors for the CSMS, and keep others away from them (feature profile Reservation)."""

from __future__ import annotations

from collections.abc import Mapping

from stations.clock import Clock, read
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.connector import Connector
from stations.messages import Answer, Handler, Payload
from stations.reservations import Reservation, Reservations

ACCEPTS = "ReservationsAccepted"
"""The product's own key that switches reservations off."""


class Reserving:
    """Decide what may be reserved, and who may charge at what is."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        reservations: Reservations,
        *,
        configuration: Configuration,
        clock: Clock,
        behaviour: Behaviour,
    ) -> None:
        self.handlers: dict[str, Handler] = {
            "CancelReservation": self._cancel,
            "ReserveNow": self._reserve,
        }
        self._connectors = connectors
        self._reservations = reservations
        self._configuration = configuration
        self._clock = clock
        self._behaviour = behaviour
        reservations.on_change = self.settle

    # Who may charge

    def admits(self, connector: Connector, id_tag: str, parent: str | None) -> bool:
        """Tell whether an idTag may charge at a connector, as far as reservations go."""
        if not self._behaviour.heeds_reservations:
            return True
        if self._reservations.refuses(connector.number, id_tag, parent):
            return False
        holders = self._holders(connector)
        return not holders or any(
            one.is_for(id_tag, parent if self._behaviour.knows_groups_of_reservations else None)
            for one in holders
        )

    def may_admit(self, connector: Connector, id_tag: str) -> bool:
        """Tell whether an idTag may charge if it turns out to belong to the right group."""
        holders = self._holders(connector)
        if holders and not self._behaviour.starts_remotely_when_reserved:
            return False
        if any(one.parent is not None for one in holders):
            return True
        return self.admits(connector, id_tag, None)

    def _holders(self, connector: Connector) -> list[Reservation]:
        """List the reservations that keep others away from a connector."""
        own = self._reservations.on(connector.number)
        if own is not None:
            return [own]
        return self._reservations.of_any if self.keeps(connector.number) else []

    # What is kept

    def keeps(self, number: int) -> bool:
        """Tell whether a connector has to stay free for somebody."""
        if self._reservations.on(number) is not None:
            return True
        of_any = len(self._reservations.of_any)
        if of_any == 0 or not self._connectors[number].startable:
            return False
        usable = [
            connector
            for connector in self._connectors.values()
            if connector.startable and self._reservations.on(connector.number) is None
        ]
        return len(usable) <= of_any

    def settle(self) -> None:
        """Bring the status of all connectors in line with the reservations."""
        for connector in self._connectors.values():
            connector.settle()

    def changed(self) -> None:
        """Note that a connector's status changed: the last free one may have to be kept."""
        for connector in self._connectors.values():
            own = self._reservations.on(connector.number)
            if own is not None and connector.status.status in ("Faulted", "Unavailable"):
                self._reservations.end(own.number)
        if self._reservations.of_any:
            if all(
                c.status.status in ("Faulted", "Unavailable") for c in self._connectors.values()
            ):
                for one in self._reservations.of_any:
                    self._reservations.end(one.number)
            self.settle()

    # What is asked

    def _reserve(self, payload: Payload) -> Answer:
        wish = Reservation(
            payload["reservationId"],
            payload["connectorId"],
            payload["idTag"],
            payload.get("parentIdTag"),
            payload["expiryDate"],
        )
        status = self._assess(wish)
        if status != "Accepted":
            return Answer({"status": status})
        return Answer({"status": status}, then=lambda: self._reservations.add(wish))

    def _assess(self, wish: Reservation) -> str:
        """Decide by clause 5.13; a reservation that the wish replaces does not stand in its way."""
        zero = wish.connector == 0
        if not self._configuration.flag(ACCEPTS):
            return "Rejected"
        if zero and not self._configuration.flag("ReserveConnectorZeroSupported"):
            return "Rejected"
        if not zero and wish.connector not in self._connectors:
            return "Rejected"
        expiry = read(wish.expiry)
        if expiry is None or expiry <= self._clock.now():
            return "Rejected"
        replaced = self._reservations.get(wish.number)
        if zero:
            concerned = list(self._connectors.values())
            free = [c for c in concerned if c.free and self._reservations.on(c.number) is None]
            room = len(free) - len(self._reservations.of_any) + (replaced is not None)
        else:
            concerned = [self._connectors[wish.connector]]
            kept = self.keeps(wish.connector) and replaced is None
            room = int(concerned[0].free and not kept)
        if room > 0:
            return "Accepted"
        statuses = {connector.status.status for connector in concerned}
        for status in ("Faulted", "Unavailable"):
            if statuses == {status}:
                return status
        return "Occupied"

    def _cancel(self, payload: Payload) -> Answer:
        number = payload["reservationId"]
        if self._reservations.get(number) is None:
            if self._behaviour.cancels_any_reservation:
                return Answer({"status": "Rejected"}, then=self._cancel_all)
            return Answer({"status": "Rejected"})
        return Answer({"status": "Accepted"}, then=lambda: self._reservations.end(number))

    def _cancel_all(self) -> None:
        for number in range(len(self._connectors) + 1):
            while (one := self._reservations.on(number)) is not None:
                self._reservations.end(one.number)
