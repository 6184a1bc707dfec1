"""A program in the operator's place: answers the prompts of the API by moving the peer.

    python -m tests.peers.hand --api http://HOST:PORT --token-file F --control PORT

It ends when the API has gone.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx

POLLING = 0.05
"""Seconds between two looks at the open prompts."""


class CannotDo(Exception):
    """This hand can't do what is asked."""


class Peer:
    """The control socket of the peer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def close(self) -> None:
        """Leave the peer to others."""
        self._lines.close()
        self._socket.close()

    def does(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Give an order; return how things are afterwards."""
        self._socket.sendall(json.dumps({"do": order, **arguments}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._lines.readline())
        if not answer["ok"]:
            raise CannotDo(answer["error"])
        return answer


def act(peer: Peer, capability: str, method: str, arguments: dict[str, Any]) -> Any:
    """Do what a prompt asks for; return its answer."""
    match capability, method:
        case "VehicleCoupler", "plug_in" | "unplug":
            peer.does(method)
        case "VehicleCoupler", "is_plugged_in":
            return "yes" if peer.does("state")["plugged"] else "no"
        case "VehicleEmulator", "draw" | "suspend":
            peer.does(method)
        case "CardPresenter", "present":
            peer.does("present", id_tag=arguments["id_tag"])
        case "CardPresenter", "withdraw":
            pass  # a card is at the reader for a moment only
        case "PowerSwitch", "switch_on":
            peer.does("power_on")
        case "PowerSwitch", "switch_off":
            peer.does("power_off")
        case "PowerSwitch", "cycle":
            peer.does("power_off")
            time.sleep(arguments["off_for"])
            peer.does("power_on")
        case "PowerSwitch", "is_on":
            return "yes" if peer.does("state")["powered"] else "no"
        case "PowerMeter", "read":
            state = peer.does("state")
            if arguments["quantity"] == "power":
                return state["power"]
            return state["energy"] / (1000 if arguments["unit"] == "kWh" else 1)
        case _:
            raise CannotDo(f"there is no hand for {capability}.{method}")
    return True


def answer_to(peer: Peer, prompt: dict[str, Any]) -> dict[str, Any] | None:
    """Act as a prompt asks and say how it went; None leaves it to people."""
    action = prompt["action"]
    if action is None:
        return None
    try:
        done = act(peer, action["capability"], action["method"], action["arguments"])
    except CannotDo as error:
        if prompt["kind"] != "confirm":
            return None
        return {"answer": False, "comment": str(error), "by": "hand"}
    return {"answer": done, "by": "hand"}


def main(options: argparse.Namespace) -> None:
    """Answer every prompt once, until the API has gone."""
    peer = Peer(options.control)
    token = Path(options.token_file).read_text("ascii").strip()
    headers = {"Authorization": f"Bearer {token}"}
    seen: set[str] = set()
    with httpx.Client(base_url=f"{options.api}/api/v1", headers=headers, trust_env=False) as api:
        while True:
            try:
                for prompt in api.get("/prompts").raise_for_status().json():
                    if prompt["id"] not in seen:
                        seen.add(prompt["id"])
                        answer(peer, api, prompt)
            except httpx.TransportError:
                return
            time.sleep(POLLING)


def answer(peer: Peer, api: httpx.Client, prompt: dict[str, Any]) -> None:
    """Answer one prompt, if a hand can."""
    said = answer_to(peer, prompt)
    sys.stdout.write(f"{prompt['id']}: {prompt['text']} -> {said}\n")
    sys.stdout.flush()
    if said is None:
        return
    reply = api.post(f"/prompts/{prompt['id']}/answer", json=said)
    if reply.status_code != 409:  # withdrawn meanwhile, as when the run was aborted
        reply.raise_for_status()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Answers prompts by moving the peer")
    parser.add_argument("--api", required=True, help="http://HOST:PORT of the API")
    parser.add_argument("--token-file", required=True, help="file with the operator's token")
    parser.add_argument("--control", type=int, required=True, help="control port of the peer")
    return parser.parse_args()


if __name__ == "__main__":
    main(_options())
