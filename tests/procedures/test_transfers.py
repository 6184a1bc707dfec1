"""Firmware and diagnostics of the simulated lab: what is recorded, kept and verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.derivation import Derivation
from bench.dut import DutConfig
from bench.events import FileTransferred
from bench.report import write_all
from bench.verify import verify
from drivers.sim.simulated_bench import open_bench


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
async def test_transfers_are_recorded_and_what_was_kept_can_be_verified(
    tmp_path: Path, protocol: str
) -> None:
    def claim(dut: DutConfig) -> DutConfig:
        return replace(dut, pics={**dut.pics, "CFG.SupportedFileTransferProtocols": [protocol]})

    async with open_bench(tmp_path, change=claim) as bench:
        result = await bench.run("TC_044_1_CS", "TC_044_3_CS", "TC_045_1_CS")
        reasons = {case: end.reason for case, end in bench.ended().items() if end.reason}
        assert reasons == {}
        events = [r.event for r in bench.records if isinstance(r.event, FileTransferred)]
    good, bad, report = events
    assert [event.protocol for event in events] == [protocol] * 3
    assert [event.direction for event in events] == ["download", "download", "upload"]
    assert (good.name, bad.name) == ("firmware.bin", "firmware-damaged.bin")
    assert good.size == (tmp_path / "firmware.bin").stat().st_size
    assert report.attachment is not None
    write_all(result.folder)
    assert verify(result.folder).faults == ()
    kept = result.folder / report.attachment
    kept.write_bytes(kept.read_bytes() + b"!")
    (fault,) = verify(result.folder).faults
    assert fault.startswith(f"{report.attachment} was changed: its SHA-256 is ")


async def test_a_download_that_is_taken_out_of_the_record_is_missed(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        await bench.run("TC_044_1_CS")
        assert bench.ended()["TC_044_1_CS"].verdict == "pass"
        records = [r for r in bench.records if not isinstance(r.event, FileTransferred)]
        difference = Derivation(records).first_difference()
        assert difference is not None
        assert "Firmware that the station fetched, SHA-256" in str(difference)
