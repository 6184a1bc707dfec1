"""`bench.toml`: what is wired (devices, links, roles) and where the OCPP engine listens."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 - a key is called `date`
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from bench import toml
from bench.device import Driver
from bench.errors import ConfigError
from bench.transfer.files import FileSettings

_EXTRAS = {
    "pymodbus": "modbus",
    "pysnmp": "snmp",
    "pyvisa": "visa",
    "serial": "modbus",
    "serialx": "serial",
    "smartcard": "pcsc",
}
"""The extra of pyproject.toml that brings an optional package."""


@dataclass(frozen=True, slots=True)
class OcppSettings:
    """Table `[ocpp]`: the endpoint of the station under test."""

    listen: str = "127.0.0.1:8180"
    """HOST:PORT; port 0 lets the system choose."""
    max_frame: int = 4_194_304
    """Longest message in bytes that is read and recorded; a longer one closes the connection."""


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Table `[operator]`: how long a prompt waits for the person at the bench."""

    within: float = 120.0
    """Seconds until a prompt counts as not answered."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Table `[limits]`: what no load of this bench may exceed, whatever a procedure asks for."""

    current: float | None = None
    """A per phase, at the load and at every meter."""
    voltage: float | None = None
    """V at the load's terminals."""
    power: float | None = None
    """W, at the load and at every meter."""
    temperature: float | None = None
    """°C, at every meter that has a sensor."""

    def __post_init__(self) -> None:
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{one.name!r} is {value:g}, expected more than 0")


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Table `[api]`: how `pilotbench serve` offers its API."""

    certificate: str | None = None
    """PEM file with the certificate chain, beside this file unless absolute; it turns TLS on."""
    key: str | None = None
    """PEM file with the certificate's key."""
    plain: bool = False
    """Allows an address that is not this machine's own without TLS, say behind a proxy."""
    absent_after: float = 60.0
    """Seconds without a sign of an operator after which prompts are held."""
    actuators: bool = False
    """Offers the bench's hands to another test tool (`/plugin`, `/plugout`, `/authorize`, …)."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("keys 'certificate' and 'key': expected both or none")
        if self.absent_after <= 0:
            raise ValueError(f"key 'absent_after': {self.absent_after:g}, expected more than 0")


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """Table `[samples]`: what is read of the devices all the time while a run goes on, in Hz."""

    pilot: float = 10.0
    """Of the control pilot, where a device measures it; 0: not at all, like the others."""
    meters: float = 10.0
    loads: float = 10.0
    modem: float = 1.0
    without: tuple[str, ...] = ()
    """Devices that are left alone, and channels that are left out, such as `rsrq`."""

    def __post_init__(self) -> None:
        for name in ("pilot", "meters", "loads", "modem"):
            value = getattr(self, name)
            if not 0 <= value <= 100:
                raise ValueError(f"key {name!r}: {value:g}, expected 0 to 100")


@dataclass(frozen=True, slots=True)
class LabSettings:
    """Table `[lab]`: what makes a run's record the lab's own."""

    signing_key: str | None = None
    """PEM file with the lab's private Ed25519 key, beside this file unless absolute; runs are
    signed with it (`pilotbench key new FILE` makes one)."""
    timestamp: str | None = None
    """URL of an authority that stamps the time at which a run ended (RFC 3161)."""
    timestamp_within: float = 10.0
    """Seconds in which it must answer; a run without a time stamp is complete all the same."""

    def __post_init__(self) -> None:
        if self.signing_key is not None and "\n" in self.signing_key:
            raise ValueError("key 'signing_key': expected the name of a file, not the key itself")
        if self.timestamp is not None and not _AUTHORITY.fullmatch(self.timestamp):
            # What it would be logged in with is a secret, which is not for this file.
            raise ValueError("key 'timestamp': expected http://HOST/… or https://HOST/…, no login")
        if not 0 < self.timestamp_within <= 60:
            text = f"{self.timestamp_within:g}, expected more than 0, at most 60"
            raise ValueError(f"key 'timestamp_within': {text}")


_AUTHORITY = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """Table `[bench]`: who this bench is."""

    name: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Table `[device.calibration]`: the certificate by which a device's values are traceable."""

    certificate: str
    """Its number, as the report names it."""
    issuer: str
    """The laboratory that calibrated, with the number of its accreditation if it has one."""
    date: Date
    """When it was calibrated, such as 2026-03-02."""
    due: Date | None = None
    """From when on it must be calibrated anew, where the lab sets an interval."""
    note: str = ""
    """What else a reader must know, such as the expanded uncertainty and its coverage factor."""

    def __post_init__(self) -> None:
        if self.due is not None and self.due <= self.date:
            raise ValueError(f"key 'due': {self.due}, expected a day after {self.date}")


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One `[[device]]` table: the driver's own keys are already checked."""

    name: str
    driver_name: str
    driver: Driver
    settings: Any
    role: str | None = None
    """For a procedure that needs two devices of one capability."""
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """A whole `bench.toml`."""

    path: Path
    bench: BenchSettings
    ocpp: OcppSettings = field(default_factory=OcppSettings)
    operator: OperatorSettings = field(default_factory=OperatorSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    samples: SampleSettings = field(default_factory=SampleSettings)
    files: FileSettings = field(default_factory=FileSettings)
    lab: LabSettings = field(default_factory=LabSettings)
    devices: tuple[DeviceEntry, ...] = ()


def load_bench(path: Path) -> BenchConfig:
    """Read and check a `bench.toml`; raises `ConfigError` naming file, table and key."""
    document = toml.load(path)
    tables = ("bench", "ocpp", "operator", "limits", "api", "samples", "files", "lab", "device")
    toml.check_tables(path, document, *tables)
    entries = document.get("device", [])
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: [device] is a single table, expected [[device]]")
    devices = tuple(_device(path, i, table, _drivers()) for i, table in enumerate(entries, start=1))
    names = [device.name for device in devices]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: two [[device]] tables have the name {name!r}")
    fronts = [device.name for device in devices if device.driver.fronts_ocpp]
    if len(fronts) > 1:
        text = " and ".join(fronts)
        raise ConfigError(f"{path}: {text} both want to stand before [ocpp] listen, only one can")
    ocpp = toml.parse(OcppSettings, document.get("ocpp", {}), f"{path}: table [ocpp]")
    split_address(ocpp.listen, f"{path}: table [ocpp], key 'listen'")
    return BenchConfig(
        path=path,
        bench=toml.parse(BenchSettings, document["bench"], f"{path}: table [bench]"),
        ocpp=ocpp,
        operator=toml.parse(
            OperatorSettings, document.get("operator", {}), f"{path}: table [operator]"
        ),
        limits=toml.parse(LimitSettings, document.get("limits", {}), f"{path}: table [limits]"),
        api=toml.parse(ApiSettings, document.get("api", {}), f"{path}: table [api]"),
        samples=toml.parse(SampleSettings, document.get("samples", {}), f"{path}: table [samples]"),
        files=toml.parse(FileSettings, document.get("files", {}), f"{path}: table [files]"),
        lab=toml.parse(LabSettings, document.get("lab", {}), f"{path}: table [lab]"),
        devices=devices,
    )


@functools.cache
def _drivers() -> Mapping[str, EntryPoint]:
    """Find the drivers of all spokes: what is installed stays so while the program runs."""
    return {point.name: point for point in entry_points(group="pilotbench.drivers")}


def _device(path: Path, number: int, table: Any, drivers: Mapping[str, EntryPoint]) -> DeviceEntry:
    where = f"{path}: [[device]] {number}"
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table")
    keys = dict(table)
    name = toml.convert(str, keys.pop("name", None), f"{where}, key 'name'")
    where = f"{path}: [[device]] {name!r}"
    driver_name = toml.convert(str, keys.pop("driver", None), f"{where}, key 'driver'")
    role = toml.convert(str | None, keys.pop("role", None), f"{where}, key 'role'")
    calibration = toml.convert(
        Calibration | None, keys.pop("calibration", None), f"{where}, table [device.calibration]"
    )
    if driver_name not in drivers:
        known = ", ".join(sorted(drivers))
        raise ConfigError(f"{where}, key 'driver': no driver {driver_name!r}, known are {known}")
    try:
        driver = drivers[driver_name].load()
    except ModuleNotFoundError as error:
        text = f"driver {driver_name!r} needs the package {package_of(error)}"
        raise ConfigError(f"{where}, key 'driver': {text}") from error
    return DeviceEntry(
        name=name,
        driver_name=driver_name,
        driver=driver,
        settings=toml.parse(driver.settings, keys, where),
        role=role,
        calibration=calibration,
    )


def package_of(error: ModuleNotFoundError) -> str:
    """Name the package that is missing, and the extra that brings it."""
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package, "")
    return f"{package}, install pilotbench[{extra}]" if extra else package


def split_address(text: str, where: str) -> tuple[str, int]:
    """Split HOST:PORT; raises `ConfigError` when it is not that."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{where}: {text!r}, expected HOST:PORT")
    return host.strip("[]"), int(port)
