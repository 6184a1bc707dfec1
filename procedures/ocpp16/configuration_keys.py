"""The standard configuration keys of OCPP 1.6: who must have them, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from bench.ocpp.predicate import Predicate, absent, any_of, matching

Access = Literal["R", "RW", "R or RW"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key: who must have it, whether it can be written, what its values look like."""

    name: str
    profile: str
    access: Access
    form: Literal["boolean", "integer", "list"]
    required: bool = True

    @property
    def readonly(self) -> Any:
        """What the field `readonly` of an answer must be."""
        return {"R": True, "RW": False, "R or RW": any_of(True, False)}[self.access]

    @property
    def value(self) -> Predicate:
        """What the field `value` of an answer must look like; it may lack for an empty list."""
        match self.form:
            case "boolean":
                return matching("true|false")
            case "integer":
                return matching(r"-?\d+")
            case "list":
                return any_of(absent, matching(r"\S(.*\S)?|"))


_LAL, _SC = "LocalAuthListManagement", "SmartCharging"

KEYS: tuple[Key, ...] = (
    Key("AuthorizeRemoteTxRequests", "Core", "R or RW", "boolean"),
    Key("ClockAlignedDataInterval", "Core", "RW", "integer"),
    Key("ConnectionTimeOut", "Core", "RW", "integer"),
    Key("ConnectorPhaseRotation", "Core", "RW", "list"),
    Key("GetConfigurationMaxKeys", "Core", "R", "integer"),
    Key("HeartbeatInterval", "Core", "RW", "integer"),
    Key("LocalAuthorizeOffline", "Core", "RW", "boolean"),
    Key("LocalPreAuthorize", "Core", "RW", "boolean"),
    Key("MeterValuesAlignedData", "Core", "RW", "list"),
    Key("MeterValuesSampledData", "Core", "RW", "list"),
    Key("MeterValueSampleInterval", "Core", "RW", "integer"),
    Key("NumberOfConnectors", "Core", "R", "integer"),
    Key("ResetRetries", "Core", "RW", "integer"),
    Key("StopTransactionOnInvalidId", "Core", "RW", "boolean"),
    Key("StopTxnAlignedData", "Core", "RW", "list"),
    Key("StopTxnSampledData", "Core", "RW", "list"),
    Key("SupportedFeatureProfiles", "Core", "R", "list"),
    Key("TransactionMessageAttempts", "Core", "RW", "integer"),
    Key("TransactionMessageRetryInterval", "Core", "RW", "integer"),
    Key("UnlockConnectorOnEVSideDisconnect", "Core", "R or RW", "boolean"),
    Key("AllowOfflineTxForUnknownId", "Core", "RW", "boolean", required=False),
    Key("AuthorizationCacheEnabled", "Core", "RW", "boolean", required=False),
    Key("BlinkRepeat", "Core", "RW", "integer", required=False),
    Key("ConnectorPhaseRotationMaxLength", "Core", "R", "integer", required=False),
    Key("LightIntensity", "Core", "RW", "integer", required=False),
    Key("MaxEnergyOnInvalidId", "Core", "RW", "integer", required=False),
    Key("MessageTimeout", "Core", "RW", "integer", required=False),
    Key("MeterValuesAlignedDataMaxLength", "Core", "R", "integer", required=False),
    Key("MeterValuesSampledDataMaxLength", "Core", "R", "integer", required=False),
    Key("MinimumStatusDuration", "Core", "RW", "integer", required=False),
    Key("StopTransactionMaxMeterValues", "Core", "R", "integer", required=False),
    Key("StopTransactionOnEVSideDisconnect", "Core", "R or RW", "boolean", required=False),
    Key("StopTxnAlignedDataMaxLength", "Core", "R", "integer", required=False),
    Key("StopTxnSampledDataMaxLength", "Core", "R", "integer", required=False),
    Key("SupportedFeatureProfilesMaxLength", "Core", "R", "integer", required=False),
    Key("WebSocketPingInterval", "Core", "RW", "integer", required=False),
    Key("LocalAuthListEnabled", _LAL, "RW", "boolean"),
    Key("LocalAuthListMaxLength", _LAL, "R", "integer"),
    Key("SendLocalListMaxLength", _LAL, "R", "integer"),
    Key("ChargeProfileMaxStackLevel", _SC, "R", "integer"),
    Key("ChargingScheduleAllowedChargingRateUnit", _SC, "R", "list"),
    Key("ChargingScheduleMaxPeriods", _SC, "R", "integer"),
    Key("ConnectorSwitch3to1PhaseSupported", _SC, "R", "boolean", required=False),
    Key("MaxChargingProfilesInstalled", _SC, "R", "integer"),
    Key("ReserveConnectorZeroSupported", "Reservation", "R", "boolean", required=False),
    Key("SupportedFileTransferProtocols", "FirmwareManagement", "R", "list", required=False),
)
"""OCPP 1.6 ed. 2 clause 9 with errata sheet 4.0 clauses 3.79, 3.82, 3.83, 3.86, 3.88, 3.89."""

PROFILES = MappingProxyType(
    {
        "FP.Core": "Core",
        "FP.FW": "FirmwareManagement",
        "FP.LAL": _LAL,
        "FP.RES": "Reservation",
        "FP.SC": _SC,
        "FP.RT": "RemoteTrigger",
    }
)
"""The feature profile that each PICS item claims."""


def number(value: int) -> Predicate:
    """Match the value of a key that holds this number, 0 or more."""
    return matching(rf"0*{value}")
