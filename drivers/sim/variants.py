"""The products that the simulated lab can have on its bench, each with truthful answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

PARENT = "PB-FAMILY"
CARDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "valid": {"id_tag": "04A1B2C3D4E5F6", "parent": PARENT},
        "second": {"id_tag": "04A1B2C3D4E5F7", "parent": PARENT},
        "invalid": {"id_tag": "0400C0FFEE0000", "status": "Invalid"},
        "expired": {"id_tag": "0400C0FFEE0001", "status": "Expired"},
        "blocked": {"id_tag": "0400C0FFEE0002", "status": "Blocked"},
    }
)
"""The cards in the changer, in the order of its channels; as `[pixit.cards]` wants them."""

_LIST_LIMITS = {"CFG.LocalAuthListMaxLength": 50, "CFG.SendLocalListMaxLength": 20}
_PROFILE_LIMITS = {
    "CFG.ChargeProfileMaxStackLevel": 7,
    "CFG.ChargingScheduleMaxPeriods": 24,
    "CFG.MaxChargingProfilesInstalled": 10,
}

_AC_STATION: Mapping[str, Any] = MappingProxyType(
    {
        "GEN.mode12": False,
        "GEN.multi": True,
        "GEN.fixed_cable": False,
        "GEN.ms": True,
        "GEN.comm": "ethernet",
        "GEN.rfid": "one per EVSE",
        "C-02": True,
        "C-03": True,
        "C-04": True,
        "C-05": False,
        "C-06": "Both",
        "C-07": True,
        "C-08": True,
        "R-1": True,
        "SC-1": "Both",
        "AQ-1": False,
        "AQ-2": False,
        "AQ-3": False,
        "AQ-4": False,
        "AQ-5": False,
        "AQ-6": True,
        "AQ-7.1": False,
        "AQ-7.2": True,
        "CFG.SupportedFileTransferProtocols": ["FTP", "HTTP"],
        "FP.Core": True,
        "FP.FW": True,
        "FP.SC": True,
        "FP.RES": True,
        "FP.LAL": True,
        "FP.RT": True,
        "SEC.P1": False,
        "SEC.P2": False,
        "SEC.P3": False,
        "SEC.cert": False,
        "BENCH.block_lock": True,
        "BENCH.lal_failure": True,
        "CFG.GetConfigurationMaxKeys": 50,
        "CFG.MeterValuesAlignedDataMaxLength": 12,
        "CFG.MeterValuesSampledDataMaxLength": 12,
        "CFG.MeterValueSampleInterval.min": 0,
        "CFG.MeterValueSampleInterval.max": 86400,
        "CFG.HeartbeatInterval.min": 1,
        "CFG.HeartbeatInterval.max": 604800,
        "CFG.StopTransactionMaxMeterValues": 100,
        "CFG.StopTxnAlignedDataMaxLength": 12,
        "CFG.StopTxnSampledDataMaxLength": 12,
        "CFG.StopTransactionOnEVSideDisconnect.rw": True,
        **_PROFILE_LIMITS,
        **_LIST_LIMITS,
    }
)

# The waits of the demo: long enough for a station in software, short enough for people.
_DEMO_TIMING: Mapping[str, float] = MappingProxyType(
    {
        "response": 5.0,
        "triggered": 8.0,
        "boot": 15.0,
        "soft_boot": 5.0,
        "reconnect": 15.0,
        "settling": 1.5,
        "offline": 2.0,
        "deviation": 0.7,
        "quiet": 0.4,
        "off": 0.5,
        "heartbeat_interval": 2,
        "retry_interval": 3,
        "meter_interval": 1,
        "aligned_interval": 2,
        "connection_timeout": 3,
        "reservation": 2.0,
        "firmware": 10.0,
        "diagnostics": 8.0,
    }
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A product: what it is made of, what it claims, how long its test waits."""

    summary: str
    pics: Mapping[str, Any]
    timing: Mapping[str, float]
    connectors: int = 1
    """How many it has; connector 1 is on the bench."""
    fixed_cable: float | None = None
    """Rating of its own cable in A, None when it has a socket."""
    mode12: bool = False
    """Its sockets are household ones, for IEC 61851-1 Modes 1 and 2 only."""
    readers: bool = True
    """It has card readers."""
    reservations_off: Mapping[str, str] | None = None
    """The key and value that make it refuse reservations, as `[pixit.reservations_off]` wants."""
    station: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `StationSettings` that differ from the product's defaults."""


_DEFAULT = Variant(
    summary="two sockets with lock, a reader at each; all profiles",
    pics=_AC_STATION,
    timing=_DEMO_TIMING,
    connectors=2,
    reservations_off={"key": "ReservationsAccepted", "value": "false"},
    station={
        "profiles": (
            "Core",
            "FirmwareManagement",
            "LocalAuthListManagement",
            "RemoteTrigger",
            "Reservation",
            "SmartCharging",
        ),
        "boot_time": 0.1,
        "install_time": 0.2,
        "transfer_pause": 0.5,
        "boot_retry": 2.0,
        "message_timeout": 4.0,
        "pong_timeout": 1.0,
        "backoff": 0.1,
        "backoff_most": 0.1,
        "configuration": {"WebSocketPingInterval": "2"},
    },
)


def _variant(summary: str, pics: Mapping[str, Any], **station: Any) -> Variant:
    """Make a product like the default one but for some answers (None: has none) and settings."""
    answers = {**_DEFAULT.pics, **pics}
    return replace(
        _DEFAULT,
        summary=summary,
        pics={item: answer for item, answer in answers.items() if answer is not None},
        station={**_DEFAULT.station, **station},
    )


def _profiles_without(*profiles: str) -> tuple[str, ...]:
    return tuple(one for one in _DEFAULT.station["profiles"] if one not in profiles)


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "default": _DEFAULT,
        "core-only": _variant(
            "no feature profile but Core",
            {
                "R-1": False,
                "FP.FW": False,
                "FP.LAL": False,
                "FP.RES": False,
                "FP.RT": False,
                "FP.SC": False,
                "CFG.SupportedFileTransferProtocols": None,
                **dict.fromkeys(_LIST_LIMITS | _PROFILE_LIMITS),
            },
            profiles=("Core",),
        ),
        "buffered": _variant(
            "a buffered supply: it reports what it stops before it goes down",
            {"AQ-7.1": True, "AQ-7.2": False},
            buffer_time=1.5,
        ),
        "fixed-cable": replace(
            _variant(
                "two fixed cables, no lock",
                {"GEN.fixed_cable": True, "BENCH.block_lock": False},
                fixed_cable=True,
            ),
            fixed_cable=32.0,
        ),
        "blocked-socket": _variant(
            "the lock keeps the plug out until somebody is authorised",
            {"AQ-2": True},
            blocks_plug=True,
        ),
        "no-reader": replace(
            _variant(
                "no card reader: the CSMS starts and stops everything",
                {"C-07": False, "C-08": False, "GEN.rfid": "none"},
            ),
            readers=False,
        ),
        "no-local-stop": _variant(
            "a card starts, the CSMS or the vehicle stops", {"C-08": False}, local_stop=False
        ),
        "single": replace(
            _variant(
                "one socket and one reader, no authorization cache",
                {"GEN.multi": False, "GEN.rfid": "single", "C-02": False, "C-04": False},
                shared_reader=True,
                missing_keys=frozenset({"AllowOfflineTxForUnknownId", "AuthorizationCacheEnabled"}),
            ),
            connectors=1,
        ),
        "stops-at-vehicle": _variant(
            "unplugging at the vehicle always stops",
            {"C-06": "Yes", "CFG.StopTransactionOnEVSideDisconnect.rw": False},
            fixed_keys={"StopTransactionOnEVSideDisconnect": "true"},
        ),
        "waits-for-vehicle": _variant(
            "unplugging at the vehicle never stops",
            {"C-06": "No", "CFG.StopTransactionOnEVSideDisconnect.rw": False},
            fixed_keys={"StopTransactionOnEVSideDisconnect": "false"},
        ),
        "mode-1-2": replace(
            _variant(
                "two household sockets without control pilot; a plug is fed for a moment first",
                {
                    "GEN.mode12": True,
                    "AQ-6": False,
                    "C-06": "Yes",
                    "CFG.StopTransactionOnEVSideDisconnect.rw": False,
                    "BENCH.block_lock": False,
                    "FP.SC": False,
                    **dict.fromkeys(_PROFILE_LIMITS),
                },
                profiles=_profiles_without("SmartCharging"),
                fixed_cable=True,
                fixed_keys={"StopTransactionOnEVSideDisconnect": "true"},
                current=16.0,
                first_flow=0.15,
            ),
            mode12=True,
        ),
    }
)
