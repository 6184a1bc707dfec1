"""What the API takes and gives of the bench, for the operator."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bench.server.models import DeviceModel


class CheckModel(BaseModel):
    """What the last check of a device came to."""

    utc: str
    state: str
    message: str


class CalibrationModel(BaseModel):
    """The certificate of a device, as `[device.calibration]` has it."""

    certificate: str
    issuer: str
    date: str
    due: str | None
    note: str


class WiredModel(DeviceModel):
    """A device as it is wired in `bench.toml`."""

    profile: str | None
    """The profile with its register or command map, where its driver takes one."""
    role: str | None
    connectors: list[int] | None
    """The connectors that it serves, null: all of them."""
    link: str | None
    """Where it is plugged in, null for a person."""
    by_hand: bool
    """True when the operator is the device."""
    serial: str | None
    """The serial number that it must have, as on its calibration certificate."""
    calibration: CalibrationModel | None
    checked: CheckModel | None
    """Its last check since the engine began."""


class WiringModel(BaseModel):
    """The bench as `bench.toml` has it, and how its devices are."""

    name: str
    file: str
    devices: list[WiredModel]


class FindingModel(BaseModel):
    """What a check or a scan found, as `pilotbench devices --json` has it."""

    name: str
    driver: str
    offers: list[str]
    state: str
    message: str


class TestModel(BaseModel):
    """Which devices to check, all when none is named."""

    model_config = ConfigDict(extra="forbid")

    devices: list[str] = Field(default=[], max_length=100)
    self_test: bool = True
    """False: only open and identify them."""


class ScanModel(BaseModel):
    """Where to look beside what each driver finds by itself."""

    model_config = ConfigDict(extra="forbid")

    modbus: list[str] = Field(default=[], max_length=8)
    """Links such as `modbus-tcp://host:502`, whose units are read."""
    units: tuple[int, int] = (1, 16)
    """The first and the last unit that is asked, within 1 to 247."""


class ActModel(BaseModel):
    """One capability call."""

    model_config = ConfigDict(extra="forbid")

    device: str
    method: str
    arguments: dict[str, Any] = {}
    """By the names of the capability's signature; a card by its name in `dut.toml`."""
    capability: str | None = None
    """Needed where two capabilities of the device have a method of that name."""


class ActedModel(BaseModel):
    """What a capability call returned."""

    result: Any


class SafeModel(BaseModel):
    """What of the lab could not be made safe, by device; empty when all is safe."""

    failures: dict[str, str]


class CardWaitModel(BaseModel):
    """How long to wait for a card at the lab's reader."""

    model_config = ConfigDict(extra="forbid")

    within: float = Field(default=30.0, gt=0, le=120, allow_inf_nan=False)
    """In s."""


class CardModel(BaseModel):
    """The card that lay on the lab's reader."""

    uid: str
    type: str
    """In words, empty when nothing tells it."""
    notations: dict[str, str]
    """The idTags that stations make of the UID, by notation as in `dut.toml`; `upper` is `hex`."""
