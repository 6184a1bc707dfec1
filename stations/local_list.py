"""The local authorization list (OCPP 1.6 ed. 2 clauses 3.5.2, 5.10 and 5.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from stations.authorization import IdTagInfo, Listed
from stations.clock import Clock
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.messages import Answer, Handler, Payload
from stations.storage import Store

_SPECIAL = (0, -1)
"""What GetLocalListVersion says of an empty list and of none (errata sheet 4.0 clause 3.52)."""


class LocalList(Listed):
    """What the CSMS sent of idTags in advance; survives power cycles."""

    PROFILE: ClassVar[str] = "LocalAuthListManagement"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        configuration: Configuration,
        behaviour: Behaviour,
        *,
        storage_works: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._storage_works = storage_works
        self._clock = clock
        self._configuration = configuration
        self._behaviour = behaviour
        stored: dict[str, Any] = store.read("local-list") or {"version": 0, "entries": {}}
        self._version: int = stored["version"]
        self._entries = {tag: IdTagInfo(**entry) for tag, entry in stored["entries"].items()}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What the profile answers."""
        return {"GetLocalListVersion": self._get_version, "SendLocalList": self._update}

    @property
    def version(self) -> int:
        """The version that was sent with the list, 0 while it is empty."""
        empty = not self._entries and not self._behaviour.empty_list_has_version
        return 0 if empty else self._version

    def look_up(self, id_tag: str) -> IdTagInfo | None:
        """Return what the list says of an idTag now; None when it is switched off or silent."""
        entry = self._entries.get(id_tag.upper())
        if entry is None or not self._enabled or not self._behaviour.heeds_list:
            return None
        return entry.at(self._clock.now())

    @property
    def _enabled(self) -> bool:
        return self._configuration.flag("LocalAuthListEnabled")

    def _get_version(self, payload: Payload) -> Answer:
        return Answer({"listVersion": self.version if self._enabled else -1})

    def _update(self, payload: Payload) -> Answer:
        if not self._enabled:
            return Answer({"status": "NotSupported"})
        version, full = payload["listVersion"], payload["updateType"] == "Full"
        entries: list[Payload] = payload.get("localAuthorizationList") or []
        if not full and self._behaviour.checks_list_version and version <= self.version:
            if self._behaviour.mismatch_sets_version:
                self._replace(version, self._entries)
            return Answer({"status": "VersionMismatch"})
        updated = self._updated(entries, full=full)
        stores = self._storage_works() or not self._behaviour.notices_list_failure
        if updated is None or version in _SPECIAL or not stores:
            return Answer({"status": "Failed"})
        if not full and not self._behaviour.differential_sets_version:
            version = self._version
        return Answer({"status": "Accepted"}, then=lambda: self._replace(version, updated))

    def _updated(self, entries: list[Payload], *, full: bool) -> dict[str, IdTagInfo] | None:
        """Work out the list after an update, None when it can't be."""
        tags = [entry["idTag"].upper() for entry in entries]
        bare = any("idTagInfo" not in entry for entry in entries)
        most = self._configuration.number("SendLocalListMaxLength")
        if len(entries) > most or len(set(tags)) < len(tags) or (full and bare):
            return None
        updated = {} if full else dict(self._entries)
        for tag, entry in zip(tags, entries, strict=True):
            if "idTagInfo" in entry:
                updated[tag] = IdTagInfo.of(entry["idTagInfo"])
            else:
                updated.pop(tag, None)
        room = self._configuration.number("LocalAuthListMaxLength")
        return updated if len(updated) <= room else None

    def _replace(self, version: int, entries: dict[str, IdTagInfo]) -> None:
        if not self._storage_works():
            return
        self._version, self._entries = version, entries
        stored = {tag: asdict(entry) for tag, entry in entries.items()}
        self._store.write("local-list", {"version": version, "entries": stored})
