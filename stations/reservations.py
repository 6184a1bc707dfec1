"""The reservations that a station holds; they survive power cycles (OCPP 1.6 ed. 2 clause 5.13)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass

from stations.clock import Clock, read
from stations.conduct import Behaviour
from stations.storage import Store


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one ReserveNow asked for."""

    number: int
    """The reservationId."""
    connector: int
    """0: any connector."""
    id_tag: str
    parent: str | None
    expiry: str
    """The expiryDate as the CSMS wrote it."""

    def is_for(self, id_tag: str, parent: str | None) -> bool:
        """Tell whether an idTag, or the group that it belongs to, is the one that reserved."""
        if self.id_tag.casefold() == id_tag.casefold():
            return True
        if self.parent is None or parent is None:
            return False
        return self.parent.casefold() == parent.casefold()


class Reservations:
    """Keep reservations until they are used, cancelled or over."""

    def __init__(self, store: Store, clock: Clock, behaviour: Behaviour) -> None:
        self.on_change: Callable[[], None] = lambda: None
        """Called when a reservation has come or gone."""
        self._store = store
        self._clock = clock
        self._behaviour = behaviour
        stored = (Reservation(**one) for one in store.read("reservations") or ())
        self._held = {one.number: one for one in stored}
        self._ended: dict[int, Reservation] = {}
        """By connector: what only a station with a defect still remembers."""
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Let time run after a boot: what expired meanwhile is over."""
        for one in tuple(self._held.values()):
            self._set_timer(one)

    def shut_down(self) -> None:
        """Let no timer survive the software."""
        for timer in self._timers.values():
            timer.cancel()

    def get(self, number: int) -> Reservation | None:
        """Return the reservation with this reservationId."""
        return self._held.get(number)

    def on(self, connector: int) -> Reservation | None:
        """Return the reservation of one connector; 0 finds those of any connector."""
        return next((one for one in self._held.values() if one.connector == connector), None)

    @property
    def of_any(self) -> list[Reservation]:
        """Those that leave the connector open."""
        return [one for one in self._held.values() if one.connector == 0]

    def refuses(self, connector: int, id_tag: str, parent: str | None) -> bool:
        """Tell whether an ended reservation still keeps others away, as only a defect does."""
        ended = self._ended.get(connector)
        return (
            ended is not None
            and self._behaviour.refuses_after_reservation
            and not ended.is_for(id_tag, parent)
        )

    def add(self, reservation: Reservation) -> None:
        """Hold a reservation; one with the same number is replaced."""
        self._held[reservation.number] = reservation
        self._set_timer(reservation)
        self._changed()

    def end(self, number: int) -> None:
        """Hold a reservation no longer: it was cancelled, has expired, or can't be kept."""
        reservation = self._held.pop(number, None)
        if reservation is not None:
            self._ended[reservation.connector] = reservation
            self._cancel_timer(number)
            self._changed()

    def take(self, connector: int, id_tag: str, parent: str | None) -> Reservation | None:
        """Use up the reservation that an idTag has at a connector, if it has one."""
        own = self.on(connector)
        for one in self.of_any if own is None else (own,):
            if one.is_for(id_tag, parent):
                del self._held[one.number]
                self._cancel_timer(one.number)
                self._changed()
                return one if self._is_named(one, id_tag) else None
        return self._ended.get(connector) if self._behaviour.names_ended_reservation else None

    def _is_named(self, one: Reservation, id_tag: str) -> bool:
        if one.connector == 0:
            return self._behaviour.names_reservation_of_any
        owner = one.id_tag.casefold() == id_tag.casefold()
        return owner or self._behaviour.names_reservation_of_group

    def _changed(self) -> None:
        self._store.write("reservations", [asdict(one) for one in self._held.values()])
        self.on_change()

    def _set_timer(self, one: Reservation) -> None:
        self._cancel_timer(one.number)
        expiry = read(one.expiry)
        left = 0.0 if expiry is None else (expiry - self._clock.now()).total_seconds()
        wait = max(0.0, left) * self._behaviour.reservation_patience
        loop = asyncio.get_running_loop()
        self._timers[one.number] = loop.call_later(wait, self.end, one.number)

    def _cancel_timer(self, number: int) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.cancel()
