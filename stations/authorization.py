"""Who may charge: the authorization cache, the CSMS, and the rules for being offline."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from stations.clock import Clock, read
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.connection import Connection
from stations.messages import CallFailed, Payload, Refused, Spawn
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
        """Read an `idTagInfo`."""
        return cls(info["status"], info.get("parentIdTag"), info.get("expiryDate"))

    @property
    def accepted(self) -> bool:
        """Tell whether the idTag may charge."""
        return self.status == "Accepted"

    def at(self, moment: datetime) -> IdTagInfo:
        """Return what holds at a moment: past its date, an entry has expired."""
        expiry = None if self.expiry is None else read(self.expiry)
        if expiry is None or expiry > moment:
            return self
        return IdTagInfo("Expired", self.parent, self.expiry)


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
        """Return what is known of an idTag now."""
        entry = self._entries.get(id_tag.upper())
        return None if entry is None else entry.at(self._clock.now())

    def learn(self, id_tag: str, info: IdTagInfo) -> None:
        """Keep the newest; when full, forget an idTag that may not charge, else the oldest."""
        entries = self._entries
        entries.pop(id_tag.upper(), None)
        if len(entries) >= _ROOM:
            refused = (tag for tag, entry in entries.items() if not entry.accepted)
            del entries[next(refused, next(iter(entries)))]
        entries[id_tag.upper()] = info
        self._save()

    @property
    def filled(self) -> bool:
        """Tell whether anything is known of any idTag."""
        return bool(self._entries)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._save()

    def _save(self) -> None:
        self._store.write("cache", {tag: asdict(entry) for tag, entry in self._entries.items()})


class Listed(Protocol):
    """A local authorization list, as far as authorising goes."""

    @abstractmethod
    def look_up(self, id_tag: str) -> IdTagInfo | None:
        """Return what the list says of an idTag; None when it is not in force or not there."""


class Authorizer:
    """Decide about idTags by the rules of clause 3.5."""

    def __init__(
        self,
        cache: AuthorizationCache,
        local_list: Listed | None,
        configuration: Configuration,
        connection: Connection,
        online: asyncio.Event,
        behaviour: Behaviour,
        spawn: Spawn,
    ) -> None:
        self.on_conflict: Callable[[], None] = lambda: None
        """Called when the CSMS says of an idTag other than the local list."""
        self._cache = cache
        self._list = local_list
        self._configuration = configuration
        self._connection = connection
        self._online = online
        self._behaviour = behaviour
        self._spawn = spawn

    async def authorize(self, id_tag: str) -> IdTagInfo:
        """Ask the list, the cache or the CSMS; offline the first two and the keys decide."""
        listed = self._listed(id_tag)
        known = listed or self._cached(id_tag)
        if known is not None and known.accepted and self._flag("LocalPreAuthorize"):
            if listed is not None:
                return known
            if self._behaviour.uses_cache:
                return replace(known, status=self._behaviour.cached_as)
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
        return self._authorize_offline(id_tag, known)

    def _authorize_offline(self, id_tag: str, known: IdTagInfo | None) -> IdTagInfo:
        if not self._behaviour.starts_offline:
            return IdTagInfo("Invalid")
        if self._behaviour.asks_after_offline:
            self._spawn(lambda: self._ask_later(id_tag))
        if known is not None and (not known.accepted or self._flag("LocalAuthorizeOffline")):
            return known
        return IdTagInfo("Accepted" if self._flag("AllowOfflineTxForUnknownId") else "Invalid")

    async def _ask_later(self, id_tag: str) -> None:
        await self._online.wait()
        await self._connection.call("Authorize", {"idTag": id_tag})

    def learn(self, id_tag: str, info: IdTagInfo) -> None:
        """Remember what the CSMS said in the cache, unless the list knows of the idTag."""
        listed = self._listed(id_tag)
        if listed is not None:
            # That an idTag is in use elsewhere says nothing about the list.
            if listed.accepted != info.accepted and info.status != "ConcurrentTx":
                self.on_conflict()
        elif self._flag("AuthorizationCacheEnabled"):
            self._cache.learn(id_tag, info)

    def knows(self, id_tag: str) -> bool:
        """Tell whether an idTag is in the cache."""
        return self._cached(id_tag) is not None

    @property
    def can_clear(self) -> bool:
        """Tell whether there is a cache that can be cleared."""
        may = self._behaviour.clears_filled_cache or not self._cache.filled
        return may and self._flag("AuthorizationCacheEnabled")

    def clear(self) -> None:
        """Forget what the CSMS said."""
        self._cache.clear()

    def _listed(self, id_tag: str) -> IdTagInfo | None:
        return None if self._list is None else self._list.look_up(id_tag)

    def _cached(self, id_tag: str) -> IdTagInfo | None:
        return self._cache.look_up(id_tag) if self._flag("AuthorizationCacheEnabled") else None

    def _flag(self, name: str) -> bool:
        return self._configuration.flag(name)
