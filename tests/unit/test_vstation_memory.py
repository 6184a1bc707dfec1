"""What a virtual station keeps in files: whole or not at all, and readable after mishaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from stations.availability import Availability
from stations.clock import read
from stations.configuration import Configuration
from stations.hardware import ChipMeter
from stations.metering import EnergyLog
from stations.settings import StationSettings
from stations.storage import Store

SETTINGS = StationSettings(identity="S", url="ws://localhost/ocpp")


def test_documents_outlive_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "station")
    store.write("b-2", {"x": 1})
    store.write("b-1", [1, 2])
    store.write("a", "gone")
    store.remove("a")
    store.remove("a")
    again = Store(tmp_path / "station")
    assert list(again.names("b-")) == ["b-1", "b-2"]
    assert (again.read("b-1"), again.read("b-2"), again.read("a")) == ([1, 2], {"x": 1}, None)


def test_half_written_and_damaged_documents_are_ignored(tmp_path: Path) -> None:
    Store(tmp_path).write("good", 1)
    (tmp_path / "good.new").write_text('{"half')
    (tmp_path / "bad.json").write_bytes(b'{"half\xff')
    store = Store(tmp_path)
    assert (store.read("good"), store.read("bad")) == (1, None)


def test_a_store_without_a_folder_lives_in_memory() -> None:
    store = Store()
    store.write("a", {"deep": [1]})
    store.read("a")["deep"].append(2)
    assert store.read("a") == {"deep": [1]}


def test_only_written_keys_that_still_fit_are_kept() -> None:
    store = Store()
    first = Configuration(SETTINGS, 1, store)
    first.write("ConnectionTimeOut", "90")
    store.write("configuration", store.read("configuration") | {"Old": "1", "ResetRetries": "x"})
    again = Configuration(SETTINGS, 1, store)
    assert (again.number("ConnectionTimeOut"), again.number("ResetRetries")) == (90, 1)


@pytest.mark.parametrize("key", [("Nonsense", "1"), ("ResetRetries", "-1")])
def test_a_wrong_factory_setting_is_refused(key: tuple[str, str]) -> None:
    settings = StationSettings(identity="S", url="ws://x", configuration=dict([key]))
    with pytest.raises(ValueError, match=f"factory setting {key[0]}='{key[1]}'"):
        Configuration(settings, 1, Store())


def test_a_scheduled_change_is_remembered_until_it_happens() -> None:
    store = Store()
    first = Availability(store)
    first.set(0, False)
    first.schedule(1, False)
    again = Availability(store)
    assert (again.operative(0), again.operative(1), again.scheduled(1)) == (False, True, False)
    again.set(1, False)
    assert (again.operative(1), again.scheduled(1)) == (False, None)


def test_the_energy_register_never_falls() -> None:
    def meter(energy: float) -> ChipMeter:
        return ChipMeter(energy, 0.0, (0.0,) * 3, (0.0,) * 3)

    store = Store()
    first = EnergyLog(store)
    assert [first.register(1, meter(energy)) for energy in (100.9, 100.8, 250.0)] == [100, 100, 250]
    # Another meter chip, which begins anew.
    again = EnergyLog(store)
    assert [again.register(1, meter(energy)) for energy in (3.0, 10.5)] == [250, 257]


def test_times_are_read_leniently() -> None:
    one = read("2026-01-01T00:00:00Z")
    assert one == read("2026-01-01T01:00:00.000+01:00") == read("2026-01-01T00:00:00")
    assert read("yesterday") is None
