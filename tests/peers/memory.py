"""What the peer keeps in its memory when it has no power."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

FLAG, NUMBER, LIST = "flag", "number", "list"
KEYS: dict[str, tuple[str, str, bool]] = {
    "AuthorizeRemoteTxRequests": (FLAG, "true", False),
    "ClockAlignedDataInterval": (NUMBER, "0", False),
    "ConnectionTimeOut": (NUMBER, "60", False),
    "ConnectorPhaseRotation": (LIST, "0.RST,1.RST", False),
    "GetConfigurationMaxKeys": (NUMBER, "40", True),
    "HeartbeatInterval": (NUMBER, "300", False),
    "LocalAuthorizeOffline": (FLAG, "false", False),
    "LocalPreAuthorize": (FLAG, "false", False),
    "MeterValueSampleInterval": (NUMBER, "60", False),
    "MeterValuesAlignedData": (LIST, "Energy.Active.Import.Register", False),
    "MeterValuesSampledData": (LIST, "Energy.Active.Import.Register", False),
    "NumberOfConnectors": (NUMBER, "1", True),
    "ResetRetries": (NUMBER, "1", False),
    "StopTransactionOnEVSideDisconnect": (FLAG, "true", True),
    "StopTransactionOnInvalidId": (FLAG, "true", False),
    "StopTxnAlignedData": (LIST, "", False),
    "StopTxnSampledData": (LIST, "", False),
    "SupportedFeatureProfiles": (LIST, "Core", True),
    "TransactionMessageAttempts": (NUMBER, "3", False),
    "TransactionMessageRetryInterval": (NUMBER, "10", False),
    "UnlockConnectorOnEVSideDisconnect": (FLAG, "false", True),
}
"""Configuration keys: kind, value when new, and whether it is read-only."""


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Transaction:
    """A transaction, and what the central system still has to be told of it."""

    id_tag: str
    meter_start: int
    started: str
    id: int | None = None
    stop: dict[str, Any] | None = None


@dataclass
class Memory:
    """What survives a loss of power."""

    configuration: dict[str, str] = field(
        default_factory=lambda: {name: key[1] for name, key in KEYS.items()}
    )
    inoperative: set[int] = field(default_factory=set)
    transaction: Transaction | None = None
    energy: float = 0.0
    """Wh."""

    def flag(self, name: str) -> bool:
        """Read a boolean key."""
        return self.configuration[name].lower() == "true"
