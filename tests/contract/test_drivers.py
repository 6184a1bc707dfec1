"""What holds for every driver: how it is declared, and that its device keeps the promise."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import drivers
from bench import toml
from bench.capability import CAPABILITIES
from bench.device import Device, Driver, DriverContext
from bench.errors import BenchError, ConfigError
from tests.contract.operator import Person

ROOT = Path(__file__).parents[2]

TABLES = {
    "drivers.apc:DRIVER": """
        link = "snmp://10.0.0.9"
        community = "private"
        outlet = 3
        objects = "rpdu"
        """,
    "drivers.card_changer:DRIVER": """
        link = "serial:/dev/serial/by-id/maestro?baudrate=115200"
        slots = { valid = 0, invalid = 1 }
        hold = 1
        """,
    "drivers.chameleon:DRIVER": """
        link = "serial:/dev/serial/by-id/chameleon"
        slot = 7
        hold = 1.5
        serial = "7A3F00C0FFEE0142"
        """,
    "drivers.e3372_hilink:DRIVER": """
        link = "http://192.168.8.1"
        password = "secret"
        safe = "4G"
        """,
    "drivers.e3372_stick:DRIVER": """
        link = "serial:/dev/serial/by-id/e3372-if01?baudrate=115200"
        apn = "ocpp.lab"
        connect_within = 60
        serial = "861821030000017"
        """,
    "drivers.ea_psb:DRIVER": """
        link = "socket://10.0.0.12:5025"
        max_current = 20
        serial = "2538170001"
        """,
    "drivers.ev_sim:DRIVER": """
        link = "serial:/dev/serial/by-id/ev-sim?baudrate=9600"
        connectors = [1, 2]
        """,
    "drivers.gude:DRIVER": """
        link = "http://10.0.0.10"
        port = 2
        user = "admin"
        password = "secret"
        """,
    "drivers.linux_path:DRIVER": """
        interface = "enp3s0"
        loud = "link"
        command = ["/usr/bin/doas", "/usr/local/sbin/pilotbench-net"]
        """,
    "drivers.manual:MANUAL_CARDS": "",
    "drivers.manual:MANUAL_METER": 'energy_unit = "Wh"',
    "drivers.manual:MANUAL_NETWORK": "",
    "drivers.manual:MANUAL_POWER": "",
    "drivers.manual_card_reader:MANUAL_CARD_READER": "",
    "drivers.manual_load:MANUAL_LOAD": "max_current = 16",
    "drivers.manual_modem:MANUAL_MODEM": "",
    "drivers.manual_multimeter:MANUAL_MULTIMETER": "of_reading = 0.05",
    "drivers.manual_provocation:MANUAL_PROVOCATION": "",
    "drivers.manual_reference:MANUAL_REFERENCE": "",
    "drivers.manual_vehicle:MANUAL_COUPLER": "",
    "drivers.manual_vehicle:MANUAL_VEHICLE": "asks_by_itself = false",
    "drivers.multimeter:DRIVER": """
        link = "socket://10.0.0.14:5025"
        profile = "keysight-34465a"
        serial = "MY57501234"
        """,
    "drivers.netio:DRIVER": """
        link = "http://10.0.0.7"
        outlet = 2
        safe = "off"
        user = "netio"
        password = "secret"
        """,
    "drivers.pcsc_reader:DRIVER": 'link = "pcsc:ACS ACR122U PICC Interface"',
    "drivers.phoenix_ev_cc:DRIVER": """
        link = "modbus-rtu:/dev/ttyUSB0?baudrate=9600"
        unit = 3
        """,
    "drivers.pilot_box:DRIVER": """
        link = "modbus-rtu:/dev/ttyUSB0?baudrate=9600&parity=N"
        cable = 20
        connectors = [1, 2]
        """,
    "drivers.profile_ev:DRIVER": """
        link = "socket://10.0.0.13:5025"
        profile = "ev-example-lines"
        serial = "4711"
        connectors = [1]
        """,
    "drivers.register_meter:DRIVER": """
        link = "modbus-tcp://10.0.0.8:502"
        profile = "eastron-sdm72"
        unit = 3
        serial = "20231117"
        """,
    "drivers.service_port:DRIVER": """
        link = "http://10.0.0.14:8080"
        connectors = [1, 2]
        token = "secret"
        token_header = "X-Service-Key"
        [failures.lock-blocked]
        provoke = { path = "/locks/{connector}/block" }
        relieve = { path = "/locks/{connector}/block", method = "DELETE" }
        state = { path = "/locks", pointer = "/{connector}/state" }
        provoked = "blocked"
        """,
    "drivers.shelly:DRIVER": 'link = "http://shelly.lan:80"',
    "drivers.switch_port:DRIVER": """
        link = "snmp://10.0.0.11"
        community = "private"
        port = 5
        interface = "gi5"
        """,
    "drivers.tcp_relay:DRIVER": "",
    "drivers.yeti_ev:DRIVER": """
        link = "serial:/dev/serial/by-id/yeti?baudrate=115200"
        connectors = [1, 2]
        """,
}
"""Every driver, with the keys that a `[[device]]` table may give it."""

ALL = pytest.mark.parametrize("path", sorted(TABLES))


def driver_at(path: str) -> Driver:
    module, _, name = path.partition(":")
    driver = getattr(importlib.import_module(module), name)
    assert isinstance(driver, Driver)
    return driver


def settings_of(path: str) -> Any:
    table = tomllib.loads(inspect.cleandoc(TABLES[path]))
    return toml.parse(driver_at(path).settings, table, "bench.toml: [[device]] 'dev'")


def made(path: str) -> Device:
    context = DriverContext(
        name="dev",
        operator=Person(),
        ocpp_listen="127.0.0.1:0",
        ocpp_upstream=lambda: "127.0.0.1:1",
    )
    return driver_at(path).make(settings_of(path), context)


def declared() -> Iterator[str]:
    """Every `Driver` value in a module of the folder."""
    for file in sorted(Path(drivers.__file__).parent.glob("*.py")):
        module = importlib.import_module(f"drivers.{file.stem}".removesuffix(".__init__"))
        for name, value in vars(module).items():
            if isinstance(value, Driver):
                yield f"{module.__name__}:{name}"


def test_every_driver_is_in_the_table_of_this_test() -> None:
    assert sorted(declared()) == sorted(TABLES)


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda each: each.__name__)
def test_every_capability_has_a_manual_driver_and_another_one(capability: type) -> None:
    offering = [path for path in TABLES if capability in driver_at(path).offers]
    assert [path for path in offering if ":MANUAL_" in path]
    assert [path for path in offering if ":MANUAL_" not in path]


@ALL
def test_the_settings_are_a_documented_frozen_dataclass(path: str) -> None:
    kind = driver_at(path).settings
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)
    documentation = inspect.getdoc(kind) or ""
    assert documentation
    assert not documentation.startswith(f"{kind.__name__}("), "the docstring is generated"


@ALL
def test_the_settings_read_from_toml_and_refuse_an_unknown_key(path: str) -> None:
    assert settings_of(path) is not None
    table = tomllib.loads(inspect.cleandoc(TABLES[path])) | {"colour": "red"}
    with pytest.raises(ConfigError, match=r"bench.toml: .*unknown key 'colour'"):
        toml.parse(driver_at(path).settings, table, "bench.toml: [[device]] 'dev'")


@pytest.mark.parametrize("path", [path for path in sorted(TABLES) if "link =" in TABLES[path]])
def test_a_wrong_link_is_a_configuration_error(path: str) -> None:
    table = tomllib.loads(inspect.cleandoc(TABLES[path])) | {"link": "carrier-pigeon://loft"}
    with pytest.raises(ConfigError, match=r"^bench.toml: .* has carrier-pigeon:, expected one of"):
        toml.parse(driver_at(path).settings, table, "bench.toml: [[device]] 'dev'")


@ALL
def test_it_offers_known_capabilities_and_something_at_all(path: str) -> None:
    offers = driver_at(path).offers
    assert offers
    assert set(offers) <= set(CAPABILITIES)
    assert len(set(offers)) == len(offers)


@ALL
def test_the_device_has_every_method_as_the_protocol_writes_it(path: str) -> None:
    device = type(made(path))
    assert not inspect.isabstract(device)
    for protocol in (Device, *driver_at(path).offers):
        for name in protocol.__abstractmethods__:  # type: ignore[attr-defined]
            promised, kept = getattr(protocol, name), getattr(device, name)
            assert kept is not promised, f"{device.__name__} leaves out {name}"
            assert inspect.iscoroutinefunction(kept), f"{name} is not async"
            assert shape(kept) == shape(promised), f"{device.__name__}.{name}"
            assert inspect.getdoc(kept)


def shape(function: Any) -> list[tuple[object, ...]]:
    """Parameters and result of a method, with types resolved."""
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    parameters = [
        (each.name, each.kind, each.default, hints.get(each.name))
        for each in signature.parameters.values()
    ]
    return [*parameters, ("return", hints.get("return"))]


@ALL
def test_the_device_has_no_public_ability_that_nobody_asked_for(path: str) -> None:
    device = made(path)
    known = {name for each in (Device, *driver_at(path).offers) for name in dir(each)}
    extra = {name for name in dir(device) if not name.startswith("_")} - known
    assert extra <= {"address"}, "only the relay tells where it listens"


@ALL
def test_only_the_relay_stands_before_the_endpoint(path: str) -> None:
    assert driver_at(path).fronts_ocpp is (path == "drivers.tcp_relay:DRIVER")


@ALL
def test_the_module_says_what_it_drives(path: str) -> None:
    assert (importlib.import_module(path.partition(":")[0]).__doc__ or "").strip()


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("drivers.apc:DRIVER", "snmp://127.0.0.1:1"),
        ("drivers.card_changer:DRIVER", "serial:/dev/no-such-port"),
        ("drivers.chameleon:DRIVER", "serial:/dev/no-such-port"),
        ("drivers.e3372_hilink:DRIVER", "http://127.0.0.1:1"),
        ("drivers.e3372_stick:DRIVER", "serial:/dev/no-such-port"),
        ("drivers.ea_psb:DRIVER", "socket://127.0.0.1:1"),
        ("drivers.ev_sim:DRIVER", "serial:/dev/no-such-port"),
        ("drivers.yeti_ev:DRIVER", "socket://127.0.0.1:1"),
        ("drivers.gude:DRIVER", "http://127.0.0.1:1"),
        ("drivers.profile_ev:DRIVER", "socket://127.0.0.1:1"),
        ("drivers.netio:DRIVER", "http://127.0.0.1:1"),
        ("drivers.multimeter:DRIVER", "socket://127.0.0.1:1"),
        ("drivers.pcsc_reader:DRIVER", "pcsc:No such reader"),
        ("drivers.phoenix_ev_cc:DRIVER", "modbus-tcp://127.0.0.1:1"),
        ("drivers.pilot_box:DRIVER", "modbus-tcp://127.0.0.1:1"),
        ("drivers.register_meter:DRIVER", "modbus-rtu:/dev/no-such-port"),
        ("drivers.service_port:DRIVER", "http://127.0.0.1:1"),
        ("drivers.shelly:DRIVER", "http://127.0.0.1:1"),
        ("drivers.switch_port:DRIVER", "snmp://127.0.0.1:1"),
    ],
)
async def test_a_device_that_is_not_there_is_an_error_that_names_it(path: str, link: str) -> None:
    settings = dataclasses.replace(settings_of(path), link=link)
    device = driver_at(path).make(settings, DriverContext(name="box-7", operator=Person()))
    with pytest.raises(BenchError, match=r"^box-7 \(.*\): "):
        await device.__aenter__()


def test_every_driver_is_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    points = project["entry-points"]["pilotbench.drivers"]
    assert sorted(points.values()) == sorted(TABLES)
