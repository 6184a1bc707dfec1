"""The configuration keys of a station (OCPP 1.6 ed. 2 clause 9, errata sheet 4.0)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from stations.messages import Payload
from stations.metering import MEASURANDS, MOST_SAMPLES
from stations.settings import StationSettings
from stations.storage import Store

_MOST_KEYS = 50
_LIST_LENGTH = 12
_ROTATIONS = "NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR"

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key: its factory value and what may be written."""

    name: str
    value: str
    check: Check | None = None
    """None: read-only."""
    needs_reboot: bool = False


_SMART_CHARGING = (
    Key("ChargeProfileMaxStackLevel", "7"),
    Key("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
    Key("ChargingScheduleMaxPeriods", "24"),
    Key("ConnectorSwitch3to1PhaseSupported", "false"),
    Key("MaxChargingProfilesInstalled", "10"),
)


def keys(settings: StationSettings, connectors: int) -> tuple[Key, ...]:
    """List the keys of a station with its factory settings."""
    rotation = ",".join(f"{number}.RST" for number in range(connectors + 1))
    aligned = "Energy.Active.Import.Register"
    sampled = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
    table: tuple[Key, ...] = (
        Key("AllowOfflineTxForUnknownId", "false", _boolean),
        Key("AuthorizationCacheEnabled", "true", _boolean),
        Key("AuthorizeRemoteTxRequests", "true", _boolean),
        Key("CentralSystemURL", settings.url, _endpoint, needs_reboot=True),
        Key("ClockAlignedDataInterval", "0", _integer(0, 86400)),
        Key("ConnectionTimeOut", "60", _integer(1, 86400)),
        Key("ConnectorPhaseRotation", rotation, _rotation(connectors)),
        Key("ConnectorPhaseRotationMaxLength", str(connectors + 1)),
        Key("GetConfigurationMaxKeys", str(_MOST_KEYS)),
        Key("HeartbeatInterval", "300", _integer(1, 604800)),
        *_local_list_keys(settings),
        Key("LocalAuthorizeOffline", "true", _boolean),
        Key("LocalPreAuthorize", "false", _boolean),
        Key("MaxEnergyOnInvalidId", "0", _integer(0, 1_000_000)),
        Key("MeterValuesAlignedData", aligned, _measurands),
        Key("MeterValuesAlignedDataMaxLength", str(_LIST_LENGTH)),
        Key("MeterValuesSampledData", sampled, _measurands),
        Key("MeterValuesSampledDataMaxLength", str(_LIST_LENGTH)),
        Key("MeterValueSampleInterval", "60", _integer(0, 86400)),
        Key("NumberOfConnectors", str(connectors)),
        *_reservation_keys(settings),
        Key("ResetRetries", "1", _integer(0, 10)),
        Key("StopTransactionMaxMeterValues", str(MOST_SAMPLES)),
        Key("StopTransactionOnEVSideDisconnect", "true", _boolean),
        Key("StopTransactionOnInvalidId", "true", _boolean),
        Key("StopTxnAlignedData", "", _measurands),
        Key("StopTxnAlignedDataMaxLength", str(_LIST_LENGTH)),
        Key("StopTxnSampledData", "", _measurands),
        Key("StopTxnSampledDataMaxLength", str(_LIST_LENGTH)),
        *_firmware_keys(settings),
        Key("SupportedFeatureProfiles", ",".join(settings.profiles)),
        Key("TransactionMessageAttempts", "3", _integer(1, 100)),
        Key("TransactionMessageRetryInterval", "20", _integer(0, 86400)),
        _unlock_key(settings),
        Key("WebSocketPingInterval", "30", _integer(0, 86400)),
    )
    if "SmartCharging" in settings.profiles:
        table += _SMART_CHARGING
    for name, value in {**settings.configuration, **settings.fixed_keys}.items():
        if not any(key.name == name and key.check and key.check(value) for key in table):
            raise ValueError(f"factory setting {name}={value!r}: no such key, or no such value")
    return tuple(_made(key, settings) for key in table if key.name not in settings.missing_keys)


def _made(key: Key, settings: StationSettings) -> Key:
    """Return a key as the factory sets it."""
    if key.name in settings.fixed_keys:
        return replace(key, value=settings.fixed_keys[key.name], check=None)
    return replace(key, value=settings.configuration.get(key.name, key.value))


def _local_list_keys(settings: StationSettings) -> tuple[Key, ...]:
    if "LocalAuthListManagement" not in settings.profiles:
        return ()
    return (
        Key("LocalAuthListEnabled", "true", _boolean),
        Key("LocalAuthListMaxLength", "50"),
        Key("SendLocalListMaxLength", "20"),
    )


def _firmware_keys(settings: StationSettings) -> tuple[Key, ...]:
    if "FirmwareManagement" not in settings.profiles:
        return ()
    return (Key("SupportedFileTransferProtocols", "FTP,HTTP"),)


def _reservation_keys(settings: StationSettings) -> tuple[Key, ...]:
    if "Reservation" not in settings.profiles:
        return ()
    return (
        Key("ReservationsAccepted", "true", _boolean),
        Key("ReserveConnectorZeroSupported", "true"),
    )


def _unlock_key(settings: StationSettings) -> Key:
    if settings.fixed_cable:
        return Key("UnlockConnectorOnEVSideDisconnect", "false")
    return Key("UnlockConnectorOnEVSideDisconnect", "true", _boolean)


class Configuration:
    """The values of all keys; those that were written survive power cycles."""

    def __init__(self, settings: StationSettings, connectors: int, store: Store) -> None:
        self._store = store
        self._keys = {key.name.lower(): key for key in keys(settings, connectors)}
        self._factory = {key.name: key.value for key in self._keys.values()}
        stored: dict[str, str] = store.read("configuration") or {}
        # Another version of the station may have known other keys.
        self._written = {
            name: value
            for name, value in stored.items()
            if self.assess(name, value) in ("Accepted", "RebootRequired")
        }
        self._at_boot = self._factory | self._written
        self._watchers: dict[str, list[Callable[[], None]]] = {}

    def text(self, name: str) -> str:
        """Return the value that is in effect; a key that needs a reboot keeps its old one."""
        if self._keys[name.lower()].needs_reboot:
            return self._at_boot[name]
        return self._written.get(name, self._factory[name])

    def flag(self, name: str) -> bool:
        """Return the value of a boolean key; a key that the product lacks switches nothing on."""
        return name.lower() in self._keys and self.text(name).lower() == "true"

    def number(self, name: str) -> int:
        """Return the value of an integer key."""
        return int(self.text(name))

    def items(self, name: str) -> list[str]:
        """Return the value of a comma separated list."""
        return _items(self.text(name))

    def watch(self, name: str, changed: Callable[[], None]) -> None:
        """Call `changed` whenever the key is written."""
        self._watchers.setdefault(name, []).append(changed)

    def assess(self, name: str, value: str) -> str:
        """Say what a ChangeConfiguration would be answered, without changing anything."""
        key = self._keys.get(name.lower())
        if key is None:
            return "NotSupported"
        if key.check is None or not key.check(value):
            return "Rejected"
        return "RebootRequired" if key.needs_reboot else "Accepted"

    def write(self, name: str, value: str) -> None:
        """Set a key whose new value was assessed as good."""
        key = self._keys[name.lower()]
        self._written[key.name] = value
        self._store.write("configuration", self._written)
        for changed in self._watchers.get(key.name, ()):
            changed()

    def report(self, names: Iterable[str]) -> Payload:
        """Answer GetConfiguration for these keys, for all of them when none is named."""
        known: list[Payload] = []
        unknown: list[str] = []
        for name in list(names) or self._keys:
            key = self._keys.get(name.lower())
            if key is None:
                unknown.append(name)
                continue
            value = self._written.get(key.name, self._factory[key.name])
            known.append({"key": key.name, "readonly": key.check is None, "value": value})
        payload: Payload = {"configurationKey": known}
        if unknown:
            payload["unknownKey"] = unknown
        return payload


def _boolean(value: str) -> bool:
    return value.lower() in ("true", "false")


def _integer(least: int, most: int) -> Check:
    return lambda value: (
        re.fullmatch(r"\d{1,9}", value, re.ASCII) is not None and (least <= int(value) <= most)
    )


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _measurands(value: str) -> bool:
    wanted = _items(value)
    return len(wanted) <= _LIST_LENGTH and all(item in MEASURANDS for item in wanted)


def _rotation(connectors: int) -> Check:
    def check(value: str) -> bool:
        pattern = re.compile(rf"(\d{{1,3}})\.({_ROTATIONS})", re.ASCII)
        found = [pattern.fullmatch(item) for item in _items(value)]
        numbers = [int(match[1]) for match in found if match]
        return len(numbers) == len(found) == len(set(numbers)) and all(
            number <= connectors for number in numbers
        )

    return check


def _endpoint(value: str) -> bool:
    return re.fullmatch(r"wss?://[^\s/]+(/\S*)?", value) is not None
