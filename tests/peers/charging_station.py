"""A charging station that is not ours: the client of the PyPI package `ocpp`, as its own process.

    python -m tests.peers.charging_station --url ws://HOST:PORT/ocpp --id CP_PEER

One connector with a fixed cable, a card reader, OCPP 1.6-J with the Core profile. Its physical
world is moved through a local control socket: one JSON object per line, such as
`{"do": "plug_in"}` or `{"do": "present", "id_tag": "CARD1"}`, answered by one JSON object. When it
is ready it prints `{"control": PORT}`.

It shares no code with Pilotbench, so that the two check each other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from typing import Any

from tests.peers.product import Station


async def serve(
    station: Station, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one client of the control socket."""
    try:
        while line := await reader.readline():
            try:
                order = json.loads(line)
                obey(station, order.pop("do"), **order)
                answer: dict[str, Any] = {"ok": True, **station.describe()}
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def obey(station: Station, order: str, *, id_tag: str = "") -> None:
    """Move the physical world."""
    match order:
        case "state":
            pass
        case "plug_in":
            station.plug_in()
        case "unplug":
            station.unplug()
        case "draw":
            station.vehicle(wants_energy=True)
        case "suspend":
            station.vehicle(wants_energy=False)
        case "present":
            station.present(id_tag)
        case "power_on":
            station.switch(on=True)
        case "power_off":
            station.switch(on=False)
        case _:
            raise ValueError(f"no such order {order!r}")


async def main(options: argparse.Namespace) -> None:
    """Run station and control socket until the process is ended."""
    station = Station(options.url, options.id, options.booting)
    control = await asyncio.start_server(
        lambda reader, writer: serve(station, reader, writer), "127.0.0.1", options.control_port
    )
    sys.stdout.write(json.dumps({"control": control.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await station.run()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A charging station for tests")
    parser.add_argument("--url", required=True, help="ws://HOST:PORT/PATH of the central system")
    parser.add_argument("--id", required=True, help="charge point id")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--booting", type=float, default=0.5, help="seconds that a start takes")
    parser.add_argument("--verbose", action="store_true", help="log every message")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _options()
    logging.basicConfig(level=logging.INFO if chosen.verbose else logging.WARNING)
    try:
        asyncio.run(main(chosen))
    except KeyboardInterrupt:
        sys.exit(130)
