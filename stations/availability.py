"""Which connectors the CSMS has taken out of service; survives power cycles."""

from __future__ import annotations

from stations.storage import Store


class Availability:
    """Operative or not, now and after the running transaction; connector 0 is the station."""

    def __init__(self, store: Store) -> None:
        self._store = store
        stored = store.read("availability") or {}
        self._inoperative: set[int] = set(stored.get("inoperative", ()))
        self._scheduled: dict[int, bool] = {
            int(connector): operative
            for connector, operative in stored.get("scheduled", {}).items()
        }

    def operative(self, connector: int) -> bool:
        """Tell whether a connector is in service."""
        return connector not in self._inoperative

    def set(self, connector: int, operative: bool) -> None:
        """Take a connector into service or out of it; cancels what was scheduled."""
        self._scheduled.pop(connector, None)
        if operative:
            self._inoperative.discard(connector)
        else:
            self._inoperative.add(connector)
        self._save()

    def schedule(self, connector: int, operative: bool) -> None:
        """Remember a change for the end of the running transaction."""
        self._scheduled[connector] = operative
        self._save()

    def scheduled(self, connector: int) -> bool | None:
        """Return what was scheduled for a connector, None when nothing was."""
        return self._scheduled.get(connector)

    def forget(self) -> None:
        """Put everything into service, as only a defective station does by itself."""
        self._inoperative.clear()
        self._scheduled.clear()
        self._save()

    def _save(self) -> None:
        scheduled = {str(connector): value for connector, value in self._scheduled.items()}
        document = {"inoperative": sorted(self._inoperative), "scheduled": scheduled}
        self._store.write("availability", document)
