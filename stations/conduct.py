"""How a station behaves: like a good product, unless it was given defects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stations.messages import Answer, Payload

BOOTS = frozenset({"power", "Hard", "Soft"})
"""What a boot may come from: the power coming back, or a reset of either type."""

CLEARED_BY = frozenset({"id", "connectorId", "chargingProfilePurpose", "stackLevel"})
"""Fields of a ClearChargingProfile that select profiles."""

TX_PROFILE_NEEDS = frozenset({"transaction", "transactionId"})
"""What a TxProfile is taken for only: a running transaction, and no other one than it names."""

Replacement = Callable[[Payload], Iterable[Payload]]
"""Give the CALLs that are sent in place of one, as payloads of the same action."""

Retort = Callable[[Payload, Answer], Answer]
"""Give the answer that is sent in place of the good one; the request comes first."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a good product does where frames alone can't tell; each field is consulted once."""

    speaks: bool = True
    hangs_after: frozenset[str] = frozenset()
    """Actions of the CSMS after whose answer the software says nothing more."""
    reuses_message_id_for: frozenset[str] = frozenset()
    """Actions whose CALL carries the message id of the CALL before."""
    leaves_open: frozenset[str] = frozenset()
    """Actions whose CALL neither waits for its turn nor makes the next one wait."""

    boots_after: frozenset[str] = BOOTS
    """Announces itself with BootNotification after these."""
    boot_patience: float = 1.0
    """Times the interval that a BootNotification was answered with."""
    chats_while: frozenset[str] = frozenset()
    """Registration statuses in which it sends a Heartbeat unasked."""
    answers_while_pending: bool = True
    stores_while_pending: bool = True
    first_interval_counts: bool = False
    """Takes the heartbeat interval from the first answer to BootNotification, not the last."""
    heartbeat_factor: float = 1.0
    reports_after: frozenset[str] = BOOTS
    """Reports the status of all connectors after these."""
    first_reported: int = 0
    """The first connector whose status is reported after a boot."""

    keeps_availability_over: frozenset[str] = BOOTS
    delivers_before_soft_reset: bool = True
    keeps_messages_over: frozenset[str] = BOOTS
    senses_cable_after: frozenset[str] = BOOTS

    card_patience: float = 1.0
    """Times ConnectionTimeOut, after a card."""
    remote_patience: float = 1.0
    """Times ConnectionTimeOut, after a remote start."""
    starts_on_timeout: bool = False
    starts_on_plug_after: frozenset[str] = frozenset({"card", "remote"})
    starts_without_vehicle: bool = False
    prepares_after_flow: bool = True
    """Reports Preparing when somebody may charge whose plug was fed before."""
    stops_on_disconnect: bool = True
    heeds_stop_on_disconnect: bool = True
    """Lets the key decide whether a disconnection ends the transaction."""
    gives_up_disconnected_after: float | None = None
    """Seconds after which it ends a transaction that a disconnection has suspended; None: never."""
    unlocks_left_cable: bool = True
    rests_as: str = "Finishing"
    """Status after a transaction that the vehicle's side ended, with the plug in the socket."""
    minds_lock: bool = True
    """Starts nothing when the plug can't be locked in."""
    reports_lock_failure: bool = True
    unlock_ends_transaction: bool = True
    unlocking_in_session: str = ""
    """What it answers to UnlockConnector during a transaction, and does nothing; "": the truth."""
    session_ends_with_unplug: bool = True

    asks_before_start: bool = True
    asks_about_early_card: bool = True
    """Asks about a card as well when nothing is plugged in yet."""
    starts_refused_card_after: float | None = None
    """Seconds after which a card that was refused starts all the same; None: never."""
    own_card_stops: bool = True
    any_card_stops: bool = False
    asks_about_foreign_card: bool = False
    notices_group: bool = True
    """Asks about another card when the transaction belongs to a group."""
    stops_by_group: bool = True
    names_owner_for_group: bool = False
    """Names the card that started when another one of its group stopped."""
    takes_back_with_card: bool = True
    """A second presentation takes an authorisation back."""
    taken_back_as: str = ""
    """Status of a connector whose authorisation was taken back; "": what is true."""
    uses_cache: bool = True
    cached_as: str = "Accepted"
    """What an idTag that the cache accepts counts as."""
    remote_start_of_cached: bool = True
    """Accepts a remote start for an idTag in its cache."""
    clears_filled_cache: bool = True
    stops_with_last_card: bool = False
    """Names the card that it read last, not the one that stopped the transaction."""
    asks_before_remote_start: bool = True
    asks_after_remote_start: float | None = None
    """Seconds after which it asks about a remote start that it has let begin; None: never."""
    asks_on_plug: bool = False
    """Asks about who was authorised before when the cable is plugged in."""
    needs_plug_for_remote_start: bool = False
    stops_when_busy: bool = False
    """Ends the running transaction when it refuses a remote start for it."""
    minds_transaction_id: bool = True
    """Lets what runs go on when a remote stop names something else."""

    sample_factor: float = 1.0
    """Times MeterValueSampleInterval."""
    sampled_after: float = 0.0
    """Seconds after its start from which a transaction is sampled."""
    aligned_factor: float = 1.0
    """Times ClockAlignedDataInterval."""

    heeds_reservations: bool = True
    reservation_patience: float = 1.0
    """Times the time until a reservation's expiryDate."""
    refuses_after_reservation: bool = False
    names_ended_reservation: bool = False
    names_reservation_of_any: bool = True
    """Names the reservation of any connector in StartTransaction."""
    names_reservation_of_group: bool = True
    """Names the reservation in StartTransaction when another card of the group uses it."""
    knows_groups_of_reservations: bool = True
    starts_as_owner: bool = False
    """Names the idTag that reserved, not the one that was presented."""
    starts_remotely_when_reserved: bool = True
    cancels_any_reservation: bool = False
    obeys_rejected_triggers: bool = False

    fetches_firmware: bool = True
    verifies_firmware: bool = True
    keeps_firmware: bool = False
    """Boots with the old firmware after it has installed a new one."""
    reports_installation: bool = True
    """Reports Installed after the boot."""
    delivers_diagnostics: bool = True

    loses_offline: frozenset[str] = frozenset()
    """Actions whose messages are lost when they are due without connection."""
    newest_first: frozenset[str] = frozenset()
    """Actions whose messages overtake what was queued before them."""
    stamps_when_sent: frozenset[str] = frozenset()
    """Actions whose messages carry the time of their sending."""
    starts_offline: bool = True
    asks_after_offline: bool = False
    """Asks about a card that started offline when the connection is back."""
    tells_offline_changes: bool = True
    """Reports the statuses that changed without connection when it is back."""
    stops_at_power_loss: bool = True
    """Reports the end of its transactions from its buffered supply, if it has one."""

    heeds_invalid_id: bool = True
    """Reacts when the CSMS refuses the idTag of a running transaction."""
    invalid_id_patience: float = 0.0
    """Seconds until it does."""
    invalid_id_stops: bool | None = None
    """Whether that ends the transaction; None: as StopTransactionOnInvalidId says."""
    stops_after_withholding: float | None = None
    """Seconds after which a transaction ends that gets no more energy; None: it goes on."""
    loses_late_id: bool = False
    """Ignores the transactionId of a transaction that has ended already."""

    heeds_list: bool = True
    notices_list_failure: bool = True
    empty_list_has_version: bool = False
    checks_list_version: bool = True
    differential_sets_version: bool = True
    mismatch_sets_version: bool = False
    """Takes the version of a local list that it refuses for its old version."""

    tx_profile_needs: frozenset[str] = TX_PROFILE_NEEDS
    checks_remote_profile: bool = True
    remote_profile_factor: float | None = 1.0
    """Times the limits of a profile that a remote start brought; None: ignores the profile."""
    stacks_profiles: bool = True
    """Holds several profiles of one purpose, if their levels differ."""
    highest_level_prevails: bool = True
    schedules_end: bool = True
    """Lets a schedule end after its duration, so that a lower level is used."""
    tx_profile_overrules: bool = True
    default_reaches_running: bool = True
    """Uses a new default profile for a transaction that runs already."""
    default_stops_running: bool = False
    heeds_station_maximum: bool = True
    clears_by: frozenset[str] = CLEARED_BY
    clears_station_maximum: bool = True


@dataclass(frozen=True, slots=True)
class Defect:
    """One way in which a station is broken on purpose, and who is meant to notice."""

    name: str
    text: str
    caught_by: str
    """The case that is meant to fail."""
    reason: tuple[str, ...]
    """Words that the verdict's reason must contain."""
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Replacement] = field(default_factory=dict)
    """By action: what becomes of the station's own CALLs."""
    answers: Mapping[str, Retort] = field(default_factory=dict)
    """By action: what becomes of its answers."""
    variant: str = "default"
    """The product that has it, as the simulated lab names it."""


class Conduct:
    """The behaviour of a station with all its defects together."""

    def __init__(self, defects: Iterable[Defect] = ()) -> None:
        self._defects = tuple(defects)
        self.behaviour = Behaviour()
        for defect in self._defects:
            self.behaviour = _worse(self.behaviour, defect.behaviour)

    def calls(self, action: str, payload: Payload) -> list[Payload]:
        """Return what the station sends when it should send one CALL."""
        payloads = [payload]
        for defect in self._defects:
            if action in defect.calls:
                payloads = [out for one in payloads for out in defect.calls[action](one)]
        return payloads

    def answer(self, action: str, request: Payload, answer: Answer) -> Answer:
        """Return what the station answers when `answer` is right."""
        for defect in self._defects:
            if action in defect.answers:
                answer = defect.answers[action](request, answer)
        return answer


def _worse(before: Behaviour, defect: Mapping[str, Any]) -> Behaviour:
    """Add a defect to what others do: of a set, it takes and adds only what is its own."""
    changes = dict(defect)
    for name, value in defect.items():
        good = getattr(_GOOD, name)
        if isinstance(value, frozenset):
            changes[name] = (getattr(before, name) - (good - value)) | (value - good)
    return replace(before, **changes)


_GOOD = Behaviour()
