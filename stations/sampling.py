"""The meter values of one connector: when they are taken and which message carries them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stations.clock import Clock
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.hardware import EvseHardware
from stations.messages import Payload
from stations.metering import REGISTER, EnergyLog, sampled_values
from stations.settings import StationSettings
from stations.ticker import Ticker
from stations.transactions import Transaction, Transactions


class Sampler:
    """Read the meter of one connector, periodically during a transaction (clause 3.16)."""

    def __init__(
        self,
        number: int,
        hardware: EvseHardware,
        energy: EnergyLog,
        configuration: Configuration,
        transactions: Transactions,
        clock: Clock,
        settings: StationSettings,
        behaviour: Behaviour,
        send: Callable[[str, Payload], None],
    ) -> None:
        self.offered = 0.0
        """What the connector offers, A per phase."""
        self.on_logged: Callable[[int], None] = lambda register: None
        """Called with the energy register in Wh whenever it is logged in a transaction."""
        self._number = number
        self._hardware = hardware
        self._energy = energy
        self._configuration = configuration
        self._transactions = transactions
        self._clock = clock
        self._send = send
        self._late = behaviour.sampled_after
        self._transaction: Transaction | None = None
        self._log = Ticker(lambda: settings.log_interval, self._log_meter)
        self._samples = Ticker(
            lambda: configuration.number("MeterValueSampleInterval") * behaviour.sample_factor,
            self._take_sample,
        )
        configuration.watch("MeterValueSampleInterval", self._samples.interval_changed)

    def register(self) -> int:
        """Read the energy register in Wh."""
        return self._energy.register(self._number, self._hardware.meter())

    def begin(self, transaction: Transaction) -> None:
        """Sample a transaction that begins now."""
        self._transaction = transaction
        self._log.start()
        if self._late:
            asyncio.get_running_loop().call_later(self._late, self._begin_late, transaction)
        else:
            self._samples.start()
        for key in ("StopTxnSampledData", "StopTxnAlignedData"):
            self._keep(key, "Transaction.Begin")

    def _begin_late(self, transaction: Transaction) -> None:
        if self._transaction is transaction:
            self._samples.start()

    def end(self) -> list[Payload]:
        """Log the end of the transaction and return its meter values for the StopTransaction."""
        assert self._transaction is not None
        transaction = self._transaction
        self.stop()
        self._transactions.log(transaction, self.register())
        last = {
            key: self._value(key, "Transaction.End")
            for key in ("StopTxnSampledData", "StopTxnAlignedData")
            if self._configuration.items(key)
        }
        return [*transaction.samples, *last.values()]

    def stop(self) -> None:
        """Sample no more."""
        self._log.stop()
        self._samples.stop()
        self._transaction = None

    def sample_aligned(self) -> None:
        """Take the clock-aligned sample that is due now."""
        self._keep("StopTxnAlignedData", "Sample.Clock")
        self._deliver(self._value("MeterValuesAlignedData", "Sample.Clock"))

    def trigger(self) -> None:
        """Send the present values because the CSMS wants them."""
        self._deliver(self._value("MeterValuesSampledData", "Trigger"))

    def _take_sample(self) -> None:
        self._keep("StopTxnSampledData", "Sample.Periodic")
        self._deliver(self._value("MeterValuesSampledData", "Sample.Periodic"))

    def _log_meter(self) -> None:
        if self._transaction is not None:
            register = self.register()
            self._transactions.log(self._transaction, register)
            self.on_logged(register)

    def _deliver(self, value: Payload) -> None:
        if self._transaction is not None:
            self._transactions.meter_values(self._transaction, value)
        else:
            self._send("MeterValues", {"connectorId": self._number, "meterValue": [value]})

    def _keep(self, key: str, context: str) -> None:
        if self._transaction is not None and self._configuration.items(key):
            self._transactions.keep_sample(self._transaction, self._value(key, context))

    def _value(self, key: str, context: str) -> Payload:
        meter = self._hardware.meter()
        samples = sampled_values(
            self._configuration.items(key) or [REGISTER],
            meter,
            energy=self._energy.register(self._number, meter),
            offered=self.offered,
            context=context,
        )
        return {"timestamp": self._clock.stamp(), "sampledValue": samples}
