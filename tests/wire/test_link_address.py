"""The link URL of a device: what is accepted, and how a wrong one is refused."""

from __future__ import annotations

import pytest

from drivers.link.address import Address, parse

ALL = ("modbus-tcp", "modbus-rtu", "serial", "socket", "http")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("modbus-tcp://10.0.0.5:1502", Address("modbus-tcp", host="10.0.0.5", port=1502)),
        ("modbus-tcp://box", Address("modbus-tcp", host="box", port=502)),
        ("http://pdu/", Address("http", host="pdu", port=80)),
        ("http://[::1]:8080", Address("http", host="::1", port=8080)),
        ("socket://127.0.0.1:23", Address("socket", host="127.0.0.1", port=23)),
        (
            "modbus-rtu:/dev/ttyUSB0?baudrate=19200&parity=E&stopbits=2",
            Address("modbus-rtu", path="/dev/ttyUSB0", baudrate=19200, parity="E", stopbits=2),
        ),
        ("modbus-rtu:/dev/ttyUSB0", Address("modbus-rtu", path="/dev/ttyUSB0", baudrate=9600)),
        (
            "serial:/dev/serial/by-id/usb-Pololu_Maestro-if00?baudrate=115200",
            Address("serial", path="/dev/serial/by-id/usb-Pololu_Maestro-if00", baudrate=115200),
        ),
    ],
)
def test_addresses(url: str, expected: Address) -> None:
    assert parse(url, *ALL) == expected


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("box:502", "link 'box:502' has box:, expected one of modbus-tcp:, modbus-rtu:"),
        ("/dev/ttyUSB0", "has no scheme, expected one of"),
        ("modbus-tcp:/dev/ttyUSB0", "has a path, expected modbus-tcp://HOST:PORT"),
        ("modbus-tcp://:502", "names no host"),
        ("modbus-tcp://box:70000", "has a wrong port, expected 1 to 65535"),
        ("modbus-tcp://box:x", "has a wrong port"),
        ("modbus-tcp://box:0", "names no port"),
        ("socket://box", "names no port, expected socket://HOST:PORT"),
        ("http://admin:secret@pdu", "link has a user name in it; it belongs in a key of its own"),
        ("http://pdu/netio.json", "has a path, expected http://HOST:PORT"),
        ("modbus-tcp://box:502?timeout=3", "modbus-tcp: takes no parameters"),
        ("modbus-tcp://box:502#1", "has a part after #"),
        ("modbus-rtu://dev/ttyUSB0", "names no serial port, expected modbus-rtu:/dev/…"),
        ("serial:ttyUSB0", "names no serial port, expected serial:/dev/…"),
        ("serial:/dev/x?baud=9600", "unknown parameter 'baud', expected baudrate, parity"),
        ("serial:/dev/x?baudrate=fast", "has baudrate 'fast', expected 50 to 4000000"),
        ("serial:/dev/x?baudrate=9600&baudrate=2400", "has baudrate twice"),
        ("serial:/dev/x?stopbits=3", "has stopbits '3', expected 1 to 2"),
        ("serial:/dev/x?parity=even", "has parity 'even', expected N, E or O"),
    ],
)
def test_wrong_addresses_are_refused(url: str, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(url, *ALL)
    assert text in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_scheme_of_another_driver_is_refused() -> None:
    with pytest.raises(ValueError, match="has http:, expected one of modbus-tcp:, modbus-rtu:"):
        parse("http://box", "modbus-tcp", "modbus-rtu")


@pytest.mark.parametrize("url", ["modbus-tcp://[::1]:502", "serial:/dev/ttyACM0"])
def test_an_address_shows_as_it_was_written(url: str) -> None:
    assert str(parse(url, *ALL)) == url
