"""The privileged helper: exactly which commands each of its words becomes, and no other."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from drivers.net_helper import Interface, answer


class Kernel:
    """Writes down each command, and answers what is asked."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.tables = ""
        self.kinds: dict[str, str] = {}
        self.fails = ""

    def __call__(self, command: Sequence[str], text: str) -> str:
        self.commands.append(" ".join(command) + (f" < {text}" if text else ""))
        if self.fails and self.fails in self.commands[-1]:
            raise OSError("no permission")
        if command[:2] == ["ip", "-j"]:
            return json.dumps([{"flags": ["UP"]}])
        if command[0] == "nft" and command[1] == "list":
            return self.tables
        if command[:2] == ["tc", "-j"]:
            kind = self.kinds.get(command[-1])
            return json.dumps([{"handle": "9b17:", "kind": kind}] if kind else [{"kind": "pfifo"}])
        return ""


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def interface(kernel: Kernel) -> Interface:
    return Interface("dut0", "net0", run=kernel)


TABLE = "table inet pilotbench-{0}-dut0 {{}}\ndelete table inet pilotbench-{0}-dut0\n"
DELETED = TABLE.format("drop") + TABLE.format("reset")


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        ("up", ["ip link set dev dut0 up"]),
        ("down", ["ip link set dev dut0 down"]),
        ("open", [f"nft -f - < {DELETED}"]),
        (
            "delay 200",
            [
                "tc qdisc replace dev dut0 root handle 9b17: netem limit 10000 delay 200ms",
                "tc qdisc replace dev net0 root handle 9b17: netem limit 10000 delay 200ms",
            ],
        ),
        (
            "limit 5000",
            [
                "tc qdisc replace dev dut0 root handle 9b17: tbf rate 40000bit burst 1600 "
                "latency 10s",
                "tc qdisc replace dev net0 root handle 9b17: tbf rate 40000bit burst 1600 "
                "latency 10s",
            ],
        ),
    ],
)
def test_a_word_is_these_commands(
    words: str, commands: list[str], kernel: Kernel, interface: Interface
) -> None:
    assert answer(interface, f"7 {words}\n") == "7 ok"
    assert kernel.commands == commands


def test_dropping_is_one_change_of_a_table_of_its_own(kernel: Kernel, interface: Interface) -> None:
    assert answer(interface, "1 drop") == "1 ok"
    (command,) = kernel.commands
    assert command.startswith(f"nft -f - < {DELETED}table inet pilotbench-drop-dut0 {{\n")
    assert command.count('name "dut0" drop') == 4
    assert "reject" not in command


def test_resetting_rejects_tcp_with_a_reset_and_all_else(
    kernel: Kernel, interface: Interface
) -> None:
    assert answer(interface, "1 reset") == "1 ok"
    (command,) = kernel.commands
    for way in ("iif", "oif"):
        rules = f'{way}name "dut0" meta l4proto tcp reject with tcp reset\n{way}name "dut0" reject'
        assert command.count(rules) == 2
        assert command.count(f'{way}name "dut0" tcp flags rst accept') == 2


def test_delay_and_limit_are_one_discipline(kernel: Kernel, interface: Interface) -> None:
    answer(interface, "1 limit 5000")
    answer(interface, "2 delay 100")
    assert kernel.commands[-1].endswith(
        "net0 root handle 9b17: netem limit 10000 delay 100ms rate 40000bit"
    )
    answer(interface, "3 delay 0")
    assert " tbf rate 40000bit " in kernel.commands[-1]


def test_a_discipline_of_others_is_left_alone(kernel: Kernel, interface: Interface) -> None:
    answer(interface, "1 limit 0")
    assert not [command for command in kernel.commands if " del " in command]
    kernel.kinds["net0"] = "tbf"
    answer(interface, "2 limit 0")
    deleted = [command for command in kernel.commands if " del " in command]
    assert deleted == ["tc qdisc del dev net0 root handle 9b17:"]


def test_the_state_is_what_the_kernel_tells(kernel: Kernel, interface: Interface) -> None:
    assert answer(interface, "1 state") == "1 ok up none none,none"
    kernel.tables = "table inet filter\ntable inet pilotbench-reset-dut0\n"
    kernel.kinds["dut0"] = "netem"
    assert answer(interface, "2 state") == "2 ok up reset netem,none"


def test_clearing_goes_on_where_something_fails(kernel: Kernel, interface: Interface) -> None:
    kernel.fails = "nft"
    assert answer(interface, "1 clear") == "1 error no permission"
    assert "ip link set dev dut0 up" in kernel.commands


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        "1 rm -rf /",
        "1 up eth1",
        "1 drop 10.0.0.1",
        "1 delay",
        "1 delay -1",
        "1 delay 1.5",
        "1 delay 60001",
        "1 delay ١",
        "1 limit 99999999999",
        "1 limit 5;reboot",
        "1 UP",
    ],
)
def test_everything_else_is_refused(line: str, kernel: Kernel, interface: Interface) -> None:
    assert answer(interface, line).split()[:2] in (["1", "error"], ["error", "unknown"])
    assert kernel.commands == []


def test_one_interface_alone_is_not_shaped(kernel: Kernel) -> None:
    alone = Interface("dut0", run=kernel)
    assert answer(alone, "1 delay 100").startswith("1 error without an uplink")
    assert kernel.commands == []


@pytest.mark.parametrize(
    "names", [("",), ("lo",), ("-x",), ("a b",), ("a/b",), ("a" * 16,), ("a", "a"), ("a", "$b")]
)
def test_a_wrong_name_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="interface"):
        Interface(*names)
