"""The charging profiles that a station holds, and the limits that they make together."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from stations.clock import Clock, read
from stations.conduct import Behaviour
from stations.messages import Payload
from stations.schedules import PHASES, VOLTAGE, edges, limit_at
from stations.storage import Store
from stations.transactions import Transaction

_LOOK_AHEAD = 60.0
"""Seconds after which the limits are looked at again at the latest, as the clock may be set."""

_LATE = 0.005
"""Seconds by which a change is looked at late, since timers may fire early."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A charging profile and where it applies."""

    connector: int
    profile: Payload
    since: float
    """When it was installed, in s since 1970."""
    transaction: int | None = None
    """The station's own number of the transaction that a TxProfile belongs to."""

    @property
    def purpose(self) -> str:
        """Return what it is for."""
        return str(self.profile["chargingProfilePurpose"])

    def replaces(self, other: Installed) -> bool:
        """Tell whether an installed profile goes when this one comes (clause 5.16.4)."""
        if self.profile["chargingProfileId"] == other.profile["chargingProfileId"]:
            return True
        here = (self.connector, self.purpose, self.profile["stackLevel"])
        return here == (other.connector, other.purpose, other.profile["stackLevel"])


class ChargingProfiles:
    """Keep the profiles over power cycles and say what they allow (clause 3.13)."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        behaviour: Behaviour,
        running: Callable[[], list[Transaction]],
        *,
        current: float,
        connectors: int,
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        """Called when the limits may have changed."""
        self._store = store
        self._clock = clock
        self._behaviour = behaviour
        self._running = running
        self._current = current
        self._connectors = connectors
        stored = [Installed(**entry) for entry in store.read("charging-profiles") or ()]
        # No transaction survives a power cycle, so none of their profiles does.
        self._installed = [one for one in stored if one.transaction is None]
        self._timer: asyncio.TimerHandle | None = None

    # What is installed

    def install(self, connector: int, profile: Payload, transaction: Transaction | None) -> None:
        """Add a profile in place of those that it replaces."""
        number = None if transaction is None else transaction.number
        self._installed = [
            *self._kept_beside(connector, profile),
            Installed(connector, profile, self._clock.now().timestamp(), number),
        ]
        self._changed()

    def count_with(self, connector: int, profile: Payload) -> int:
        """Count the profiles that there would be with this one."""
        return len(self._kept_beside(connector, profile)) + 1

    def matching(self, request: Payload) -> list[Installed]:
        """List the profiles that a ClearChargingProfile means (errata sheet 4.0 clause 3.26)."""
        wanted = {name: request[name] for name in request if name in self._behaviour.clears_by}
        if "id" in wanted:
            wanted = {"id": wanted["id"]}
        kept = () if self._behaviour.clears_station_maximum else ("ChargePointMaxProfile",)
        return [
            one
            for one in self._installed
            if one.purpose not in kept and wanted.items() <= _clearable(one).items()
        ]

    def remove(self, profiles: Iterable[Installed]) -> None:
        """Remove installed profiles."""
        gone = list(profiles)
        self._installed = [one for one in self._installed if one not in gone]
        self._changed(saves=bool(gone))

    def began(self, transaction: Transaction, profile: Payload | None) -> None:
        """Take in that a transaction began, with the profile of its remote start if any."""
        factor = self._behaviour.remote_profile_factor
        if profile is not None and factor is not None:
            self.install(transaction.connector, _scaled(profile, factor), transaction)
        else:
            self._changed(saves=False)

    def ended(self, transaction: Transaction) -> None:
        """Remove the profiles of a transaction with its end (clause 7.10)."""
        self.remove([one for one in self._installed if one.transaction == transaction.number])

    def start(self) -> None:
        """Follow the schedules from now on."""
        self._arm()

    def stop(self) -> None:
        """Follow the schedules no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What follows

    def limit(self, connector: int) -> float:
        """Return what a connector may offer now in A per phase; infinite without a profile."""
        now = self._clock.now().timestamp()
        return self._limit(now, connector, "A", asked=now)

    def composite(self, connector: int, duration: int, unit: str) -> Payload:
        """Calculate the schedule of a connector, or of the station, from now on (clause 5.7)."""
        stamp = self._clock.stamp()
        moment = read(stamp)
        assert moment is not None
        start = moment.timestamp()
        limits = {0: self._reported(start, connector, unit, asked=start)}
        for edge in sorted(self._edges(start, start + duration)):
            if round(edge - start) < duration:
                limits[round(edge - start)] = self._reported(edge, connector, unit, asked=start)
        periods: list[Payload] = []
        for offset, limit in limits.items():
            if not periods or periods[-1]["limit"] != limit:
                periods.append({"startPeriod": offset, "limit": limit, "numberPhases": PHASES})
        schedule: Payload = {"duration": duration, "chargingRateUnit": unit}
        schedule["chargingSchedulePeriod"] = periods
        return {"connectorId": connector, "scheduleStart": stamp, "chargingSchedule": schedule}

    def _reported(self, moment: float, connector: int, unit: str, *, asked: float) -> float:
        """Return the limit with the station's own one in, downwards to one decimal."""
        own = self._current if unit == "A" else self._current * VOLTAGE * PHASES
        if connector:
            limit = min(own, self._limit(moment, connector, unit, asked=asked))
        else:
            every = range(1, self._connectors + 1)
            wishes = [min(own, self._connector_limit(moment, n, unit, asked=asked)) for n in every]
            limit = min(sum(wishes), self._station_limit(moment, unit))
        return math.floor(limit * 10 + 1e-6) / 10

    def _limit(self, moment: float, connector: int, unit: str, *, asked: float) -> float:
        """Return the limit at a moment, as it is known when it is `asked` for."""
        station = self._station_limit(moment, unit)
        sharing = {transaction.connector for transaction in self._running()} | {connector}
        own = self._connector_limit(moment, connector, unit, asked=asked)
        return min(station / len(sharing), own)

    def _station_limit(self, moment: float, unit: str) -> float:
        if not self._behaviour.heeds_station_maximum:
            return math.inf
        limit = self._prevailing(self._of("ChargePointMaxProfile"), moment, None, unit)
        return math.inf if limit is None else limit

    def _connector_limit(self, moment: float, connector: int, unit: str, *, asked: float) -> float:
        """Let the TxProfile of the running transaction overrule the default one."""
        behaviour = self._behaviour
        transaction = self._transaction(connector)
        begun = self._begun(connector, asked)
        own = [one for one in self._of("TxProfile") if one.connector == connector]
        if transaction is not None:
            own = [one for one in own if one.transaction in (None, transaction.number)]
        else:
            own = []
        limit = self._prevailing(own, moment, begun, unit)
        if limit is not None and behaviour.tx_profile_overrules:
            return limit
        default = self._prevailing(self._defaults(connector, begun), moment, begun, unit)
        return min(math.inf if one is None else one for one in (limit, default))

    def _defaults(self, connector: int, begun: float) -> list[Installed]:
        """List the default profiles of a connector; its own come in place of those for all."""
        found = {
            one.profile["stackLevel"]: one
            for place in (0, connector)
            for one in self._of("TxDefaultProfile")
            if one.connector == place
        }
        if self._transaction(connector) is None or self._behaviour.default_reaches_running:
            return list(found.values())
        return [one for one in found.values() if one.since <= begun]

    def _prevailing(
        self, profiles: list[Installed], moment: float, begun: float | None, unit: str
    ) -> float | None:
        """Return the limit of the highest level that sets one (clause 3.13.2).

        Relative schedules count from `begun`; None: from when they were installed.
        """
        level = 1 if self._behaviour.highest_level_prevails else -1
        ends = self._behaviour.schedules_end
        for one in sorted(profiles, key=lambda one: -level * one.profile["stackLevel"]):
            origin = one.since if begun is None else begun
            limit = limit_at(one.profile, moment, origin, unit, ends=ends)
            if limit is not None:
                return limit
        return None

    # Inside

    def _of(self, purpose: str) -> list[Installed]:
        return [one for one in self._installed if one.purpose == purpose]

    def _transaction(self, connector: int) -> Transaction | None:
        return next((one for one in self._running() if one.connector == connector), None)

    def _begun(self, connector: int, asked: float) -> float:
        """Return when the transaction began; when the question is asked, if there is none."""
        transaction = self._transaction(connector)
        moment = None if transaction is None else read(transaction.started)
        return asked if moment is None else moment.timestamp()

    def _kept_beside(self, connector: int, profile: Payload) -> list[Installed]:
        new = Installed(connector, profile, 0.0)
        kept = [one for one in self._installed if not new.replaces(one)]
        if self._behaviour.stacks_profiles:
            return kept
        return [one for one in kept if (one.connector, one.purpose) != (connector, new.purpose)]

    def _edges(self, first: float, last: float) -> Iterator[float]:
        for one in self._installed:
            places = range(1, self._connectors + 1) if one.connector == 0 else (one.connector,)
            origins = {one.since, *(self._begun(place, first) for place in places)}
            for begun in origins:
                yield from edges(one.profile, begun, first, last)

    def _changed(self, *, saves: bool = True) -> None:
        if saves:
            self._store.write("charging-profiles", [asdict(one) for one in self._installed])
        self._arm()
        self.on_change()

    def _arm(self) -> None:
        self.stop()
        if self._installed:
            now = self._clock.now().timestamp()
            upcoming = min(self._edges(now, now + _LOOK_AHEAD), default=now + _LOOK_AHEAD)
            delay = upcoming - now + _LATE
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._arm()
        self.on_change()


def _clearable(one: Installed) -> Payload:
    """Write a profile with the names that a ClearChargingProfile has for its fields."""
    names = {"id": "chargingProfileId"} | {
        name: name for name in ("chargingProfilePurpose", "stackLevel")
    }
    return {"connectorId": one.connector} | {
        name: one.profile[field] for name, field in names.items()
    }


def _scaled(profile: Payload, factor: float) -> Payload:
    """Change all limits, as only a defective station does."""
    if factor == 1.0:
        return profile
    schedule = profile["chargingSchedule"]
    periods = [p | {"limit": p["limit"] * factor} for p in schedule["chargingSchedulePeriod"]]
    return profile | {"chargingSchedule": schedule | {"chargingSchedulePeriod": periods}}
