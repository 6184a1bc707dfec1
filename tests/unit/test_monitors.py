"""The rules that hold in every case, each seen to be kept and to be broken."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.clock import Stamp
from bench.ocpp.frame import Call, CallError, CallResult, Frame
from bench.ocpp.message import Received
from bench.ocpp.monitors import NAMES, Monitors
from bench.ocpp.rules.finding import Finding
from bench.ocpp.rules.status import TRANSITIONS

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


class Wire:
    """Feeds a monitor with frames, as a station and a CSMS would exchange them."""

    def __init__(self, *waived: str) -> None:
        self.monitors = Monitors(connectors=2, deviation=4.0, waived=waived)
        self.findings: list[Finding] = []
        self.n = 0

    def receive(self, frame: Frame, later: float = 0.0) -> None:
        self.n += 1
        moment = Stamp(self.n + later, NOW + timedelta(seconds=later))
        message = Received(self.n, moment, 1, frame)
        self.findings += self.monitors.received(message)

    def call(self, action: str, answer: dict[str, Any] | None = None, **payload: Any) -> None:
        message_id = f"m{self.n}"
        self.receive(Call(message_id, action, payload))
        self.monitors.sent(CallResult(message_id, answer or {}), self.n + 0.5)

    def boot(self, status: str = "Accepted") -> None:
        answer = {"status": status, "currentTime": at(0), "interval": 5}
        self.call("BootNotification", answer, chargePointVendor="v", chargePointModel="m")

    def status(self, connector: int, status: str, **more: Any) -> None:
        payload: dict[str, Any] = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
        } | more
        self.call("StatusNotification", **payload)

    def start(self, number: int, meter: int = 100) -> None:
        answer = {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        self.call(
            "StartTransaction", answer, connectorId=1, idTag="A", meterStart=meter, timestamp=at(0)
        )

    def meter(self, seconds: float, value: str, number: int | None = 7, **sample: str) -> None:
        payload: dict[str, Any] = {
            "connectorId": 1,
            "meterValue": [{"timestamp": at(seconds), "sampledValue": [{"value": value} | sample]}],
        }
        if number is not None:
            payload["transactionId"] = number
        self.call("MeterValues", **payload)

    @property
    def found(self) -> list[str]:
        return [finding.monitor for finding in self.findings]


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_good_session_finds_nothing() -> None:
    wire = Wire()
    wire.boot()
    for connector in (0, 1, 2):
        wire.status(connector, "Available")
    wire.status(1, "Preparing")
    wire.start(7)
    wire.status(1, "Charging")
    wire.meter(1, "150")
    wire.call(
        "StopTransaction", {}, transactionId=7, meterStop=160, timestamp=at(2), reason="Local"
    )
    wire.status(1, "Finishing")
    wire.status(1, "Available")
    assert wire.findings == []


@pytest.mark.parametrize("before", sorted(TRANSITIONS))
def test_status_changes_follow_the_matrix(before: str) -> None:
    every = {*TRANSITIONS, "Faulted"}
    for after in sorted(every):
        wire = Wire()
        wire.status(1, before)
        wire.status(1, after)
        legal = after == before or after in TRANSITIONS[before]
        assert (wire.found == []) == legal, (before, after)


def test_faulted_may_be_left_for_any_status_and_a_boot_forgets() -> None:
    wire = Wire()
    wire.status(1, "Charging")
    wire.status(1, "Faulted")
    wire.status(1, "Preparing")
    wire.status(1, "Finishing")
    wire.boot()
    wire.status(1, "Charging")
    assert wire.found == []


def test_connector_zero_has_three_statuses() -> None:
    wire = Wire()
    wire.status(0, "Preparing")
    assert wire.found == ["status"]


def test_connector_must_exist() -> None:
    wire = Wire()
    wire.status(3, "Available")
    assert wire.found == ["connector"]
    assert "connectorId 0 to 2" in wire.findings[0].expected


def test_schema_violation_names_the_field() -> None:
    wire = Wire()
    wire.status(1, "Ready")
    assert wire.found == ["schema"]
    assert 'StatusNotification status: "Ready"' in wire.findings[0].actual


def test_schema_of_answers_is_checked() -> None:
    wire = Wire()
    wire.monitors.sent(Call("r", "Reset", {"type": "Hard"}), 0.5)
    wire.receive(CallResult("r", {"status": "Perhaps"}))
    assert wire.found == ["schema"]
    assert "Reset answer status" in wire.findings[0].actual


def test_error_code_must_be_a_specified_one() -> None:
    wire = Wire()
    wire.monitors.sent(Call("r", "Reset", {"type": "Hard"}), 0.5)
    wire.receive(CallError("r", "OccurrenceConstraintViolation", ""))
    assert wire.found == ["error-code"]


def test_message_ids_start_anew_with_a_connection() -> None:
    wire = Wire()
    for _ in range(2):
        wire.receive(Call("a", "Heartbeat", {}))
        wire.monitors.sent(CallResult("a", {}), wire.n + 0.5)
    assert wire.found == ["message-id"]
    wire.monitors.connected()
    wire.receive(Call("a", "Heartbeat", {}))
    assert wire.found == ["message-id"]


@pytest.mark.parametrize("text", ["2026-01-01 12:00:00Z", "2026-01-01T12:00:00", "now"])
def test_timestamp_format(text: str) -> None:
    wire = Wire()
    wire.status(1, "Available", timestamp=text)
    assert wire.found == ["timestamp-format"]


@pytest.mark.parametrize("text", ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00.5+01:00"])
def test_timestamps_with_fraction_and_offset_are_legal(text: str) -> None:
    wire = Wire()
    wire.boot()
    wire.status(1, "Available", timestamp=text)
    assert wire.found == []


def test_clock_ahead_is_found_once_it_was_set() -> None:
    wire = Wire()
    wire.status(1, "Available", timestamp=at(60))
    assert wire.found == []
    wire.boot()
    wire.status(1, "Available", timestamp=at(3.9))
    assert wire.found == []
    wire.status(1, "Available", timestamp=at(4.1))
    assert wire.found == ["timestamp-drift"]
    assert "4.1 s ahead" in wire.findings[0].actual


def test_old_timestamps_of_queued_messages_are_legal() -> None:
    wire = Wire()
    wire.boot()
    wire.start(7)
    wire.meter(-600, "100")
    assert wire.found == []


def test_a_transaction_from_before_the_run_is_a_warning() -> None:
    wire = Wire()
    wire.boot()
    wire.call("StopTransaction", {}, transactionId=9, meterStop=160, timestamp=at(2))
    wire.start(7)
    wire.call("StopTransaction", {}, transactionId=8, meterStop=160, timestamp=at(2))
    found = [(finding.monitor, finding.warning) for finding in wire.findings]
    assert found == [("transaction", True), ("transaction", False)]


def test_unknown_transaction_is_found() -> None:
    wire = Wire()
    wire.start(7)
    wire.meter(1, "100", number=8)
    wire.call("StopTransaction", {}, transactionId=9, meterStop=160, timestamp=at(2))
    assert wire.found == ["transaction", "transaction"]
    assert "7" in wire.findings[0].expected


def test_falling_register_is_found() -> None:
    wire = Wire()
    wire.start(7)
    wire.meter(1, "150")
    wire.meter(2, "140")
    assert wire.found == ["register"]
    wire.meter(3, "0.141", unit="kWh")
    wire.meter(4, "5", measurand="Power.Active.Import")
    wire.meter(5, "5", phase="L1")
    assert wire.found == ["register"]
    wire.call("StopTransaction", {}, transactionId=7, meterStop=100, timestamp=at(6))
    assert wire.found == ["register", "register"]
    assert wire.findings[-1].actual == "meterStop 100 Wh"


def test_a_register_may_be_rounded_and_written_in_kilowatt_hours() -> None:
    wire = Wire()
    wire.start(7, meter=12346)
    wire.meter(1, "12.3", unit="kWh")
    wire.meter(2, "12.36", unit="kWh")
    wire.call("StopTransaction", {}, transactionId=7, meterStop=12354, timestamp=at(3))
    assert wire.findings == []
    wire.start(8, meter=12354)
    wire.meter(4, "12.2", number=8, unit="kWh")
    assert wire.found == ["register"]


def test_each_location_has_its_own_register() -> None:
    wire = Wire()
    wire.start(7)
    for seconds in (1, 2):
        wire.meter(seconds, f"15{seconds}")
        wire.meter(seconds, f"90{seconds}", location="Inlet")
    assert wire.findings == []
    wire.meter(3, "800", location="Inlet")
    assert wire.found == ["register"]


def test_a_station_may_count_each_transaction_from_zero() -> None:
    wire = Wire()
    wire.start(7, meter=0)
    wire.meter(1, "500")
    wire.call("StopTransaction", {}, transactionId=7, meterStop=500, timestamp=at(2))
    wire.meter(3, "0", number=None)
    wire.start(8, meter=0)
    assert wire.findings == []
    wire.meter(4, "40", number=8)
    wire.meter(5, "30", number=8)
    assert wire.found == ["register"]


@pytest.mark.parametrize("value", ["1E999999", "NaN", "-", "Infinity"])
def test_a_register_that_is_no_number_is_left_to_the_cases(value: str) -> None:
    wire = Wire()
    wire.start(7)
    wire.meter(1, value)
    assert wire.findings == []


def test_a_station_that_was_given_no_id_writes_minus_one() -> None:
    wire = Wire()
    wire.start(7)
    start = {"connectorId": 2, "idTag": "A", "meterStart": 100, "timestamp": at(0)}
    wire.receive(Call("refused", "StartTransaction", start))
    wire.monitors.sent(CallError("refused", "InternalError", ""), wire.n + 0.5)
    wire.meter(1, "150", number=-1)
    assert wire.findings == []
    wire.call("StartTransaction", {"transactionId": 8, "idTagInfo": {}}, **start)
    wire.meter(2, "160", number=-1)
    assert wire.found == ["transaction"]


@pytest.mark.parametrize(
    ("before", "after", "warns"),
    [
        ("Available", "Finishing", True),
        ("Finishing", "Charging", True),
        ("Reserved", "SuspendedEV", True),
        ("Preparing", "Unavailable", True),
        ("Preparing", "Reserved", False),
        ("Charging", "Preparing", False),
        ("SuspendedEVSE", "Reserved", False),
        ("Finishing", "Reserved", False),
    ],
)
def test_a_short_preparing_may_be_left_out(before: str, after: str, warns: bool) -> None:
    wire = Wire()
    wire.status(1, before)
    wire.status(1, after)
    assert [(one.monitor, one.warning) for one in wire.findings] == [("status", warns)]


def test_pending_station_may_send_what_was_triggered() -> None:
    wire = Wire()
    wire.boot("Pending")
    for connector in (None, 1):
        wanted = {"requestedMessage": "StatusNotification", "connectorId": connector}
        if connector is None:
            del wanted["connectorId"]
        wire.monitors.sent(Call("t", "TriggerMessage", wanted), 0.5)
        wire.receive(CallResult("t", {"status": "Accepted"}))
        for one in (0, 1, 2) if connector is None else (connector,):
            wire.status(one, "Available")
    assert wire.found == []
    wire.call("Heartbeat")
    assert wire.found == ["before-acceptance"]


def test_what_was_triggered_earlier_is_no_licence_while_pending() -> None:
    wire = Wire()
    trigger = Call("t", "TriggerMessage", {"requestedMessage": "StatusNotification"})
    wire.monitors.sent(trigger, 0.5)
    wire.receive(CallResult("t", {"status": "Accepted"}))
    wire.boot("Pending")
    wire.call("Heartbeat")
    assert wire.found == ["before-acceptance"]


def test_a_call_read_before_the_answer_to_the_one_before_was_sent_overlaps() -> None:
    wire = Wire()
    wire.receive(Call("a", "Heartbeat", {}))
    wire.monitors.sent(CallResult("a", {}), 2.5)
    wire.receive(Call("b", "Heartbeat", {}))
    assert wire.found == ["one-call"]
    wire.monitors.sent(CallResult("b", {}), 2.6)
    wire.receive(Call("c", "Heartbeat", {}))
    assert wire.found == ["one-call"]


def stop(wire: Wire, number: int, **fields: Any) -> None:
    payload = {"transactionId": number, "meterStop": 160, "timestamp": at(2)} | fields
    wire.call("StopTransaction", {}, **payload)


def test_a_clock_that_lags_is_a_warning_while_connected() -> None:
    wire = Wire()
    wire.boot()
    late = Call("late", "StatusNotification", status_of(1, "Available") | {"timestamp": at(1)})
    wire.receive(late, later=6.0)
    assert [(f.monitor, f.warning) for f in wire.findings] == [("timestamp-lag", True)]
    assert "5.0 s ago" in wire.findings[0].actual


def status_of(connector: int, status: str) -> dict[str, Any]:
    return {"connectorId": connector, "errorCode": "NoError", "status": status}


def test_what_waited_for_the_connection_does_not_lag() -> None:
    wire = Wire()
    wire.boot()
    wire.monitors.connected()
    old = Call("old", "StatusNotification", status_of(1, "Available") | {"timestamp": at(-60)})
    wire.receive(old)
    assert wire.findings == []


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_every_connector_reports_after_a_boot(missing: int) -> None:
    wire = Wire()
    wire.boot()
    for connector in {0, 1, 2} - {missing}:
        wire.status(connector, "Available")
    wire.receive(Call("beat", "Heartbeat", {}), later=60)
    assert wire.findings == []
    wire.monitors.sent(CallResult("beat", {}), wire.n + 60.5)
    wire.receive(Call("next", "Heartbeat", {}), later=80)
    assert wire.found == ["first-status"]
    assert wire.findings[0].actual == f"none of connector {missing}"


def test_a_lost_connection_or_a_new_boot_excuses_the_first_statuses() -> None:
    wire = Wire()
    wire.boot()
    wire.monitors.connected()
    wire.receive(Call("beat", "Heartbeat", {}), later=80)
    assert wire.findings == []
    wire = Wire()
    wire.boot("Pending")
    wire.receive(Call("b", "BootNotification", {}), later=80)
    assert "first-status" not in wire.found


def test_a_vehicle_can_only_fail_to_answer_where_there_is_one() -> None:
    wire = Wire()
    wire.status(1, "Preparing", errorCode="EVCommunicationError")
    assert wire.findings == []
    wire.status(1, "Available", errorCode="EVCommunicationError")
    assert [(f.monitor, f.warning) for f in wire.findings] == [("status-error", True)]


def test_a_connector_has_one_transaction_at_a_time() -> None:
    wire = Wire()
    wire.start(7)
    wire.start(8, meter=120)
    assert wire.found == ["one-transaction"]
    assert wire.findings[0].actual == "StartTransaction while 7 runs"


def test_a_start_is_repeated_only_when_its_answer_may_be_lost() -> None:
    wire = Wire()
    wire.start(7)
    wire.monitors.connected()
    wire.start(7)
    assert wire.findings == []
    wire.start(7)
    assert wire.found == ["one-transaction"]
    assert wire.findings[0].actual == "the StartTransaction of 7 again"


def test_a_transaction_that_the_station_disowns_is_over() -> None:
    wire = Wire()
    wire.start(7)
    wire.monitors.sent(Call("r", "RemoteStopTransaction", {"transactionId": 7}), wire.n + 0.1)
    wire.receive(CallResult("r", {"status": "Rejected"}))
    wire.start(8, meter=120)
    assert wire.findings == []


def test_a_transaction_is_stopped_once() -> None:
    wire = Wire()
    wire.start(7)
    stop(wire, 7)
    wire.monitors.connected()
    stop(wire, 7)
    assert wire.findings == []
    stop(wire, 7)
    assert wire.found == ["stop-once"]
    assert wire.findings[0].actual == "StopTransaction transactionId=7 again"


def test_another_stop_after_a_new_connection_is_a_second_one() -> None:
    wire = Wire()
    wire.start(7)
    stop(wire, 7)
    wire.monitors.connected()
    stop(wire, 7, meterStop=170)
    assert wire.found == ["stop-once"]


def test_a_transaction_ends_after_it_began() -> None:
    wire = Wire()
    wire.start(7)
    stop(wire, 7, timestamp=at(-3.9))
    wire.start(8)
    stop(wire, 8, timestamp=at(-4.1))
    assert wire.found == ["stop-time"]


def test_meter_stop_is_not_below_meter_start() -> None:
    wire = Wire()
    wire.start(7, meter=200)
    stop(wire, 7, meterStop=199)
    assert wire.found == ["stop-register"]
    assert wire.findings[0].expected == "at least 200 Wh"


@pytest.mark.parametrize(
    ("measurand", "unit", "fits"),
    [
        ("Voltage", "V", True),
        ("Voltage", "A", False),
        ("Current.Import", "W", False),
        ("Power.Active.Import", "kW", True),
        ("Energy.Reactive.Import.Register", "Wh", False),
        ("Temperature", "Celcius", True),
        ("RPM", "V", True),
    ],
)
def test_units_fit_what_is_measured(measurand: str, unit: str, fits: bool) -> None:
    wire = Wire()
    wire.start(7)
    wire.meter(1, "1", measurand=measurand, unit=unit)
    assert (wire.found == []) == fits


def test_a_waived_rule_only_warns() -> None:
    wire = Wire("stop-once")
    wire.start(7)
    stop(wire, 7)
    stop(wire, 7)
    stop(wire, 8)
    found = [(finding.monitor, finding.warning) for finding in wire.findings]
    assert found == [("stop-once", True), ("transaction", False)]


def test_every_monitor_has_a_name_that_a_waiver_can_use() -> None:
    rules = Path(__file__).parents[2] / "bench/ocpp/rules"
    texts = "".join(path.read_text("utf-8") for path in rules.glob("*.py"))
    assert set(re.findall(r'Finding\(\s*"([a-z-]+)"', texts)) == set(NAMES)
