"""The peer's OCPP side: what it answers to the central system."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import KeyValue
from websockets.asyncio.client import ClientConnection

from tests.peers.memory import FLAG, KEYS, NUMBER

if TYPE_CHECKING:
    from tests.peers.product import Station

Handler = TypeVar("Handler", bound=Callable[..., Any])


def answers(action: str) -> Callable[[Handler], Handler]:
    """Declare what answers a call (`on`, which has no types)."""
    decorator: Callable[[Handler], Handler] = on(action)
    return decorator


def afterwards(action: str) -> Callable[[Handler], Handler]:
    """Declare what happens once a call has been answered (`after`, which has no types)."""
    decorator: Callable[[Handler], Handler] = after(action)
    return decorator


class Link(ChargePoint):  # type: ignore[misc] # the package has no types
    """One connection to the central system: answers its calls."""

    def __init__(self, station: Station, socket: ClientConnection) -> None:
        super().__init__("peer", socket, response_timeout=30)
        self.station = station
        self.socket = socket

    @answers("GetConfiguration")
    def on_get_configuration(self, key: list[str] | None = None) -> Any:
        names = {name.lower(): name for name in KEYS}
        asked = list(KEYS) if not key else [names.get(one.lower(), one) for one in key]
        values = self.station.memory.configuration
        known = [
            KeyValue(key=one, readonly=KEYS[one][2], value=values[one])
            for one in asked
            if one in KEYS
        ]
        unknown = [one for one in asked if one not in KEYS]
        return call_result.GetConfiguration(configuration_key=known, unknown_key=unknown or None)

    @answers("ChangeConfiguration")
    def on_change_configuration(self, key: str, value: str) -> Any:
        name = next((name for name in KEYS if name.lower() == key.lower()), None)
        if name is None:
            return call_result.ChangeConfiguration(status="NotSupported")
        kind, _, readonly = KEYS[name]
        bad = (kind == NUMBER and not value.isdecimal()) or (
            kind == FLAG and value.lower() not in ("true", "false")
        )
        if readonly or bad:
            return call_result.ChangeConfiguration(status="Rejected")
        self.station.configure(name, value)
        return call_result.ChangeConfiguration(status="Accepted")

    @answers("ChangeAvailability")
    def on_change_availability(self, connector_id: int, type: str) -> Any:
        if connector_id not in (0, 1):
            return call_result.ChangeAvailability(status="Rejected")
        memory = self.station.memory
        concerned = {0, 1} if connector_id == 0 else {1}
        if type == "Inoperative":
            memory.inoperative |= concerned
        else:
            memory.inoperative -= concerned
        scheduled = memory.transaction is not None and type == "Inoperative"
        return call_result.ChangeAvailability(status="Scheduled" if scheduled else "Accepted")

    @afterwards("ChangeAvailability")
    def after_change_availability(self, **_: Any) -> None:
        self.station.touch()

    @answers("RemoteStartTransaction")
    def on_remote_start_transaction(self, connector_id: int = 1, **_: Any) -> Any:
        status = self.station.status(1)
        fits = connector_id == 1 and status in ("Available", "Preparing", "Finishing")
        return call_result.RemoteStartTransaction(status="Accepted" if fits else "Rejected")

    @afterwards("RemoteStartTransaction")
    def after_remote_start_transaction(self, id_tag: str, **_: Any) -> None:
        if self.station.status(1) in ("Available", "Preparing", "Finishing"):
            self.station.remote_start(id_tag)

    @answers("RemoteStopTransaction")
    def on_remote_stop_transaction(self, transaction_id: int) -> Any:
        status = "Accepted" if self._runs(transaction_id) else "Rejected"
        return call_result.RemoteStopTransaction(status=status)

    @afterwards("RemoteStopTransaction")
    def after_remote_stop_transaction(self, transaction_id: int) -> None:
        if self._runs(transaction_id):
            self.station.remote_stop()

    def _runs(self, transaction_id: int) -> bool:
        running = self.station.memory.transaction
        return running is not None and running.id == transaction_id

    @answers("Reset")
    def on_reset(self, type: str) -> Any:
        return call_result.Reset(status="Accepted")

    @afterwards("Reset")
    def after_reset(self, type: str) -> None:
        self.station.reset(type)

    @answers("UnlockConnector")
    def on_unlock_connector(self, connector_id: int) -> Any:
        return call_result.UnlockConnector(status="NotSupported")

    @answers("ClearCache")
    def on_clear_cache(self) -> Any:
        return call_result.ClearCache(status="Rejected")

    @answers("DataTransfer")
    def on_data_transfer(self, **_: Any) -> Any:
        return call_result.DataTransfer(status="UnknownVendorId")
