"""Transactions and the queue of their messages (OCPP 1.6 ed. 2 clause 3.7)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Never

from stations.authorization import IdTagInfo
from stations.clock import Clock
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.connection import Connection
from stations.messages import CallFailed, Offline, Payload
from stations.metering import MOST_SAMPLES
from stations.storage import Store

NO_TRANSACTION_ID = -1
"""Stands for the id that the CSMS never gave (errata sheet 4.0 clause 3.18)."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Transaction:
    """One transaction as the station remembers it until the CSMS knows its end."""

    number: int
    """The station's own number for it."""
    connector: int
    id_tag: str
    parent: str | None
    transaction_id: int | None = None
    """Given by the CSMS."""
    started: str = ""
    """When it began."""
    seen: str = ""
    """When its meter was logged last."""
    register: int = 0
    """What the meter showed then, in Wh."""
    samples: list[Payload] = field(default_factory=list)
    """Meter values for the StopTransaction."""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class _Message:
    name: str
    action: str
    payload: Payload
    transaction: int


class Transactions:
    """Keep the transactions over power cycles and deliver their messages in order."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        configuration: Configuration,
        connection: Connection,
        online: asyncio.Event,
        behaviour: Behaviour,
    ) -> None:
        self.on_confirmed: Callable[[Transaction, str, IdTagInfo], None] = lambda *_: None
        """Called with what the CSMS says of an idTag in answer to a start or a stop."""
        self.idle = asyncio.Event()
        """Set while no message waits."""
        self._store = store
        self._clock = clock
        self._configuration = configuration
        self._connection = connection
        self._online = online
        self._behaviour = behaviour
        self._waiting = asyncio.Event()
        self._known: dict[int, Transaction] = {}
        self._queue: list[_Message] = []
        self._load()
        self._next_message = 1 + max(
            (int(m.name.rpartition("-")[2]) for m in self._queue), default=0
        )
        self._next_transaction: int = store.read("next-transaction") or 1
        self._set_events()

    @property
    def running(self) -> list[Transaction]:
        """The transactions that have not ended."""
        return [transaction for transaction in self._known.values() if not transaction.ended]

    def start(
        self,
        connector: int,
        id_tag: str,
        parent: str | None,
        register: int,
        reservation: int | None = None,
    ) -> Transaction:
        """Begin a transaction now; `register` in Wh, `reservation` is what it uses up."""
        number = self._next_transaction
        self._next_transaction += 1
        self._store.write("next-transaction", self._next_transaction)
        transaction = Transaction(number, connector, id_tag, parent)
        self._known[number] = transaction
        transaction.started = self._clock.stamp()
        self.log(transaction, register)
        start: Payload = {
            "connectorId": connector,
            "idTag": id_tag,
            "meterStart": register,
            "timestamp": transaction.seen,
        }
        if reservation is not None:
            start["reservationId"] = reservation
        self._add("StartTransaction", start, transaction)
        return transaction

    def stop(
        self,
        transaction: Transaction,
        *,
        reason: str,
        id_tag: str | None,
        data: list[Payload] | None = None,
    ) -> None:
        """End a transaction as of when it was logged last."""
        stop: Payload = {} if id_tag is None else {"idTag": id_tag}
        stop |= {"meterStop": transaction.register, "timestamp": transaction.seen}
        stop["reason"] = reason
        if data:
            stop["transactionData"] = data
        self._add("StopTransaction", stop, transaction)
        transaction.ended = True
        self._save(transaction)

    def meter_values(self, transaction: Transaction, value: Payload) -> None:
        """Send meter values of a running transaction."""
        payload = {"connectorId": transaction.connector, "meterValue": [value]}
        self._add("MeterValues", payload, transaction)

    def keep_sample(self, transaction: Transaction, value: Payload) -> None:
        """Keep meter values for the end; of too many, every other one but the first goes."""
        transaction.samples.append(value)
        if len(transaction.samples) > MOST_SAMPLES - 2:
            del transaction.samples[1::2]
        self._save(transaction)

    def log(self, transaction: Transaction, register: int) -> None:
        """Remember what the meter shows now, in Wh, in case the power goes away."""
        transaction.seen = self._clock.stamp()
        transaction.register = register
        self._save(transaction)

    def forget_all(self) -> None:
        """Lose every transaction and message, as only a defective station does."""
        for name in [*self._store.names("message-"), *self._store.names("transaction-")]:
            self._store.remove(name)
        self._known.clear()
        self._queue.clear()
        self._set_events()

    async def deliver(self) -> Never:
        """Deliver the messages, oldest first, until cancelled."""
        failures = 0
        while True:
            await self._waiting.wait()
            await self._online.wait()
            message = self._first()
            try:
                answer = await self._connection.call(message.action, self._payload(message))
            except Offline:
                continue
            except CallFailed as error:
                failures += 1
                if failures < self._configuration.number("TransactionMessageAttempts"):
                    pause = self._configuration.number("TransactionMessageRetryInterval")
                    await asyncio.sleep(pause * failures)
                    continue
                _log.warning("%s is given up: %s", message.action, error)
                answer = {}
            failures = 0
            self._delivered(message, answer)

    def _first(self) -> _Message:
        hasty = [m for m in self._queue if m.action in self._behaviour.newest_first]
        return hasty[-1] if hasty else self._queue[0]

    def _payload(self, message: _Message) -> Payload:
        payload = dict(message.payload)
        if message.action != "StartTransaction":
            transaction = self._known.get(message.transaction)
            known = transaction.transaction_id if transaction else None
            payload["transactionId"] = NO_TRANSACTION_ID if known is None else known
        if message.action in self._behaviour.stamps_when_sent:
            now = {"timestamp": self._clock.stamp()}
            if message.action == "MeterValues":
                payload["meterValue"] = [value | now for value in payload["meterValue"]]
            else:
                payload |= now
        return payload

    def _delivered(self, message: _Message, answer: Payload) -> None:
        transaction = self._known.get(message.transaction)
        if transaction is not None and message.action == "StartTransaction" and answer:
            if not (transaction.ended and self._behaviour.loses_late_id):
                transaction.transaction_id = answer["transactionId"]
                self._save(transaction)
        if transaction is not None and message.action == "StopTransaction":
            del self._known[transaction.number]
            self._store.remove(_name(transaction))
        self._queue.remove(message)
        self._store.remove(message.name)
        self._set_events()
        if transaction is not None and "idTagInfo" in answer:
            id_tag = message.payload.get("idTag", transaction.id_tag)
            self.on_confirmed(transaction, id_tag, IdTagInfo.of(answer["idTagInfo"]))

    def _add(self, action: str, payload: Payload, transaction: Transaction) -> None:
        if action in self._behaviour.loses_offline and not self._online.is_set():
            return
        name = f"message-{self._next_message:010}"
        self._next_message += 1
        document = {"action": action, "payload": payload, "transaction": transaction.number}
        self._store.write(name, document)
        self._queue.append(_Message(name, action, payload, transaction.number))
        self._set_events()

    def _load(self) -> None:
        for name in self._store.names("message-"):
            stored: dict[str, Any] | None = self._store.read(name)
            if stored is not None:
                self._queue.append(_Message(name, **stored))
        announced = {m.transaction for m in self._queue if m.action == "StartTransaction"}
        ended = {m.transaction for m in self._queue if m.action == "StopTransaction"}
        for name in self._store.names("transaction-"):
            stored = self._store.read(name)
            if stored is None:
                continue
            transaction = Transaction(**stored)
            transaction.ended = transaction.number in ended
            # A power loss between the two writes of a start leaves one that nobody heard of.
            if transaction.transaction_id is not None or transaction.number in announced | ended:
                self._known[transaction.number] = transaction

    def _save(self, transaction: Transaction) -> None:
        self._store.write(_name(transaction), asdict(transaction))

    def _set_events(self) -> None:
        if self._queue:
            self._waiting.set()
            self.idle.clear()
        else:
            self._waiting.clear()
            self.idle.set()


def _name(transaction: Transaction) -> str:
    return f"transaction-{transaction.number:06}"


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
