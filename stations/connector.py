"""One connector: from what is plugged in and who may charge to what the hardware does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stations.authorization import Authorized
from stations.availability import Availability
from stations.charging import Charging
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.first_flow import FirstFlow
from stations.hardware import EvseHardware
from stations.outputs import Outputs
from stations.plug import Plug
from stations.settings import StationSettings
from stations.status import Status
from stations.transactions import Transaction

DISCONNECTED = "EV side disconnected"
"""The `info` of clause 4.9."""


class Connector:
    """Know the facts of a connector; its status and its outputs follow from them."""

    def __init__(
        self,
        number: int,
        hardware: EvseHardware,
        charging: Charging,
        *,
        settings: StationSettings,
        configuration: Configuration,
        availability: Availability,
        keeps: Callable[[int], bool],
        behaviour: Behaviour,
        report: Callable[[int, Status], None],
    ) -> None:
        self.number = number
        self.sampler = charging.sampler
        self.on_claimed: Callable[[Connector, Authorized], object] = lambda *_: None
        """Called when a vehicle is plugged in where somebody may charge."""
        self.authorized: Authorized | None = None
        """Who may start a transaction as soon as a vehicle is connected."""
        self.held_for: Transaction | None = None
        """The ended transaction whose cable stays locked until its owner presents the card."""
        self._charging = charging
        self._plug = Plug(hardware, settings)
        self._settings = settings
        self._configuration = configuration
        self._availability = availability
        self._keeps = keeps
        self._behaviour = behaviour
        self._report = report
        self._finishing = ""
        """Status between the end of a transaction and the end of the session, "" outside."""
        self._info = ""
        self._lock_failed = False
        self._outputs = Outputs(hardware, settings)
        self._first_flow = FirstFlow(settings.first_flow, self.settle)
        self._reported: Status | None = None
        self._patience: asyncio.TimerHandle | None = None
        charging.on_suspended = self.settle

    # What is

    @property
    def transaction(self) -> Transaction | None:
        """The transaction that runs here."""
        return self._charging.transaction

    @property
    def connected(self) -> bool:
        """Tell whether a vehicle hangs on the control pilot."""
        return self._plug.connected

    @property
    def fixed_cable(self) -> bool:
        """Tell whether the cable is part of the station."""
        return self._settings.fixed_cable

    @property
    def operative(self) -> bool:
        """Tell whether the connector is in service."""
        return self._availability.operative(self.number)

    @property
    def startable(self) -> bool:
        """Tell whether somebody may start here."""
        owner = self.transaction or self.authorized or self.held_for
        return self.operative and owner is None and self._fault is None

    @property
    def free(self) -> bool:
        """Tell whether nobody uses the connector and nothing is plugged in."""
        return self.startable and not self._plug.occupied and not self._finishing

    @property
    def status(self) -> Status:
        """What a StatusNotification says now."""
        if self._fault is not None:
            return self._fault
        if self.transaction is not None:
            if self._charging.withheld:
                return Status("SuspendedEVSE")
            if self._plug.draws:
                return Status("Charging")
            if self._plug.pilot == "D":
                return Status("SuspendedEVSE", info="no ventilation")
            return Status("SuspendedEV", info=self._info)
        if not self.operative:
            return Status("Unavailable")
        if self._finishing:
            return Status(self._finishing, info=self._info)
        if self.authorized is None and self._keeps(self.number):
            return Status("Reserved")
        fed = self._first_flow.is_over
        if self.authorized is not None and (self._behaviour.prepares_after_flow or not fed):
            return Status("Preparing")
        if self._plug.occupied and not fed:
            return Status("Preparing")
        return Status("Available")

    @property
    def _fault(self) -> Status | None:
        if self._lock_failed:
            return Status("Faulted", "ConnectorLockFailure")
        return self._plug.fault

    # What happens

    def sense(self) -> None:
        """Take in what the pilot and the proximity contact say now."""
        was_connected = self.connected
        self._plug.sense()
        if self.transaction is not None:
            self._vehicle_moved()
        elif not self._plug.occupied:
            self._session_over()
        elif self.connected and not was_connected:
            self._vehicle_came()
        self.settle()

    def authorize(self, who: Authorized) -> None:
        """Let somebody charge: at once when a vehicle is connected, else once it is."""
        self._finishing = self._info = ""
        self.authorized = who
        self.settle()
        if self.connected or self._behaviour.starts_without_vehicle:
            self._start()
        else:
            factor = {
                "card": self._behaviour.card_patience,
                "remote": self._behaviour.remote_patience,
            }[who.by]
            wait = self._configuration.number("ConnectionTimeOut") * factor
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(wait, self._waited_in_vain)

    def cancel(self) -> None:
        """Let nobody charge who was authorised before."""
        self._forget_authorization()
        self._finishing = self._behaviour.taken_back_as
        self.settle()

    def stop(self, reason: str, id_tag: str | None = None) -> None:
        """End the transaction; `reason` as StopTransaction names it."""
        transaction = self._charging.end(reason, id_tag)
        if self._plug.occupied:
            left = reason == "EVDisconnected"
            self._finishing = self._behaviour.rests_as if left else "Finishing"
            self._info = DISCONNECTED if left else ""
        if self._keeps_cable(reason):
            self.held_for = transaction
        else:
            self._release()
        self._charging.forget_profiles(transaction)
        self.settle()

    def withhold(self, *, after: int) -> None:
        """Give no more than `after` Wh to the running transaction from now on."""
        self._charging.withhold(after=after)

    def release_for(self, transaction: Transaction) -> None:
        """Give the cable back to the owner of an ended transaction."""
        if self.held_for is transaction:
            self._release()

    def unlock(self) -> bool:
        """End the transaction and unlock for the CSMS; false when the lock is stuck."""
        if self.held_for is not None and not self._behaviour.unlocks_left_cable:
            return False
        if self.transaction is not None and self._behaviour.unlock_ends_transaction:
            self.stop("UnlockCommand")
        released = self._release()
        self.settle()
        return released

    def change_availability(self, operative: bool) -> None:
        """Take the connector into service or out of it, after the transaction if one runs."""
        if self.transaction is not None:
            self._availability.schedule(self.number, operative)
            return
        if not operative:
            self._forget_authorization()
            if self.status.status == "Preparing":
                # The specification knows no way from Preparing to Unavailable but this one.
                self._tell(Status("Available"))
        self._availability.set(self.number, operative)
        self.settle()

    def power_up(self, *, senses_cable: bool) -> None:
        """Begin as the hardware stands after a boot, with everything off."""
        self._outputs.power_up()
        if senses_cable:
            self.sense()
        else:
            self.settle()

    def shut_down(self) -> None:
        """Let no timer survive the software."""
        self.sampler.stop()
        self._first_flow.end()
        self._forget_authorization()

    # Inside

    def _vehicle_came(self) -> None:
        self._finishing = self._info = ""
        who = self.authorized
        if who is not None and who.by in self._behaviour.starts_on_plug_after:
            self.on_claimed(self, who)
            self.settle()
            self._start()
        elif self.startable and not self._keeps(self.number):
            self._first_flow.begin()

    def _vehicle_moved(self) -> None:
        """React to the pilot during a transaction."""
        if self.connected:
            self._info = ""
        elif self._plug.pilot == "A":
            stops = self._configuration.flag("StopTransactionOnEVSideDisconnect")
            heeds = self._behaviour.heeds_stop_on_disconnect
            if (stops or self._plug.pulled or not heeds) and self._behaviour.stops_on_disconnect:
                self.stop("EVDisconnected")
                return
            self._info = DISCONNECTED
            wait = self._behaviour.gives_up_disconnected_after
            if wait is not None:
                self._patience = asyncio.get_running_loop().call_later(wait, self._give_up)

    def _give_up(self) -> None:
        if self.transaction is not None:
            self.stop("EVDisconnected")

    def _session_over(self) -> None:
        self._lock_failed = False
        self._info = ""
        self._first_flow.end()
        if self._behaviour.session_ends_with_unplug:
            self._finishing = ""
        if self.held_for is not None:
            self._release()

    def _start(self) -> None:
        who = self.authorized
        assert who is not None
        self._forget_authorization()
        self._first_flow.end()
        if not self._outputs.hold() and self._behaviour.minds_lock:
            self._lock_failed = self._behaviour.reports_lock_failure
            self.settle()
            return
        self.held_for = None
        self._charging.begin(who)
        self.settle()

    def _waited_in_vain(self) -> None:
        if self._behaviour.starts_on_timeout:
            self._start()
        else:
            self.cancel()

    def _forget_authorization(self) -> None:
        self.authorized = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _keeps_cable(self, reason: str) -> bool:
        if not self._plug.in_socket:
            return False
        if reason == "EVDisconnected":
            return not self._configuration.flag("UnlockConnectorOnEVSideDisconnect")
        return reason == "DeAuthorized"

    def _release(self) -> bool:
        self.held_for = None
        return self._outputs.release()

    def settle(self) -> None:
        """Bring outputs and status in line with the facts."""
        scheduled = self._availability.scheduled(self.number)
        if scheduled is not None and self.transaction is None and not self._finishing:
            self._availability.set(self.number, scheduled)
        charging = self._charging
        charging.follow_profiles()
        offers = self.transaction is not None and not charging.withheld and self._plug.served
        status = self.status
        closed = status.status == "Charging" or self._first_flow.flows
        self.sampler.offered = self._outputs.drive(
            offers=offers, closed=closed, limit=charging.limit
        )
        if self._settings.blocks_plug and self.transaction is None and not self._plug.occupied:
            self._outputs.block(self.authorized is None)
        self._tell(status)

    def _tell(self, status: Status) -> None:
        before = self._reported
        if status != before:
            if status.status == "Reserved" and before is not None:
                if before.status not in ("Available", "Faulted"):
                    # The specification knows no other way to Reserved.
                    self._tell(Status("Available"))
            self._reported = status
            self._report(self.number, status)
