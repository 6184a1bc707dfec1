"""A charging station of a few lines, in memory, whose every answer and reaction a test replaces."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Never

from bench.clock import from_iso, now
from bench.ocpp.dialogue import Dialogue
from bench.ocpp.frame import Call, CallError, CallResult, encode, parse
from stations.transfer import TransferFailed, deliver, fetch

Payload = dict[str, Any]
Answer = Callable[[Payload], Payload | CallError]
Work = Callable[[], Coroutine[Any, Any, object]]
Reaction = Callable[[Payload], Coroutine[Any, Any, object]]

KEYS = {
    "AuthorizationCacheEnabled": "true",
    "AuthorizeRemoteTxRequests": "true",
    "ClockAlignedDataInterval": "0",
    "ConnectionTimeOut": "60",
    "ConnectorPhaseRotation": "0.RST,1.RST,2.RST",
    "GetConfigurationMaxKeys": "7",
    "HeartbeatInterval": "60",
    "LocalAuthorizeOffline": "true",
    "LocalPreAuthorize": "false",
    "MeterValueSampleInterval": "0",
    "MeterValuesAlignedData": "",
    "MeterValuesSampledData": "",
    "NumberOfConnectors": "2",
    "ReservationsAccepted": "true",
    "ReserveConnectorZeroSupported": "true",
    "ResetRetries": "1",
    "StopTransactionOnEVSideDisconnect": "true",
    "StopTransactionOnInvalidId": "true",
    "StopTxnAlignedData": "",
    "StopTxnSampledData": "",
    "SupportedFeatureProfiles": "Core,RemoteTrigger",
    "TransactionMessageAttempts": "3",
    "TransactionMessageRetryInterval": "60",
    "UnlockConnectorOnEVSideDisconnect": "true",
}
READ_ONLY = {
    "GetConfigurationMaxKeys",
    "NumberOfConnectors",
    "ReserveConnectorZeroSupported",
    "SupportedFeatureProfiles",
}

LEFT = ("Faulted", "Finishing", "Preparing")
"""Statuses that a plug which is taken out ends."""

ACCEPT: Payload = {"status": "Accepted"}
GOOD_FIRMWARE = b"the only firmware that the station takes"
ACCEPTED = (
    "ChangeAvailability",
    "ClearChargingProfile",
    "Reset",
)


class Refused(Exception):
    """A CALL of the station was answered with a CALLERROR, or never."""


class Link:
    """The station's end of a connection."""

    unread = 0

    def __init__(self, number: int) -> None:
        self.number = number
        self.inbox: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, text: str) -> None:
        self.inbox.put_nowait(text)

    async def close(self, code: int, reason: str) -> None:
        pass


class ScriptedStation:
    """Good enough to pass; connector 1 is the one that hands reach."""

    def __init__(self, dialogue: Dialogue, tasks: asyncio.TaskGroup) -> None:
        self.keys = dict(KEYS)
        self.read_only = set(READ_ONLY)
        self.statuses = dict.fromkeys((0, 1, 2), "Available")
        self.answers: dict[str, Answer] = dict.fromkeys(ACCEPTED, lambda payload: dict(ACCEPT)) | {
            "CancelReservation": self._allow_cancel,
            "GetConfiguration": self._read,
            "GetDiagnostics": lambda payload: {"fileName": "report.txt"},
            "UpdateFirmware": lambda payload: {},
            "ChangeConfiguration": self._write,
            "GetLocalListVersion": lambda payload: {"listVersion": self.list_version()},
            "ClearCache": self._clear_cache,
            "DataTransfer": lambda payload: {"status": "UnknownVendorId"},
            "RemoteStartTransaction": self._allow_start,
            "RemoteStopTransaction": self._allow_stop,
            "ReserveNow": self._allow_reservation,
            "SendLocalList": self._take_list,
            "TriggerMessage": self._allow_trigger,
            "UnlockConnector": self._unlock,
        }
        """What is answered, by action."""
        self.reactions: dict[str, Reaction] = {
            "CancelReservation": lambda payload: self.free(),
            "ChangeAvailability": self._change_availability,
            "GetDiagnostics": self.bring_diagnostics,
            "RemoteStartTransaction": self._start_remotely,
            "RemoteStopTransaction": lambda payload: self.stop("Remote"),
            "ReserveNow": self.reserve,
            "Reset": self._reset,
            "TriggerMessage": self.send_triggered,
            "UpdateFirmware": self.update,
        }
        """What is done once Accepted was answered, by action."""
        self.asked: list[Call] = []
        """All CALLs of the bench."""
        self.running: int | None = None
        """The transactionId."""
        self.id_tag = ""
        """Who may charge, or does."""
        self.parent: str | None = None
        """The group of who charges."""
        self.reservation: Payload = {}
        """What the ReserveNow said that holds connector 1; empty without."""
        self.cached: set[str] = set()
        """The idTags in its cache."""
        self.fixed_cable = self.lock_blocked = False
        self.feeds_first = self.prepares_again = False
        """Is Available again once it has fed a plug, and Preparing when somebody may charge."""
        self.version = "1.0"
        self.boots_in_vain = False
        """Restarts also when a firmware can't be installed."""
        self.plugged = self.drawing = False
        self.listed: dict[str, Payload] = {}
        """The local list, by idTag."""
        self.list_sent = 0
        """The version that came with it."""
        self.list_fails = False
        """The list can't be stored."""
        self.untold: list[tuple[str, Payload]] = []
        """Transaction messages that could not be delivered: action and payload."""
        self.changed: set[int] = set()
        """Connectors whose status could not be reported."""
        self.queue: list[Payload] = []
        """Samples that could not be delivered."""
        self.delivers: Callable[[list[Payload]], list[Payload]] = lambda queue: queue
        """What becomes of the queue when the connection is back."""
        self.last_sample: Payload = {}
        """The newest that was delivered."""
        self.deaf = False
        self.reports_after_boot: dict[int, str] = {}
        """By connector: what is reported in place of the truth."""
        self.patience = 1.0
        """Times the interval that a BootNotification was answered with."""
        self.beat: Work = self._beat
        self.reconnect: Work = self._reconnect
        self.send_stop: Callable[..., Coroutine[Any, Any, object]] = self._send_stop
        self.refused: Work = self._stop_refused
        """What is done when the CSMS refuses the card of a transaction."""
        self.wake: Callable[[str], Coroutine[Any, Any, object]] = self._wake
        """What is done once the power is back; the reason ends the transaction."""
        self.origin: datetime | None = None
        """UTC at loop time 0 by the station's clock; the bench's clock if None."""
        self._dialogue = dialogue
        self._tasks = tasks
        self._link: Link | None = None
        self._links = itertools.count(1)
        self._ids = itertools.count(1)
        self._open: dict[str, asyncio.Future[CallResult | CallError]] = {}
        self._turn = asyncio.Lock()
        self._timers: dict[str, asyncio.Task[object]] = {}
        self._life: set[asyncio.Task[object]] = set()

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task = self._tasks.create_task(self._attempt(work))
        self._life.add(task)
        task.add_done_callback(self._life.discard)
        task.add_done_callback(lambda _: work.close())
        return task

    def end(self) -> None:
        """Let nothing go on after the test."""
        for task in tuple(self._life):
            task.cancel()

    @staticmethod
    async def _attempt(work: Coroutine[Any, Any, object]) -> None:
        with contextlib.suppress(Refused):
            await work

    def stamp(self) -> str:
        loop = asyncio.get_running_loop()
        moment = now().utc if self.origin is None else self.origin + timedelta(seconds=loop.time())
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # The connection

    async def connect(self) -> None:
        link = self._link = Link(next(self._links))
        await self._dialogue.opened(link, identity="CP", path="/CP", remote="", offered=[])
        self._timers["inbox"] = self.spawn(self._listen(link))

    def disconnect(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._timers["inbox"].cancel()
            self._dialogue.closed(link, 1006, "")
        for future in self._open.values():
            future.cancel()

    async def _listen(self, link: Link) -> Never:
        while True:
            frame = parse(await link.inbox.get())
            if self.deaf:
                continue
            match frame:
                case Call(message_id, action, payload):
                    self.asked.append(frame)
                    given = self.answers[action](payload)
                    reply: CallResult | CallError = CallResult(message_id, {})
                    if isinstance(given, CallError):
                        reply = CallError(message_id, given.code)
                    else:
                        reply = CallResult(message_id, given)
                    await self._send(encode(reply))
                    agreed = given == ACCEPT or action in ("GetDiagnostics", "UpdateFirmware")
                    if action in self.reactions and agreed and isinstance(reply, CallResult):
                        self.spawn(self.reactions[action](payload))
                case CallResult(message_id) | CallError(message_id):
                    self._open[message_id].set_result(frame)
                case _:
                    raise AssertionError(frame)

    async def _send(self, text: str) -> None:
        if self._link is None:
            raise Refused("no connection")
        await self._dialogue.received(self._link, text, now(), lambda work: None)

    async def call(self, action: str, **payload: Any) -> Payload:
        async with self._turn:
            call = Call(f"s{next(self._ids)}", action, payload)
            future: asyncio.Future[CallResult | CallError]
            future = self._open[call.message_id] = asyncio.get_running_loop().create_future()
            await self._send(encode(call))
            try:
                reply = await future
            except asyncio.CancelledError:
                if future.cancelled():
                    raise Refused("the connection was lost") from None
                raise
        if isinstance(reply, CallError):
            raise Refused(reply.code)
        return reply.payload

    # What it does

    async def boot(self) -> None:
        await self.connect()
        while True:
            answer = await self.call(
                "BootNotification",
                chargePointVendor="Test",
                chargePointModel="Scripted",
                firmwareVersion=self.version,
            )
            if answer["status"] == "Accepted":
                break
            await asyncio.sleep(answer["interval"] * self.patience)
        self.keys["HeartbeatInterval"] = str(answer["interval"])
        for connector in self.statuses:
            await self.report(connector, self.reports_after_boot.get(connector))
        self.timer("heartbeat", self.beat())

    async def reboot(self, reason: str = "") -> None:
        self.lose_power()
        await asyncio.sleep(1.0)
        await self.wake(reason)

    async def _wake(self, reason: str) -> None:
        if self.plugged:
            self.statuses[1] = "Preparing"
        stopped, self.running = self.running, None
        await self.boot()
        if stopped is not None:
            await self.send_stop(stopped, reason)

    def lose_power(self) -> None:
        for name in ("heartbeat", "samples", "aligned", "patience"):
            self.cancel(name)
        self.disconnect()

    async def report(self, connector: int, status: str | None = None, **fields: str) -> None:
        self.statuses[connector] = status or self.statuses[connector]
        if self._link is None:
            self.changed.add(connector)
            return
        told = {"errorCode": "NoError", "status": self.statuses[connector]} | fields
        await self.call("StatusNotification", connectorId=connector, timestamp=self.stamp(), **told)

    async def plug(self) -> None:
        self.plugged = True
        if self.id_tag and self.lock_blocked:
            self.cancel("patience")
            self.id_tag = ""
            await self.report(1, "Faulted", errorCode="ConnectorLockFailure")
        elif self.id_tag:
            await self.start()
        elif not self.reservation:
            await self.report(1, "Preparing")
            if self.feeds_first:
                await self.report(1, "Available")

    async def draw(self) -> None:
        self.drawing = True
        if self.running is not None:
            await self.report(1, "Charging")

    async def unplug(self, *, station_end: bool) -> None:
        was_plugged, self.plugged, self.drawing = self.plugged, False, False
        if self.running is not None:
            if not station_end and self.keys.get("StopTransactionOnEVSideDisconnect") == "false":
                await self.report(1, "SuspendedEV", info="EV side disconnected")
                return
            await self.stop("EVDisconnected")
        if station_end and (was_plugged or self.statuses[1] in LEFT):
            await self.report(1, "Available")

    async def card(self, id_tag: str) -> None:
        if self.running is not None:
            if id_tag == self.id_tag or (self.parent and await self._asked(id_tag) == self.parent):
                await self.stop("Local", idTag=id_tag)
            return
        if id_tag == self.id_tag:
            await self._take_back()
            return
        known = id_tag in self.cached and self.keys["LocalPreAuthorize"] == "true"
        if self._link is None or known:
            await self.admit(id_tag)
            return
        answer = await self.call("Authorize", idTag=id_tag)
        info = answer["idTagInfo"]
        owner = self.reservation.get("idTag", id_tag)
        group = self.reservation.get("parentIdTag", "none")
        if info["status"] == "Accepted" and (owner == id_tag or group == info.get("parentIdTag")):
            self.cached.add(id_tag)
            await self.admit(id_tag)

    async def _asked(self, id_tag: str) -> str | None:
        answer = await self.call("Authorize", idTag=id_tag)
        parent: str | None = answer["idTagInfo"].get("parentIdTag")
        return parent

    async def _take_back(self) -> None:
        self.cancel("patience")
        self.id_tag = ""
        await self.report(1, "Available")

    async def admit(self, id_tag: str) -> None:
        self.id_tag = id_tag
        if self.plugged:
            if self.reservation or self.prepares_again:
                await self.report(1, "Preparing")
            await self.start()
        else:
            await self.report(1, "Preparing")
            self.timer("patience", self._wait_in_vain())

    async def start(self) -> None:
        self.cancel("patience")
        start = {
            "connectorId": 1,
            "idTag": self.id_tag,
            "meterStart": 1000,
            "timestamp": self.stamp(),
            **self._reserved(),
        }
        if self._link is None:
            self.running = -1
            self.untold.append(("StartTransaction", start))
        else:
            answer = await self.call("StartTransaction", **start)
            self.running = answer["transactionId"]
            self.parent = answer["idTagInfo"].get("parentIdTag")
            self.cached.add(self.id_tag)
        if self.drawing:
            await self.report(1, "Charging")
        self.timer("samples", self._sample())
        self.timer("aligned", self._sample_aligned())

    async def stop(self, reason: str, **fields: Any) -> None:
        number, self.running, self.id_tag = self.running, None, ""
        self.cancel("samples")
        self.cancel("aligned")
        assert number is not None
        await self.send_stop(number, reason, **fields)
        await self.report(1, "Finishing")

    async def _send_stop(self, number: int, reason: str, **fields: Any) -> None:
        stop = {
            "transactionId": number,
            "meterStop": 2000,
            "timestamp": self.stamp(),
            "reason": reason,
            **fields,
        }
        if self._link is None:
            self.untold.append(("StopTransaction", stop))
        else:
            await self.call("StopTransaction", **stop)

    async def _stop_refused(self) -> None:
        if self.keys["StopTransactionOnInvalidId"] == "true":
            await self.stop("DeAuthorized")
        else:
            await self.report(1, "SuspendedEVSE")

    async def run_down(self) -> None:
        """Report from a buffered supply that the transaction ends."""
        await self.stop("PowerLoss")
        self.lose_power()

    async def send_triggered(self, payload: Payload) -> None:
        action = payload["requestedMessage"]
        match action:
            case "StatusNotification":
                await self.report(payload["connectorId"])
            case "MeterValues":
                sample = {"value": "1000", "context": "Trigger"}
                value = {"timestamp": self.stamp(), "sampledValue": [sample]}
                await self.call(action, connectorId=payload["connectorId"], meterValue=[value])
            case "Heartbeat":
                await self.call(action)
            case _:
                await self.call(action, status="Idle")

    async def bring_diagnostics(self, payload: Payload) -> None:
        name = "DiagnosticsStatusNotification"
        await self.call(name, status="Uploading")
        try:
            await deliver(payload["location"], "report.txt", b"all is well", within=5.0)
        except TransferFailed:
            await self.call(name, status="UploadFailed")
        else:
            await self.call(name, status="Uploaded")

    async def update(self, payload: Payload) -> None:
        name = "FirmwareStatusNotification"
        await self.call(name, status="Downloading")
        try:
            image = await fetch(payload["location"], within=5.0)
        except TransferFailed:
            await self.call(name, status="DownloadFailed")
            return
        await self.call(name, status="Downloaded")
        good = image == GOOD_FIRMWARE
        if good:
            await self.call(name, status="Installing")
            self.version = "2.0"
        if good or self.boots_in_vain:
            await self.reboot()
        await self.call(name, status="Installed" if good else "InstallationFailed")

    async def reserve(self, payload: Payload) -> None:
        self.reservation = payload
        await self.report(1, "Reserved")
        left = from_iso(payload["expiryDate"]) - now().utc
        self.timer("reservation", self._expire(left.total_seconds()))

    async def _expire(self, wait: float) -> None:
        await asyncio.sleep(wait)
        await self.free()

    async def free(self) -> None:
        self.reservation = {}
        if self.statuses[1] == "Reserved":
            await self.report(1, "Available")

    def _reserved(self) -> Payload:
        reservation, self.reservation = self.reservation, {}
        return {"reservationId": reservation["reservationId"]} if reservation else {}

    async def _reconnect(self) -> None:
        await self.connect()
        changed, self.changed = self.changed, set()
        for connector in changed:
            await self.report(connector)
        untold, self.untold = self.untold, []
        number = -1
        for action, payload in untold:
            if action == "StopTransaction" and payload["transactionId"] == -1:
                payload = payload | {"transactionId": number}
            answer = await self.call(action, **payload)
            if action == "StartTransaction":
                number = answer["transactionId"]
                if self.running is not None:
                    self.running = number
                    if answer["idTagInfo"]["status"] != "Accepted":
                        await self.refused()
        queue, self.queue = self.queue, []
        for sample in self.delivers(queue):
            await self.call("MeterValues", **sample)

    def timer(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        self.cancel(name)
        self._timers[name] = self.spawn(work)

    def cancel(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    async def _beat(self) -> Never:
        while True:
            await asyncio.sleep(int(self.keys["HeartbeatInterval"]))
            await self.call("Heartbeat")

    async def _wait_in_vain(self) -> None:
        await asyncio.sleep(int(self.keys["ConnectionTimeOut"]))
        self.id_tag = ""
        await self.report(1, "Available")

    async def _sample(self) -> None:
        every = int(self.keys["MeterValueSampleInterval"])
        while every:
            await asyncio.sleep(every)
            value = {"timestamp": self.stamp(), "sampledValue": [{"value": "1000"}]}
            sample = {"connectorId": 1, "transactionId": self.running, "meterValue": [value]}
            if self._link is None or self.queue:
                self.queue.append(sample)
            else:
                self.last_sample = sample
                self.spawn(self.call("MeterValues", **sample))

    async def _sample_aligned(self) -> None:
        every = int(self.keys["ClockAlignedDataInterval"])
        while every:
            moment = from_iso(self.stamp()).timestamp()
            await asyncio.sleep((moment // every + 1) * every - moment)
            value = {"value": "1000", "context": "Sample.Clock"}
            values = [{"timestamp": self.stamp(), "sampledValue": [value]}]
            await self.call(
                "MeterValues", connectorId=1, transactionId=self.running, meterValue=values
            )

    # What it answers

    def _read(self, payload: Payload) -> Payload:
        names = payload.get("key") or list(self.keys)
        known = [
            {"key": name, "readonly": name in self.read_only, "value": self.keys[name]}
            for name in names
            if name in self.keys
        ]
        unknown = [name for name in names if name not in self.keys]
        return {"configurationKey": known} | ({"unknownKey": unknown} if unknown else {})

    def _write(self, payload: Payload) -> Payload:
        key, value = payload["key"], payload["value"]
        if key not in self.keys:
            return {"status": "NotSupported"}
        if key in self.read_only or value.startswith("-"):
            return {"status": "Rejected"}
        self.keys[key] = value
        return {"status": "Accepted"}

    def list_version(self) -> int:
        if "LocalAuthListEnabled" not in self.keys:
            return -1
        return self.list_sent if self.listed else 0

    def _take_list(self, payload: Payload) -> Payload:
        if "LocalAuthListEnabled" not in self.keys:
            return {"status": "NotSupported"}
        if self.list_fails:
            return {"status": "Failed"}
        if payload["updateType"] == "Full":
            self.listed = {}
        elif payload["listVersion"] <= self.list_version():
            return {"status": "VersionMismatch"}
        for entry in payload.get("localAuthorizationList", ()):
            self.listed[entry["idTag"]] = entry["idTagInfo"]
        self.list_sent = payload["listVersion"]
        return dict(ACCEPT)

    def _allow_stop(self, payload: Payload) -> Payload:
        running = self.running == payload["transactionId"]
        return {"status": "Accepted" if running else "Rejected"}

    def _allow_reservation(self, payload: Payload) -> Payload:
        if self.keys["ReservationsAccepted"] != "true":
            return {"status": "Rejected"}
        wanted = payload["connectorId"]
        statuses = {self.statuses[connector] for connector in (1, 2) if wanted in (0, connector)}
        if "Available" in statuses:
            return dict(ACCEPT)
        return {"status": "Unavailable" if statuses == {"Unavailable"} else "Occupied"}

    def _allow_cancel(self, payload: Payload) -> Payload:
        known = self.reservation.get("reservationId") == payload["reservationId"]
        return {"status": "Accepted" if known else "Rejected"}

    def _allow_trigger(self, payload: Payload) -> Payload:
        known = payload.get("connectorId", 0) in self.statuses
        return {"status": "Accepted" if known else "Rejected"}

    def _unlock(self, payload: Payload) -> Payload:
        if payload["connectorId"] not in self.statuses or self.fixed_cable:
            return {"status": "NotSupported"}
        if self.lock_blocked:
            return {"status": "UnlockFailed"}
        if self.running is not None:
            self.spawn(self.stop("UnlockCommand"))
        return {"status": "Unlocked"}

    def _allow_start(self, payload: Payload) -> Payload:
        busy = payload["connectorId"] == 1 and self.running is not None
        return {"status": "Rejected" if busy else "Accepted"}

    def _clear_cache(self, payload: Payload) -> Payload:
        self.cached.clear()
        return dict(ACCEPT)

    async def _reset(self, payload: Payload) -> None:
        if payload["type"] == "Soft" and self.running is not None:
            await self.stop("SoftReset")
        await self.reboot(f"{payload['type']}Reset")

    async def _change_availability(self, payload: Payload) -> None:
        status = "Available" if payload["type"] == "Operative" else "Unavailable"
        numbers = self.statuses if payload["connectorId"] == 0 else (payload["connectorId"],)
        for connector in numbers:
            if "Unavailable" in (status, self.statuses[connector]):
                if self.statuses[connector] != status:
                    await self.report(connector, status)

    async def _start_remotely(self, payload: Payload) -> None:
        if payload["connectorId"] != 1:
            await self.report(payload["connectorId"], "Preparing")
            await asyncio.sleep(int(self.keys["ConnectionTimeOut"]))
            await self.report(payload["connectorId"], "Available")
            return
        known = self.keys["LocalPreAuthorize"] == "true" and (
            payload["idTag"] in self.listed or payload["idTag"] in self.cached
        )
        if self.keys["AuthorizeRemoteTxRequests"] == "true" and not known:
            answer = await self.call("Authorize", idTag=payload["idTag"])
            if answer["idTagInfo"]["status"] != "Accepted":
                return
        await self.admit(payload["idTag"])
