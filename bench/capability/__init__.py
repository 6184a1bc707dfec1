"""The abilities a procedure may ask a bench for; devices and operators offer them alike."""

from bench.capability.cards import Card, CardPresenter
from bench.capability.meter import MeterReading, PowerMeter
from bench.capability.network import Cut, NetworkPath
from bench.capability.power import PowerSwitch
from bench.capability.vehicle import (
    End,
    PilotFault,
    PilotReading,
    VehicleCoupler,
    VehicleEmulator,
)

CAPABILITIES: tuple[type, ...] = (
    VehicleCoupler,
    VehicleEmulator,
    CardPresenter,
    PowerMeter,
    PowerSwitch,
    NetworkPath,
)

__all__ = [
    "CAPABILITIES",
    "Card",
    "CardPresenter",
    "Cut",
    "End",
    "MeterReading",
    "NetworkPath",
    "PilotFault",
    "PilotReading",
    "PowerMeter",
    "PowerSwitch",
    "VehicleCoupler",
    "VehicleEmulator",
]
