"""What a test needs of failures that only the vendor's own means bring about."""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Protocol


class Failure(StrEnum):
    """What may be made to fail in the DUT."""

    LOCK_BLOCKED = "lock-blocked"
    """The lock of a connector can't move; it stays as it is."""
    LOCAL_LIST_FAILURE = "local-list-failure"
    """The local authorization list can't be stored; a matter of the whole station."""


class Provocation(Protocol):
    """Make a part of the DUT fail as the vendor lets the lab, and mend it again."""

    @abstractmethod
    async def provoke(self, what: Failure, connector: int) -> None:
        """Make it fail, at `connector` where it has one, until it is relieved.

        Raises `Unverifiable` when the lab has no means to.
        """

    @abstractmethod
    async def relieve(self, what: Failure, connector: int) -> None:
        """Let it work again; does nothing when it works."""
