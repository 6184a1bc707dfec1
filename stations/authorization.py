"""Who may charge: the authorization cache, the CSMS, and the rules for being offline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stations.clock import Clock, read
from stations.configuration import Configuration
from stations.connection import Connection
from stations.messages import CallFailed, Payload, Refused
from stations.storage import Store

_ROOM = 500
"""Entries of the cache."""


@dataclass(frozen=True, slots=True)
class IdTagInfo:
    """What is known of an idTag."""

    status: str
    parent: str | None = None
    expiry: str | None = None

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> IdTagInfo:
        """Read the `idTagInfo` of an answer."""
        return cls(info["status"], info.get("parentIdTag"), info.get("expiryDate"))

    @property
    def accepted(self) -> bool:
        """Tell whether the idTag may charge."""
        return self.status == "Accepted"


@dataclass(frozen=True, slots=True)
class Authorized:
    """Who may charge at a connector, and how the wish came."""

    id_tag: str
    parent: str | None
    by: str
    """`card` or `remote`."""
    profile: Payload | None = None
    """The charging profile that a remote start brought."""


class AuthorizationCache:
    """What the CSMS last said of each idTag; survives power cycles."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        stored = store.read("cache") or {}
        self._entries = {tag: IdTagInfo(**entry) for tag, entry in stored.items()}

    def look_up(self, id_tag: str) -> IdTagInfo | None:
        """Return what is known of an idTag; an entry past its date has expired."""
        entry = self._entries.get(id_tag.upper())
        if entry is None or entry.expiry is None:
            return entry
        expiry = read(entry.expiry)
        if expiry is not None and expiry <= self._clock.now():
            return IdTagInfo("Expired", entry.parent, entry.expiry)
        return entry

    def learn(self, id_tag: str, info: IdTagInfo) -> None:
        """Keep the newest; when full, forget an idTag that may not charge, else the oldest."""
        entries = self._entries
        entries.pop(id_tag.upper(), None)
        if len(entries) >= _ROOM:
            refused = (tag for tag, entry in entries.items() if not entry.accepted)
            del entries[next(refused, next(iter(entries)))]
        entries[id_tag.upper()] = info
        self._save()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._save()

    def _save(self) -> None:
        self._store.write("cache", {tag: asdict(entry) for tag, entry in self._entries.items()})


class Authorizer:
    """Decide about idTags by the rules of clause 3.5."""

    def __init__(
        self,
        cache: AuthorizationCache,
        configuration: Configuration,
        connection: Connection,
        online: asyncio.Event,
    ) -> None:
        self._cache = cache
        self._configuration = configuration
        self._connection = connection
        self._online = online

    async def authorize(self, id_tag: str) -> IdTagInfo:
        """Ask the cache or the CSMS; offline the cache and the keys decide."""
        cached = self._cached(id_tag)
        if cached is not None and cached.accepted and self._flag("LocalPreAuthorize"):
            return cached
        if self._online.is_set():
            try:
                answer = await self._connection.call("Authorize", {"idTag": id_tag})
            except Refused:
                return IdTagInfo("Invalid")
            except CallFailed:
                pass  # as good as offline
            else:
                info = IdTagInfo.of(answer["idTagInfo"])
                self.learn(id_tag, info)
                return info
        if cached is not None and (not cached.accepted or self._flag("LocalAuthorizeOffline")):
            return cached
        return IdTagInfo("Accepted" if self._flag("AllowOfflineTxForUnknownId") else "Invalid")

    def learn(self, id_tag: str, info: IdTagInfo) -> None:
        """Remember what the CSMS said, if there is a cache."""
        if self._flag("AuthorizationCacheEnabled"):
            self._cache.learn(id_tag, info)

    def clear(self) -> bool:
        """Forget what the CSMS said; false when there is no cache."""
        if self._flag("AuthorizationCacheEnabled"):
            self._cache.clear()
            return True
        return False

    def _cached(self, id_tag: str) -> IdTagInfo | None:
        return self._cache.look_up(id_tag) if self._flag("AuthorizationCacheEnabled") else None

    def _flag(self, name: str) -> bool:
        return self._configuration.flag(name)
