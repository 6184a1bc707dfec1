"""The transaction at a connector: how it begins, what energy it may take, how it ends."""

from __future__ import annotations

import math
from collections.abc import Callable

from stations.authorization import Authorized
from stations.charging_profiles import ChargingProfiles
from stations.conduct import Behaviour
from stations.reservations import Reservations
from stations.sampling import Sampler
from stations.transactions import Transaction, Transactions

LEAST = 6.0
"""Least current in A that can be offered (IEC 61851-1 table A.8)."""


class Charging:
    """What a connector knows of its running transaction."""

    def __init__(
        self,
        number: int,
        sampler: Sampler,
        *,
        transactions: Transactions,
        reservations: Reservations,
        profiles: ChargingProfiles,
        behaviour: Behaviour,
    ) -> None:
        self.number = number
        self.sampler = sampler
        self.transaction: Transaction | None = None
        self.limit = math.inf
        """Most that the charging profiles allow, A per phase."""
        self.on_suspended: Callable[[], object] = lambda: None
        """Called when the transaction has had all energy that it may have."""
        self._transactions = transactions
        self._reservations = reservations
        self._profiles = profiles
        self._behaviour = behaviour
        self._suspended = False
        """The station itself withholds the energy."""
        self._last_register: int | None = None
        """The energy register in Wh at which it will, None: it will not."""
        sampler.on_logged = self._meter_logged

    @property
    def withheld(self) -> bool:
        """Tell whether the station gives no energy."""
        return self._suspended or self.limit < LEAST

    def begin(self, who: Authorized) -> None:
        """Begin a transaction, with the reservation and the profile that it uses up."""
        register = self.sampler.register()
        reservation = self._reservations.take(self.number, who.id_tag, who.parent)
        id_tag, number = who.id_tag, None
        if reservation is not None:
            number = reservation.number
            id_tag = reservation.id_tag if self._behaviour.starts_as_owner else id_tag
        self.transaction = self._transactions.start(
            self.number, id_tag, who.parent, register, number
        )
        self.sampler.begin(self.transaction)
        self._profiles.began(self.transaction, who.profile)

    def end(self, reason: str, id_tag: str | None) -> Transaction:
        """End the transaction, `reason` as StopTransaction names it; its profiles stay."""
        transaction = self.transaction
        assert transaction is not None
        data = self.sampler.end()
        self.transaction = None
        self._suspended = False
        self._last_register = None
        self._transactions.stop(transaction, reason=reason, id_tag=id_tag, data=data)
        return transaction

    def forget_profiles(self, transaction: Transaction) -> None:
        """Remove the profiles of a transaction that has ended."""
        self._profiles.ended(transaction)

    def follow_profiles(self) -> None:
        """Take in what the charging profiles allow now."""
        self.limit = self._profiles.limit(self.number)

    def withhold(self, *, after: int) -> None:
        """Give no more than `after` Wh from now on."""
        register = self.sampler.register()
        self._last_register = register + after
        self._meter_logged(register)

    def _meter_logged(self, register: int) -> None:
        if self._last_register is not None and register >= self._last_register:
            self._last_register = None
            self._suspended = True
            self.on_suspended()
