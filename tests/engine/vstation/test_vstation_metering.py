"""Meter values: when, which and where."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from tests.engine.vstation.rig import VISA, Heard, rig


def _taken(heard: Heard) -> datetime:
    return datetime.fromisoformat(heard.payload["meterValue"][0]["timestamp"])


def _samples(heard: Heard) -> list[dict[str, str]]:
    samples: list[dict[str, str]] = heard.payload["meterValue"][0]["sampledValue"]
    return samples


async def test_sampled_values_come_at_the_interval_with_the_configured_measurands() -> None:
    keys = {
        "MeterValueSampleInterval": "10",
        "MeterValuesSampledData": "Energy.Active.Import.Register,Voltage,Current.Import.L2,"
        "Power.Active.Import,Current.Offered,Power.Offered",
    }
    async with rig(keys=keys) as r:
        await r.booted()
        number = await r.charging()
        values = [
            await r.csms.expect("MeterValues", connectorId=1, transactionId=number)
            for _ in range(4)
        ]
        gaps = [(_taken(b) - _taken(a)).total_seconds() for a, b in pairwise(values)]
        assert gaps == pytest.approx([10] * 3, abs=0.2)
        last = _samples(values[-1])
        assert {sample["context"] for sample in last} == {"Sample.Periodic"}
        found = [(s["measurand"], s.get("phase"), s["unit"]) for s in last]
        assert found == [
            ("Energy.Active.Import.Register", None, "Wh"),
            ("Voltage", "L1-N", "V"),
            ("Voltage", "L2-N", "V"),
            ("Voltage", "L3-N", "V"),
            ("Current.Import", "L2", "A"),
            ("Power.Active.Import", None, "W"),
            ("Current.Offered", None, "A"),
            ("Power.Offered", None, "W"),
        ]
        values_only = [float(s["value"]) for s in last]
        assert values_only[1:] == [230, 230, 230, 16, 11040, 32, 22080]
        registers = [float(_samples(value)[0]["value"]) for value in values]
        assert registers == sorted(registers)
        await r.csms.configure(MeterValueSampleInterval="0")
        await r.csms.nothing("MeterValues", during=40)
        await r.csms.configure(MeterValueSampleInterval="3")
        await r.csms.expect("MeterValues", within=4)


async def test_an_empty_list_means_the_energy_register() -> None:
    keys = {"MeterValueSampleInterval": "5", "MeterValuesSampledData": ""}
    async with rig(keys=keys) as r:
        await r.booted()
        await r.charging()
        (sample,) = _samples(await r.csms.expect("MeterValues"))
        assert sample["measurand"] == "Energy.Active.Import.Register"


async def test_clock_aligned_values_fall_on_the_grid() -> None:
    async with rig(keys={"ClockAlignedDataInterval": "20"}) as r:
        await r.booted()
        first = await r.csms.expect("MeterValues", connectorId=1)
        assert "transactionId" not in first.payload
        number = await r.charging()
        values = [await r.csms.expect("MeterValues", transactionId=number) for _ in range(3)]
        for value in [first, *values]:
            taken = _taken(value)
            assert taken.second % 20 == pytest.approx(0, abs=0.2)
            assert {sample["context"] for sample in _samples(value)} == {"Sample.Clock"}
        gaps = [(_taken(b) - _taken(a)).total_seconds() for a, b in pairwise(values)]
        assert gaps == pytest.approx([20] * 2, abs=0.2)


async def test_the_stop_carries_the_configured_values() -> None:
    keys = {
        "MeterValueSampleInterval": "5",
        "StopTxnSampledData": "Energy.Active.Import.Register",
    }
    async with rig(keys=keys) as r:
        await r.booted()
        await r.charging()
        for _ in range(3):
            await r.csms.expect("MeterValues")
        r.present(VISA)
        stop = await r.csms.expect("StopTransaction")
        data = stop.payload["transactionData"]
        contexts = [value["sampledValue"][0]["context"] for value in data]
        assert contexts == [
            "Transaction.Begin",
            *["Sample.Periodic"] * 3,
            "Transaction.End",
        ]


async def test_a_long_transaction_drops_values_from_the_middle() -> None:
    keys = {
        "MeterValueSampleInterval": "1",
        "StopTxnSampledData": "Energy.Active.Import.Register",
    }
    async with rig(keys=keys) as r:
        await r.booted()
        await r.charging()
        for _ in range(250):
            await r.csms.expect("MeterValues")
        r.present(VISA)
        data = (await r.csms.expect("StopTransaction")).payload["transactionData"]
        assert 50 < len(data) <= int(await r.csms.value("StopTransactionMaxMeterValues"))
        contexts = [value["sampledValue"][0]["context"] for value in data]
        assert (contexts[0], contexts[-1]) == ("Transaction.Begin", "Transaction.End")
        times = [value["timestamp"] for value in data]
        assert times == sorted(times)


async def test_no_values_in_the_stop_unless_configured() -> None:
    async with rig(keys={"MeterValueSampleInterval": "5"}) as r:
        await r.booted()
        await r.charging()
        await r.csms.expect("MeterValues")
        r.present(VISA)
        assert "transactionData" not in (await r.csms.expect("StopTransaction")).payload
