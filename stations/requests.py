"""What a station answers to the CALLs of the CSMS (OCPP 1.6 ed. 2 clause 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bench.ocpp import schema
from bench.ocpp.frame import Call
from stations.admission import Admission
from stations.authorization import Authorizer
from stations.availability import Availability
from stations.conduct import Conduct
from stations.configuration import Configuration
from stations.connector import Connector
from stations.messages import Answer, Handler, Payload
from stations.registration import Registration
from stations.status import StatusReporter

NOT_SUPPORTED = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ClearChargingProfile",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "ReserveNow",
        "SendLocalList",
        "SetChargingProfile",
        "SignedUpdateFirmware",
        "TriggerMessage",
        "UpdateFirmware",
    }
)
"""Actions of the profiles and the whitepaper that the station knows by name only."""

_CODES = {
    "required": "OccurenceConstraintViolation",
    "additionalProperties": "FormationViolation",
    "type": "TypeConstraintViolation",
}
"""The error code that fits a broken schema keyword."""


class Requests:
    """Decide each answer at once; what follows from it happens after it was sent."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        *,
        admission: Admission,
        authorizer: Authorizer,
        availability: Availability,
        conduct: Conduct,
        configuration: Configuration,
        registration: Registration,
        reporter: StatusReporter,
        reset: Callable[[str], None],
        send: Callable[[str, Payload], None],
        remote_trigger: bool = True,
        profiles: Iterable[Mapping[str, Handler]] = (),
        takes_with_remote_start: Callable[[Payload], bool] | None = None,
        triggers: Mapping[str, Callable[[], Answer]] | None = None,
    ) -> None:
        self._connectors = connectors
        self._admission = admission
        self._authorizer = authorizer
        self._availability = availability
        self._conduct = conduct
        self._configuration = configuration
        self._registration = registration
        self._reporter = reporter
        self._reset = reset
        self._send = send
        self._takes_with_remote_start = takes_with_remote_start
        self._handlers: dict[str, Handler] = {
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": self._clear_cache,
            "DataTransfer": self._data_transfer,
            "GetConfiguration": self._get_configuration,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset_station,
            "UnlockConnector": self._unlock,
        }
        if remote_trigger:
            self._handlers["TriggerMessage"] = self._trigger
        self._triggers = triggers or {}
        """How other messages than those of Core are triggered."""
        for handlers in profiles:
            self._handlers |= handlers

    def answer(self, call: Call) -> Answer | None:
        """Decide the answer to a CALL; None while the CSMS has rejected the station."""
        if self._registration.status == "Rejected":
            return None
        if self._pending and not self._conduct.behaviour.answers_while_pending:
            return None
        return self._conduct.answer(call.action, call.payload, self._decide(call))

    def _decide(self, call: Call) -> Answer:
        handler = self._handlers.get(call.action)
        if handler is None:
            error = "NotSupported" if call.action in NOT_SUPPORTED else "NotImplemented"
            return Answer(error=error, description=f"{call.action} is not available here")
        problems = [p for p in schema.problems(call.action, call.payload) if not p.is_format]
        if problems:
            return Answer(error=_error_code(problems[0]), description=str(problems[0]))
        return handler(call.payload)

    @property
    def _pending(self) -> bool:
        return self._registration.status == "Pending"

    # Core

    def _change_availability(self, payload: Payload) -> Answer:
        number, operative = payload["connectorId"], payload["type"] == "Operative"
        if number != 0 and number not in self._connectors:
            return _status("Rejected")
        concerned = [c for c in self._connectors.values() if number in (0, c.number)]
        busy = any(c.transaction is not None and c.operative != operative for c in concerned)

        def change() -> None:
            if number == 0 and self._availability.operative(0) != operative:
                self._availability.set(0, operative)
                self._reporter.report(0)
            for connector in concerned:
                connector.change_availability(operative)

        return _status("Scheduled" if busy else "Accepted", change)

    def _change_configuration(self, payload: Payload) -> Answer:
        key, value = payload["key"], payload["value"]
        status = self._configuration.assess(key, value)
        stores = not self._pending or self._conduct.behaviour.stores_while_pending
        if status in ("Accepted", "RebootRequired") and stores:
            return _status(status, lambda: self._configuration.write(key, value))
        return _status(status)

    def _clear_cache(self, payload: Payload) -> Answer:
        if not self._authorizer.can_clear:
            return _status("Rejected")
        return _status("Accepted", self._authorizer.clear)

    def _data_transfer(self, payload: Payload) -> Answer:
        return _status("UnknownVendorId")

    def _get_configuration(self, payload: Payload) -> Answer:
        names: list[str] = payload.get("key") or []
        most = self._configuration.number("GetConfigurationMaxKeys")
        if len(names) > most:
            text = f"{len(names)} keys, expected at most {most}"
            return Answer(error="OccurenceConstraintViolation", description=text)
        return Answer(self._configuration.report(names))

    def _remote_start(self, payload: Payload) -> Answer:
        wanted, id_tag = payload.get("connectorId"), payload["idTag"]
        connector = self._admission.connector_for_remote_start(wanted, id_tag)
        if connector is None or self._pending:
            busy = self._connectors.get(wanted or 0)
            if busy and busy.transaction and self._conduct.behaviour.stops_when_busy:
                return _status("Rejected", lambda: busy.stop("Other"))
            return _status("Rejected")
        if not self._conduct.behaviour.remote_start_of_cached and self._authorizer.knows(id_tag):
            return _status("Rejected")
        # A product without smart charging ignores the charging profile (clause 5.11).
        profile = payload.get("chargingProfile") if self._takes_with_remote_start else None
        if self._takes_with_remote_start and profile is not None:
            if not self._takes_with_remote_start(profile):
                return _status("Rejected")
        return _status(
            "Accepted", lambda: self._admission.start_remotely(connector, id_tag, profile)
        )

    def _remote_stop(self, payload: Payload) -> Answer:
        wanted = payload["transactionId"]
        for connector in self._connectors.values():
            transaction = connector.transaction
            if transaction is None or self._pending:
                continue

            def stop(connector: Connector = connector, running: Any = transaction) -> None:
                if connector.transaction is running:
                    connector.stop("Remote")

            if transaction.transaction_id == wanted:
                return _status("Accepted", stop)
            if not self._conduct.behaviour.minds_transaction_id:
                return _status("Rejected", stop)
        return _status("Rejected")

    def _reset_station(self, payload: Payload) -> Answer:
        return _status("Accepted", lambda: self._reset(payload["type"]))

    def _unlock(self, payload: Payload) -> Answer:
        connector = self._connectors.get(payload["connectorId"])
        claim = self._conduct.behaviour.unlocking_in_session
        if connector is not None and connector.transaction is not None and claim:
            return _status(claim)
        if connector is None or connector.fixed_cable:
            return _status("NotSupported")
        return _status("Unlocked" if connector.unlock() else "UnlockFailed")

    # RemoteTrigger

    def _trigger(self, payload: Payload) -> Answer:
        message, number = payload["requestedMessage"], payload.get("connectorId")
        if message in self._triggers:
            return self._triggers[message]()
        match message:
            case "BootNotification":
                if self._registration.status == "Accepted":
                    return _status("Rejected")
                return _status("Accepted", self._registration.trigger)
            case "Heartbeat":
                return _status("Accepted", lambda: self._send("Heartbeat", {}))
            case "DiagnosticsStatusNotification":
                return _status("Accepted", lambda: self._send(message, {"status": "Idle"}))
            case "StatusNotification":
                return self._for_connectors(number, 0, self._reporter.report)
            case "MeterValues":
                return self._for_connectors(
                    number, 1, lambda n: self._connectors[n].sampler.trigger()
                )
            case _:
                return _status("NotImplemented")

    def _for_connectors(
        self, number: int | None, first: int, send: Callable[[int], None]
    ) -> Answer:
        """Send a message for one connector, or for all from `first` on when none is named."""
        every = range(first, len(self._connectors) + 1)
        known = number is None or number in every

        def send_all() -> None:
            for each in every if number is None or not known else (number,):
                send(each)

        if known:
            return _status("Accepted", send_all)
        obeys = self._conduct.behaviour.obeys_rejected_triggers
        return _status("Rejected", send_all if obeys else None)


def _error_code(problem: schema.Problem) -> str:
    """Return the code of OCPP-J 1.6 clause 4.2.3 for a payload that breaks its schema."""
    return _CODES.get(problem.keyword, "PropertyConstraintViolation")


def _status(status: str, then: Callable[[], None] | None = None) -> Answer:
    return Answer({"status": status}, then=then)
