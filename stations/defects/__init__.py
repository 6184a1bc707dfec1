"""The named defects that a station can be given, and the case that is meant to catch each."""

from __future__ import annotations

from stations.conduct import Defect
from stations.defects import (
    boot,
    cache,
    composite_schedule,
    configuration,
    firmware_management,
    local_list,
    messages,
    metering,
    offline,
    power_failure,
    remote,
    remote_trigger,
    reservation,
    reset,
    session,
    smart_charging,
    unlock,
)

DEFECTS: tuple[Defect, ...] = (
    *reset.DEFECTS,
    *boot.DEFECTS,
    *session.DEFECTS,
    *cache.DEFECTS,
    *remote.DEFECTS,
    *unlock.DEFECTS,
    *configuration.DEFECTS,
    *metering.DEFECTS,
    *power_failure.DEFECTS,
    *offline.DEFECTS,
    *local_list.DEFECTS,
    *messages.DEFECTS,
    *firmware_management.DEFECTS,
    *reservation.DEFECTS,
    *remote_trigger.DEFECTS,
    *smart_charging.DEFECTS,
    *composite_schedule.DEFECTS,
)
"""All defects, in the order of the chapters that catch them."""


def find(name: str) -> Defect:
    """Return the defect of this name; the `KeyError` lists the names there are."""
    for defect in DEFECTS:
        if defect.name == name:
            return defect
    known = ", ".join(defect.name for defect in DEFECTS)
    raise KeyError(f"no defect named {name!r}, expected one of {known}")
