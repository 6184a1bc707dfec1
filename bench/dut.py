"""`dut.toml`: PICS answers of the product, and PIXIT of the sample on the bench."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench import toml
from bench.capability import Card
from bench.cards import Notation, id_tag_of, uid_bytes
from bench.errors import ConfigError, Unverifiable
from bench.ocpp import monitors
from bench.questionnaire import QUESTIONS, question_of


@dataclass(frozen=True, slots=True)
class DutIdentity:
    """Table `[dut]`: the product under certification."""

    kind: Literal["charging-station", "csms"]
    identity: str
    """The charge point id, last segment of the endpoint's path."""
    vendor: str
    model: str
    software: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Table `[pixit.timing]`: waits in seconds; names as in the case reference."""

    response: float = 30.0
    """Answer to a CALL (OCPP response timeout of the PICS)."""
    triggered: float = 70.0
    """Message that must follow an event (triggered function timeout of the PICS)."""
    boot: float = 600.0
    """Reboot until BootNotification."""
    soft_boot: float = 60.0
    """How long a soft reset may take before "no BootNotification" is decided."""
    reconnect: float = 300.0
    """Reconnection after the network path is mended."""
    settling: float = 30.0
    """Window in which nothing may happen (transaction duration)."""
    offline: float = 10.0
    """Shortest time that the network path stays cut."""
    deviation: float = 4.0
    """Largest deviation of a time stamp or interval."""
    quiet: float = 5.0
    """Silence that ends the restoration of the basic state."""
    off: float = 10.0
    """How long the supply stays off in a power cycle."""
    heartbeat_interval: int = 60
    """Interval given in an accepted BootNotification."""
    retry_interval: int = 15
    """Interval given in a rejected or pending BootNotification."""
    meter_interval: int = 10
    """MeterValueSampleInterval used in tests."""
    aligned_interval: int = 20
    """ClockAlignedDataInterval used in tests; a day is a multiple of it."""
    connection_timeout: int = 30
    """ConnectionTimeOut used in tests."""
    reservation: float = 60.0
    """From ReserveNow to the expiryDate of a reservation that is to expire."""
    firmware: float = 600.0
    """From one stage of a firmware update to the next, its reboot included."""
    diagnostics: float = 300.0
    """From one stage of a diagnostics upload to the next."""
    long_reservation: float = 3600.0
    """The same of a reservation that is to outlast its case."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"key {name!r}: {getattr(self, name):g}, expected more than 0 s")
        if 86400 % self.aligned_interval:
            raise ValueError(
                f"key 'aligned_interval': {self.aligned_interval}, expected a divisor of 86400 s"
            )


@dataclass(frozen=True, slots=True)
class Charging:
    """Table `[pixit.charging]`: what the smart charging cases ask of the sample."""

    unit: Literal["A", "W"] = "A"
    """Unit of the charging rates used in tests; one that SC-1 claims."""
    phases: Literal[1, 2, 3] = 3
    """The `numberPhases` of the schedules used in tests."""
    stack_level: int = 0
    """The `stackLevel` of profiles that are not stacked."""
    duration: int = 300
    """Length of the composite schedules that are asked for, in s."""
    local_limit: float | None = None
    """Most that the connector under test offers by itself, in `unit`; none: it is not judged."""

    def __post_init__(self) -> None:
        if self.stack_level < 0:
            raise ValueError(f"key 'stack_level': {self.stack_level}, expected 0 or more")
        for name in ("duration", "local_limit"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"key {name!r}: {value:g}, expected more than 0")


@dataclass(frozen=True, slots=True)
class CardEntry:
    """Table `[pixit.cards.NAME]`: one test card, by its idTag or by its chip's number."""

    id_tag: str = ""
    status: Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"] = "Accepted"
    parent: str | None = None
    slot: str | None = None
    uid: str | None = None
    """The chip's number in hexadecimal digits; the DUT makes the idTag of it."""
    notation: Notation | None = None
    """How the DUT writes the UID as idTag; `hex` when there is neither this nor an idTag."""

    def __post_init__(self) -> None:
        if not self.id_tag and self.uid is None:
            raise ValueError("key 'id_tag' is missing, or 'uid' in its place")
        if self.notation is not None and (self.id_tag or self.uid is None):
            raise ValueError("key 'notation': makes an idTag of 'uid', expected without 'id_tag'")
        for name, text in (("id_tag", self.tag), ("parent", self.parent or "")):
            if len(text) > 20:
                raise ValueError(f"key {name!r}: {len(text)} characters, expected at most 20")

    @property
    def tag(self) -> str:
        """The idTag that the DUT makes of the card."""
        if self.uid is None:
            return self.id_tag
        try:
            uid = uid_bytes(self.uid)
        except ValueError as error:
            raise ValueError(f"key 'uid': {error}") from None
        return self.id_tag or id_tag_of(uid, self.notation or "hex")


@dataclass(frozen=True, slots=True)
class Setting:
    """A configuration key of the DUT and a value for it."""

    key: str
    """Its name, which need not be a standard one."""
    value: str
    """What is written to it."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """Table `[pixit.firmware]`: files that the vendor gives the lab."""

    good: Path | None = None
    """A firmware that the sample can install; its path is relative to `dut.toml`."""
    bad: Path | None = None
    """A file that it can fetch, but not install."""
    version: str = ""
    """What the sample reports as firmwareVersion once `good` is installed; empty: not checked."""

    def file(self, which: Literal["good", "bad"]) -> Path:
        """Return one of the files; raises `Unverifiable` when the lab has none."""
        path = self.good if which == "good" else self.bad
        if path is None:
            raise Unverifiable(f"dut.toml names no file {which!r} in [pixit.firmware]")
        if not path.is_file():
            raise Unverifiable(f"[pixit.firmware] {which}: there is no file {path}")
        return path

    def inside(self, folder: Path) -> Firmware:
        """Return the same with the paths relative to a folder resolved."""
        good = None if self.good is None else folder / self.good
        bad = None if self.bad is None else folder / self.bad
        return Firmware(good, bad, self.version)


@dataclass(frozen=True, slots=True)
class Pixit:
    """Table `[pixit]`: what is needed to test this sample."""

    connector: int = 1
    """The connector under test."""
    connectors: int = 1
    """How many connectors the DUT has."""
    cards: dict[str, CardEntry] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    reservations_off: Setting | None = None
    """What makes the DUT refuse reservations; without it the operator is asked to see to it."""
    waivers: dict[str, str] = field(default_factory=dict)
    """Monitors whose findings are only warnings for this DUT, with the written reason."""
    charging: Charging = field(default_factory=Charging)

    firmware: Firmware = field(default_factory=Firmware)

    def __post_init__(self) -> None:
        if not 1 <= self.connector <= self.connectors:
            raise ValueError(
                f"key 'connector': {self.connector}, expected 1 to connectors = {self.connectors}"
            )
        for name, reason in self.waivers.items():
            if name not in monitors.NAMES:
                known = toml.near(name, monitors.NAMES)
                raise ValueError(f"key 'waivers.{name}': no such monitor{known}")
            if len(reason.split()) < 3:
                text = "expected the reason in words, which the report prints"
                raise ValueError(f"key 'waivers.{name}': {reason!r}, {text}")

    def card(self, name: str) -> Card:
        """Return a test card by name; raises `Unverifiable` when the sample has none."""
        entry = self.cards.get(name)
        if entry is None:
            raise Unverifiable(f"dut.toml has no card named {name!r} in [pixit.cards]")
        uid = None if entry.uid is None else uid_bytes(entry.uid).hex().upper()
        return Card(name, entry.tag, entry.status, entry.parent, entry.slot, uid)

    @property
    def settling_time(self) -> float:
        """The window in seconds in which nothing may happen."""
        return self.timing.settling


@dataclass(frozen=True, slots=True)
class DutConfig:
    """A whole `dut.toml`."""

    path: Path
    dut: DutIdentity
    pics: Mapping[str, Any] = field(default_factory=dict)
    pixit: Pixit = field(default_factory=Pixit)


def load_dut(path: Path) -> DutConfig:
    """Read and check a `dut.toml`; raises `ConfigError` naming file, table and key."""
    return parse_dut(path, toml.text_of(path))


def parse_dut(path: Path, text: str) -> DutConfig:
    """Check the text of a `dut.toml`, as `load_dut`."""
    document = toml.loads(path, text)
    toml.check_tables(path, document, "dut", "pics", "pixit")
    pixit = toml.parse(Pixit, document.get("pixit", {}), f"{path}: table [pixit]")
    return DutConfig(
        path=path,
        dut=toml.parse(DutIdentity, document["dut"], f"{path}: table [dut]"),
        pics=_pics(path, document.get("pics", {})),
        pixit=replace(pixit, firmware=pixit.firmware.inside(path.parent)),
    )


def _pics(path: Path, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: [pics] is not a table")
    for key, value in table.items():
        where = f"{path}: table [pics], key {key!r}"
        question = question_of(key)
        if question is None:
            quoted = isinstance(value, dict)
            hint = " (write the item in quotes)" if quoted else toml.near(key, QUESTIONS)
            raise ConfigError(f"{where}: no such PICS item{hint}")
        if not question.answer.accepts(value):
            shown = toml.show(value)
            raise ConfigError(f"{where}: {shown}, expected {question.answer}")
    return dict(table)
