#!/usr/bin/python3 -I
"""The small privileged program that breaks and mends one network interface, for `linux-path`.

It needs the standard library alone, so that a lab installs this one file, owned by root:

    install -o root -g root -m 755 drivers/net_helper.py /usr/local/sbin/pilotbench-net

    pilotbench-net INTERFACE [UPLINK]

reads one request per line on standard input, `NUMBER WORD [VALUE]`, and answers each with
`NUMBER ok …` or `NUMBER error TEXT`. The words are all there is; nothing of a request reaches a
command but checked numbers. When its input ends, the bench is gone: it mends everything and ends.

    state             how things are: link, cut, delay, limit
    up, down          the interface
    drop              every packet through the interface vanishes (nftables)
    reset             TCP gets a reset, all else is rejected (nftables)
    open              undo drop and reset
    delay MILLISECONDS    0 to 60000, on both interfaces (netem)
    limit BYTES           a second, 1 to 10^10, 0: none, on both interfaces (tbf, or netem)
    clear             undo everything
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
"""Names of interfaces: what the kernel allows, without what needs quoting."""

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

_HANDLE = "9b17:"
"""Marks the queueing discipline as ours."""

_COMMAND_WITHIN = 2.0
"""Deadline of one command in s."""

_MOST_DELAY, _MOST_LIMIT = 60_000, 10**10

_HELD = 10_000
"""Packets that are held back while they are delayed."""

_LATENCY = "10s"
"""How long a packet may wait for its turn under a limit."""

_RULES = {
    "drop": ("drop",),
    "reset": (
        # What tells the ends that it is cut has to get through.
        "tcp flags rst accept",
        "icmp type destination-unreachable accept",
        "icmpv6 type destination-unreachable accept",
        "meta l4proto tcp reject with tcp reset",
        "reject",
    ),
}
"""What happens to packets through the interface."""

Run = Callable[[Sequence[str], str], str]
"""Runs a command with an input and returns its output; raises `OSError` with the cause."""


def run(command: Sequence[str], text: str = "") -> str:
    """Run a command of this program's own making, without a shell."""
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=_COMMAND_WITHIN,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{command[0]} did not end within {_COMMAND_WITHIN:g} s") from None
    if done.returncode:
        raise OSError(" ".join(f"{command[0]}: {done.stderr or done.returncode}".split()))
    return done.stdout


class Interface:
    """One interface towards the station, and where given the one towards the engine."""

    def __init__(self, name: str, uplink: str = "", *, run: Run = run) -> None:
        for each in filter(None, (name, uplink)):
            if not _NAME.fullmatch(each):
                raise ValueError(f"{each!r} is no name of a network interface")
        if name == "lo" or name == uplink:
            raise ValueError("expected an interface other than lo, and an uplink that is another")
        self._name = name
        self._shaped = tuple(filter(None, (name, uplink)))
        self._run = run
        self._delay = 0
        self._limit = 0

    def obey(self, words: Sequence[str]) -> str:
        """Do what a request says; raises `ValueError` for what is none, `OSError` when it fails."""
        match words:
            case ["state"]:
                return self._state()
            case ["up" | "down" as word]:
                self._run(["ip", "link", "set", "dev", self._name, word], "")
            case ["drop" | "reset" as word]:
                self._run(["nft", "-f", "-"], self._deleted() + self._table(word))
            case ["open"]:
                self._run(["nft", "-f", "-"], self._deleted())
            case ["delay", value]:
                self._shape(_number(value, _MOST_DELAY), self._limit)
            case ["limit", value]:
                self._shape(self._delay, _number(value, _MOST_LIMIT))
            case ["clear"]:
                self._clear()
            case _:
                raise ValueError(f"unknown request {' '.join(words)[:60]!r}")
        return ""

    def _state(self) -> str:
        (link,) = json.loads(self._run(["ip", "-j", "link", "show", "dev", self._name], ""))
        up = "up" if "UP" in link["flags"] else "down"
        tables = self._run(["nft", "list", "tables"], "").split()
        cut = next((word for word in ("drop", "reset") if self._called(word) in tables), "none")
        shaped = ",".join(self._discipline(name) for name in self._shaped)
        return f"{up} {cut} {shaped}"

    def _discipline(self, name: str) -> str:
        """Tell the kind of our queueing discipline at an interface."""
        for each in json.loads(self._run(["tc", "-j", "qdisc", "show", "dev", name], "")):
            if each.get("handle") == _HANDLE:
                return str(each["kind"])
        return "none"

    def _called(self, word: str) -> str:
        return f"pilotbench-{word}-{self._name}"

    def _deleted(self) -> str:
        # A table is added first, so that deleting it is no error.
        names = [self._called(word) for word in ("drop", "reset")]
        return "".join(f"table inet {name} {{}}\ndelete table inet {name}\n" for name in names)

    def _table(self, word: str) -> str:
        rules = _RULES[word]
        chains = (("input", "iif"), ("output", "oif"), ("forward", "iif"), ("forward", "oif"))
        lines = []
        for hook, way in chains:
            lines.append(f"chain {hook}-{way} {{ type filter hook {hook} priority -10;")
            lines += [f'{way}name "{self._name}" {rule}' for rule in rules]
            lines.append("}")
        return f"table inet {self._called(word)} {{\n" + "\n".join(lines) + "\n}\n"

    def _shape(self, delay: int, limit: int) -> None:
        if (delay or limit) and len(self._shaped) < 2:
            raise ValueError("without an uplink only one direction can be delayed or limited")
        for name in self._shaped:
            self._shape_one(name, delay, limit)
        self._delay, self._limit = delay, limit

    def _shape_one(self, name: str, delay: int, limit: int) -> None:
        root = ["dev", name, "root", "handle", _HANDLE]
        rate = ["rate", f"{8 * limit}bit"]
        if delay:
            netem = ["netem", "limit", str(_HELD), "delay", f"{delay}ms", *(rate if limit else ())]
            self._run(["tc", "qdisc", "replace", *root, *netem], "")
        elif limit:
            # A bucket has to hold a whole packet.
            tbf = ["tbf", *rate, "burst", str(max(1600, limit // 100)), "latency", _LATENCY]
            self._run(["tc", "qdisc", "replace", *root, *tbf], "")
        elif self._discipline(name) != "none":
            self._run(["tc", "qdisc", "del", *root], "")

    def _clear(self) -> None:
        """Undo everything, also where some of it fails; raises the first failure."""
        failures = []
        for undo in (
            lambda: self.obey(["open"]),
            lambda: self._shape(0, 0),
            lambda: self.obey(["up"]),
        ):
            try:
                undo()
            except OSError as error:
                failures.append(error)
        if failures:
            raise failures[0]


def _number(text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,11}", text) or int(text) > most:
        raise ValueError(f"{text[:20]!r}, expected a whole number from 0 to {most}")
    return int(text)


def answer(interface: Interface, line: str) -> str:
    """Answer one request line."""
    number, *words = line.split() or [""]
    try:
        said = interface.obey(words)
    except (ValueError, OSError) as error:
        return f"{number[:20]} error {error}"
    return f"{number[:20]} ok {said}".rstrip()


def main() -> int:
    """Serve requests until standard input ends, then mend everything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        interface = Interface(*sys.argv[1:3])
        if len(sys.argv) > 3:
            raise TypeError
    except (TypeError, ValueError) as error:
        text = str(error) if isinstance(error, ValueError) else "INTERFACE [UPLINK]"
        sys.stderr.write(f"usage: pilotbench-net INTERFACE [UPLINK]: {text}\n")
        return 3
    try:
        for line in sys.stdin:
            sys.stdout.write(answer(interface, line) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        pass  # the bench is gone
    finally:
        try:
            interface.obey(["clear"])
        except OSError as error:
            sys.stderr.write(f"pilotbench-net: not mended: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
