"""Read the `link` key of a device: one URL that says where the device is and how to talk to it.

modbus-tcp://HOST:PORT            (port 502 when left out)
modbus-rtu:/dev/ttyUSB0?baudrate=9600&parity=N&stopbits=1
serial:/dev/ttyACM0?baudrate=115200
socket://HOST:PORT
http://HOST:PORT                  (port 80 when left out)
snmp://HOST:PORT                  (port 161 when left out)
pcsc:NAME                         (the only reader when NAME is left out)
visa:RESOURCE                     (as VISA names it, for example USB0::0x2A8D::0x0101::MY1::INSTR)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_NETWORK = {"modbus-tcp": 502, "socket": None, "http": 80, "snmp": 161}
"""Schemes with HOST:PORT, and the port that is meant when none is given."""

_SERIAL = ("modbus-rtu", "serial")
"""Schemes with the path of a serial port."""

_NAMED = ("pcsc", "visa")
"""Schemes with a name, which may hold any character, such as brackets."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a device is: host and port, or a serial port with its line settings."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    """Serial port, for example `/dev/serial/by-id/…`."""
    baudrate: int = 9600
    parity: str = "N"
    """N, E or O."""
    stopbits: int = 1
    named: str = ""
    """Name of a PC/SC reader, empty for the only one; or of a VISA resource."""

    def __str__(self) -> str:
        if self.scheme in _NAMED:
            return f"{self.scheme}:{self.named}"
        if self.path:
            return f"{self.scheme}:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse(url: str, *schemes: str) -> Address:
    """Read a link URL of one of `schemes`.

    Raises ValueError, which `bench.toml.parse` completes with file and table when a driver's
    settings check themselves.
    """
    scheme, _, name = url.partition(":")
    if scheme in _NAMED and scheme in schemes:
        return Address(scheme, named=name.strip())
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        shown = f"{parts.scheme}:" if parts.scheme else "no scheme"
        expected = ", ".join(f"{scheme}:" for scheme in schemes)
        raise ValueError(f"link {url!r} has {shown}, expected one of {expected}")
    if parts.fragment:
        raise ValueError(f"link {url!r} has a part after #, which means nothing")
    if parts.scheme in _SERIAL:
        return _serial(url, parts.scheme, parts.netloc, parts.path, parts.query)
    if parts.query:
        raise ValueError(f"link {url!r}: {parts.scheme}: takes no parameters")
    if parts.path not in ("", "/"):
        raise ValueError(f"link {url!r} has a path, expected {parts.scheme}://HOST:PORT")
    if "@" in parts.netloc:
        raise ValueError("link has a user name in it; it belongs in a key of its own")
    return Address(parts.scheme, host=_host(url, parts.hostname), port=_port(url, parts))


def _host(url: str, host: str | None) -> str:
    if not host:
        raise ValueError(f"link {url!r} names no host")
    return host


def _port(url: str, parts: Any) -> int:
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"link {url!r} has a wrong port, expected 1 to 65535") from None
    port = _NETWORK[parts.scheme] if port is None else port
    if not port:
        raise ValueError(f"link {url!r} names no port, expected {parts.scheme}://HOST:PORT")
    return int(port)


def _serial(url: str, scheme: str, netloc: str, path: str, query: str) -> Address:
    if netloc or not path.startswith("/"):
        raise ValueError(f"link {url!r} names no serial port, expected {scheme}:/dev/…")
    line: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in line:
            raise ValueError(f"link {url!r} has {key} twice")
        if key == "baudrate":
            line[key] = _number(url, key, value, 50, 4_000_000)
        elif key == "stopbits":
            line[key] = _number(url, key, value, 1, 2)
        elif key == "parity":
            if value not in ("N", "E", "O"):
                raise ValueError(f"link {url!r} has parity {value!r}, expected N, E or O")
            line[key] = value
        else:
            raise ValueError(
                f"link {url!r} has unknown parameter {key!r}, expected baudrate, parity or stopbits"
            )
    return Address(scheme, path=path, **line)


def _number(url: str, key: str, value: str, low: int, high: int) -> int:
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ValueError(f"link {url!r} has {key} {value!r}, expected {low} to {high}")
    return int(value)
