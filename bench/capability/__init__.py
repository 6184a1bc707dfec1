"""The abilities a procedure may ask a bench for; devices and operators offer them alike."""

from bench.capability.cards import Card, CardPresenter, CardReader, CardReading
from bench.capability.load import Load, LoadReading
from bench.capability.meter import MeterReading, PowerMeter
from bench.capability.modem import Level, Modem, Saturated, Signal, Technology
from bench.capability.multimeter import Multimeter
from bench.capability.network import Cut, NetworkPath, check_delay, check_limit
from bench.capability.power import PowerSwitch
from bench.capability.provocation import Failure, Provocation
from bench.capability.reference import EvseReading, ReferenceEvse
from bench.capability.vehicle import (
    End,
    PilotFault,
    PilotReading,
    VehicleCoupler,
    VehicleEmulator,
    offered_current,
)

CAPABILITIES: tuple[type, ...] = (
    VehicleCoupler,
    VehicleEmulator,
    CardPresenter,
    CardReader,
    PowerMeter,
    PowerSwitch,
    NetworkPath,
    Load,
    Modem,
    Multimeter,
    Provocation,
    ReferenceEvse,
)

__all__ = [
    "CAPABILITIES",
    "Card",
    "CardPresenter",
    "CardReader",
    "CardReading",
    "Cut",
    "End",
    "EvseReading",
    "Failure",
    "Level",
    "Load",
    "LoadReading",
    "MeterReading",
    "Modem",
    "Multimeter",
    "NetworkPath",
    "PilotFault",
    "PilotReading",
    "PowerMeter",
    "PowerSwitch",
    "Provocation",
    "ReferenceEvse",
    "Saturated",
    "Signal",
    "Technology",
    "VehicleCoupler",
    "VehicleEmulator",
    "check_delay",
    "check_limit",
    "offered_current",
]
