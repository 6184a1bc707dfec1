"""A sample of the suite in real time, over serial ports, TCP and HTTP: every device of the lab.

The whole suite runs in virtual time (`tests/procedures/test_seen_to_fail.py`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.events import Acted, DeviceOpened
from tests.engine.meanwhile import check_sound, happened
from tests.procedures.simulated import simulated

SAMPLE = (
    "TC_001_CS",
    "TC_003_CS",
    "TC_004_1_CS",
    "TC_010_CS",
    "TC_013_CS",
    "TC_014_CS",
    "TC_015_CS",
    "TC_019_CS",
    "TC_021_CS",
    "TC_031_CS",
    "TC_036_CS",
    "TC_040_1_CS",
)


@pytest.mark.slow
async def test_the_good_station_passes_a_sample_in_real_time(tmp_path: Path) -> None:
    async with simulated(tmp_path, impatient=False) as bench:
        result = await bench.run(*SAMPLE)
        assert result.counts == {"pass": len(SAMPLE)}, bench.failures()
        check_sound(result)
        assert {acted.device for acted in happened(bench, Acted)} >= {
            "pilot-box",
            "card-changer",
            "mains",
            "network",
        }
        opened = {event.device for event in happened(bench, DeviceOpened)}
        assert opened >= {"meter", "modem"}
