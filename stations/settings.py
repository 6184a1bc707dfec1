"""What one virtual station is: its identity, where it connects, how fast it does things."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class StationSettings:
    """The make of a station and its factory settings; all times in s."""

    identity: str
    """Charge point id; percent-encoded into the address."""
    url: str
    """Endpoint of the CSMS without the identity, for example `ws://localhost:9000/ocpp`."""
    vendor: str = "Pilotbench"
    model: str = "Virtual AC 22"
    serial: str = "V-0001"
    firmware: str = "1.0.0"
    profiles: tuple[str, ...] = ("Core", "RemoteTrigger")
    """The feature profiles that the product has, as SupportedFeatureProfiles names them."""
    milliseconds: bool = True
    """Timestamps carry milliseconds (PICS GEN.ms)."""
    fixed_cable: bool = False
    """Nothing to lock: the cable is part of the station, or the socket is a household one."""
    ventilated: bool = False
    """The place has a ventilation that the station switches, for vehicles in pilot state D."""
    blocks_plug: bool = False
    """The lock keeps the plug out of the socket until somebody may charge (PICS AQ-2)."""
    first_flow: float | None = None
    """How long a plug that goes in is fed before anybody may charge, None: not (PICS GEN.mode12).

    After that the connector reports Available until then (Certification Document 2, Appendix D).
    """
    shared_reader: bool = False
    """One card reader serves all connectors, the station picks the connector."""
    local_stop: bool = True
    """A card stops the transaction that it started (PICS C-08)."""
    current: float = 32.0
    """Most that a connector offers, A per phase."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Factory values of configuration keys that differ from the product's defaults."""
    fixed_keys: Mapping[str, str] = field(default_factory=dict)
    """Configuration keys that can only be read in this product, and their values."""
    missing_keys: frozenset[str] = frozenset()
    """Optional configuration keys that the product lacks, with what they switch."""
    boot_time: float = 2.0
    """From power or reset to the first attempt to connect."""
    boot_retry: float = 30.0
    """Own wait before the next BootNotification when the CSMS names none or does not answer."""
    message_timeout: float = 30.0
    """How long a CALL waits for its answer."""
    connect_timeout: float = 10.0
    """For TCP, TLS and the WebSocket handshake together."""
    pong_timeout: float = 5.0
    """How long a ping waits for its pong before the connection counts as lost."""
    backoff: float = 1.0
    """Wait before the first attempt to reconnect; doubles with each attempt in vain."""
    backoff_most: float = 60.0
    """Longest wait between two attempts to reconnect."""
    buffer_time: float = 0.0
    """How long the station lives on without mains; 0: not at all (PICS AQ-7.1 and AQ-7.2)."""
    install_time: float = 2.0
    """How long a firmware takes to install, before the boot that follows."""
    transfer_timeout: float = 60.0
    """How long one attempt to transfer a file may take."""
    transfer_retries: int = 2
    """Own number of further attempts when the CSMS names none."""
    transfer_pause: float = 10.0
    """Own wait between two attempts when the CSMS names none."""
    log_interval: float = 1.0
    """How often the meter is logged during a transaction, to be known after a power loss."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Additional headers of the WebSocket handshake."""
    tls: ssl.SSLContext | None = None
    """How to secure a `wss://` endpoint; None: the system's trust store."""

    def address(self, url: str) -> str:
        """Return where the station connects when `url` is the endpoint (OCPP-J clause 3.1.1)."""
        return f"{url.rstrip('/')}/{quote(self.identity, safe='')}"
