"""The `bench.toml` and `dut.toml` that fit a simulated lab."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from drivers.sim.variants import CARDS, Variant
from stations.image import write_image
from stations.settings import StationSettings

HOST = "127.0.0.1"
GOOD_FIRMWARE, BAD_FIRMWARE = "firmware.bin", "firmware-damaged.bin"
NEXT_VERSION = "1.0.1"


def write_firmware(folder: Path) -> None:
    """Write the firmware files that the vendor of the virtual station gives the lab."""
    good = write_image(NEXT_VERSION, bytes(range(256)) * 400)
    (folder / GOOD_FIRMWARE).write_bytes(good)
    (folder / BAD_FIRMWARE).write_bytes(good[:-1] + b"?")


def bench_toml(listen: str, links: Mapping[str, str], *, by_hand: bool = False) -> str:
    """Write the bench: `links` are the link URLs of the twins by device name.

    With `by_hand` the operator provokes the failures of the station, without a service port.
    """
    operator = "\n[operator]\nwithin = 900\n" if by_hand else ""
    return f"""\
# A simulated lab: every link ends in the twin of a real device.

[bench]
name = "Simulated lab"

[ocpp]
listen = {_value(listen)}
{operator}
[limits]
current = 32
power = 22000

[[device]]
name = "pilot-box"
driver = "pilot-box"
link = {_value(links["pilot-box"])}
profile = "pilot-box-12"
connectors = [1]

[[device]]
name = "card-changer"
driver = "card-changer"
link = {_value(links["card-changer"])}
hold = 0.05

[device.slots]
{_lines({name: channel for channel, name in enumerate(CARDS)})}

[[device]]
name = "meter"
driver = "register-meter"
link = {_value(links["meter"])}
profile = "eastron-sdm630"

[device.calibration]
certificate = "SIM-0001"
issuer = "nobody, as the meter is simulated"
date = 2026-01-15
note = "as a real certificate would stand here; this one makes nothing traceable"

[[device]]
name = "load"
driver = "ea-psb"
link = {_value(links["load"])}
max_current = 32

[[device]]
name = "mains"
driver = "netio"
link = {_value(links["mains"])}
outlet = 1

[[device]]
name = "modem"
driver = "e3372-hilink"
link = {_value(links["modem"])}

[[device]]
{_BY_HAND if by_hand else _service_port(links["service-port"])}

[[device]]
name = "network"
driver = "tcp-relay"
"""


_BY_HAND = """\
name = "failures-by-hand"
driver = "manual-provocation\""""


def _service_port(link: str) -> str:
    return f"""\
name = "service-port"
driver = "service-port"
link = {_value(link)}
connectors = [1]

[device.failures.lock-blocked]
provoke = {{ path = "/lock/{{connector}}", method = "PUT", json = '{{"blocked": true}}' }}
relieve = {{ path = "/lock/{{connector}}", method = "PUT", json = '{{"blocked": false}}' }}
state = {{ path = "/lock/{{connector}}", pointer = "/blocked" }}

[device.failures.local-list-failure]
provoke = {{ path = "/local-list", method = "PUT", json = '{{"fails": true}}' }}
relieve = {{ path = "/local-list", method = "PUT", json = '{{"fails": false}}' }}
state = {{ path = "/local-list", pointer = "/fails" }}"""


def dut_toml(variant: Variant, station: StationSettings) -> str:
    """Write the product: what it is, what it claims, how to test this sample."""
    cards = "\n\n".join(f"[pixit.cards.{name}]\n{_lines(card)}" for name, card in CARDS.items())
    off = variant.reservations_off
    switch = "" if off is None else f"\n\n[pixit.reservations_off]\n{_lines(off)}"
    return f"""\
# The virtual charging station of a simulated lab.

[dut]
kind = "charging-station"
identity = {_value(station.identity)}
vendor = {_value(station.vendor)}
model = {_value(station.model)}
software = {_value(station.firmware)}

[pics]
{_lines(variant.pics)}

[pixit]
connector = 1
connectors = {variant.connectors}

{cards}{switch}

[pixit.charging]
local_limit = {_value(station.current)}

[pixit.firmware]
{_lines({"good": GOOD_FIRMWARE, "bad": BAD_FIRMWARE, "version": NEXT_VERSION})}

[pixit.timing]
{_lines(variant.timing)}
"""


def _lines(table: Mapping[str, Any]) -> str:
    return "\n".join(f"{_key(key)} = {_value(value)}" for key, value in table.items())


def _key(name: str) -> str:
    return name if name.isidentifier() else _value(name)


def _value(value: Any) -> str:
    # JSON and TOML write these alike: strings without control characters, numbers, booleans.
    return json.dumps(value, ensure_ascii=False)


def listen_address(csms: str | None) -> str:
    """Choose HOST:PORT for the engine: that of the CSMS if it is on this machine, or a free one."""
    if csms is not None:
        parts = urlsplit(csms)
        if parts.hostname in ("127.0.0.1", "::1", "localhost") and parts.port:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{host}:{parts.port}"
    return f"{HOST}:{free_port()}"


def free_port() -> int:
    """Find a port that is free and stays so.

    The system hands out ports of its ephemeral range to every outgoing connection, also to a
    station that knocks in vain at the very port; so the port is taken from below that range.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    for _ in range(100):
        port = random.randrange(10_000, lowest) if lowest > 11_000 else 0
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port between 10000 and {lowest} on {HOST}")
