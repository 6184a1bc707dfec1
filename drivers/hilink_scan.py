"""Find a HiLink dongle at the address that all of them have from the factory."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path

from bench.errors import LinkError
from drivers.hilink import Hilink
from drivers.link import address
from drivers.link.http import SCHEMES, HttpLink

DEFAULT = "http://192.168.8.1"
"""Where every dongle is from the factory."""

_ROUTES = Path("/proc/net/route")
"""The machine's routes of IPv4."""

_QUERY_WITHIN = 3.0
"""Deadline in s of one request."""


async def scan(base: str = DEFAULT, *, routes: Path = _ROUTES) -> list[str]:
    """Find a dongle at the address that all of them have, if a network of this machine has it.

    Nothing is sent where that address would be reached through a gateway: it may be anyone's.
    """
    place = address.parse(base, *SCHEMES)
    if not _is_near(place.host, await asyncio.to_thread(routes.read_text, "ascii")):
        return []
    web = Hilink(HttpLink(place, "scan", within=_QUERY_WITHIN))
    await web.open()
    try:
        about = await web.get("/api/device/basic_information")
    except LinkError:
        return []
    finally:
        await web.close()
    return [f"{base} ({about.findtext('devicename') or 'a HiLink dongle of unknown model'})"]


def _is_near(host: str, table: str) -> bool:
    """Tell whether an address is in a small network on an interface (table as Linux prints it)."""
    wanted = ipaddress.IPv4Address(host)
    for line in table.splitlines()[1:]:
        _, net, gateway, *_, mask = line.split()[:8]
        net_, mask_ = (ipaddress.IPv4Address(bytes.fromhex(word)[::-1]) for word in (net, mask))
        network = ipaddress.IPv4Network(f"{net_}/{mask_}")
        if not int(gateway, 16) and network.prefixlen >= 24 and wanted in network:
            return True
    return False
