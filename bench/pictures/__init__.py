"""Drawings for prompts: what the operator is to do, seen at a glance.

A prompt names its drawing; front ends get it from the API (`GET /api/v1/pictures/NAME`). Its name
in words, and the text of the prompt, say the same to who can't see it.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

_FOLDER = Path(__file__).parent


class Picture(StrEnum):
    """The drawings that there are; each is a file NAME.svg of this folder."""

    BLOCK_BEYOND = "block-beyond"
    CLEAR_FAULT = "clear-fault"
    MAINS_CYCLE = "mains-cycle"
    MAINS_OFF = "mains-off"
    MAINS_ON = "mains-on"
    MEASURE_RESISTANCE = "measure-resistance"
    MEASURE_VOLTAGE = "measure-voltage"
    PLUG_IN = "plug-in"
    PLUG_NETWORK_CABLE = "plug-network-cable"
    PRESENT_CARD = "present-card"
    PULL_NETWORK_CABLE = "pull-network-cable"
    READ_CARD = "read-card"
    READ_METER = "read-meter"
    REMOVE_CARD = "remove-card"
    SET_FAULT = "set-fault"
    SET_LOAD = "set-load"
    START_CHARGING = "start-charging"
    STOP_CHARGING = "stop-charging"
    SWITCH_LOAD_OFF = "switch-load-off"
    UNPLUG = "unplug"
    UNPLUG_STATION = "unplug-station"
    UNPLUG_VEHICLE = "unplug-vehicle"

    def svg(self) -> bytes:
        """Read the drawing."""
        return (_FOLDER / f"{self.value}.svg").read_bytes()
