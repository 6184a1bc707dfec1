"""Cards by the number of their chip, and the idTags that stations make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cards import Notation, id_tag_of, uid_bytes
from bench.dut import load_dut
from bench.errors import ConfigError

DUT = """
[dut]
kind = "charging-station"
identity = "CP1"
vendor = "V"
model = "M"

[pixit.cards.valid]
"""


@pytest.mark.parametrize(
    ("notation", "four", "seven"),
    [
        ("hex", "DEADBEEF", "04A1B2C3D4E5F6"),
        ("reversed", "EFBEADDE", "F6E5D4C3B2A104"),
        ("reversed-padded", "EFBEADDE00000000", "F6E5D4C3B2A10400"),
        ("first4", "DEADBEEF", "04A1B2C3"),
        ("last4", "DEADBEEF", "C3D4E5F6"),
        ("first4-reversed", "EFBEADDE", "C3B2A104"),
        ("decimal", "3735928559", "1303689068602870"),
        ("decimal-reversed", "4022250974", "69495546249912580"),
    ],
)
def test_notations(notation: Notation, four: str, seven: str) -> None:
    assert id_tag_of(uid_bytes("de:ad:be:ef"), notation) == four
    assert id_tag_of(uid_bytes("04 A1 B2 C3 D4 E5 F6"), notation) == seven


@pytest.mark.parametrize(
    ("uid", "text"),
    [
        ("0102030405", "has 5 bytes, expected 4, 7 or 10"),
        ("xyz", "'xyz', expected hexadecimal digits"),
        ("08112233", "is a random number"),
        ("88112233", "begins with a cascade tag"),
    ],
)
def test_what_is_no_lasting_number_is_refused(uid: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        uid_bytes(uid)


@pytest.mark.parametrize(
    ("keys", "id_tag", "uid"),
    [
        ('id_tag = "CARD1"', "CARD1", None),
        ('uid = "04:a1:b2:c3:d4:e5:f6"', "04A1B2C3D4E5F6", "04A1B2C3D4E5F6"),
        ('uid = "deadbeef"\nnotation = "decimal-reversed"', "4022250974", "DEADBEEF"),
        ('uid = "deadbeef"\nid_tag = "EFBEADDE00000000"', "EFBEADDE00000000", "DEADBEEF"),
        ('uid = "0102030405060708090A"', "0102030405060708090A", "0102030405060708090A"),
    ],
)
def test_a_card_in_dut_toml(tmp_path: Path, keys: str, id_tag: str, uid: str | None) -> None:
    path = tmp_path / "dut.toml"
    path.write_text(DUT + keys)
    card = load_dut(path).pixit.card("valid")
    assert (card.id_tag, card.uid) == (id_tag, uid)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("", "key 'id_tag' is missing, or 'uid' in its place"),
        ('id_tag = "C"\nnotation = "hex"', "key 'notation': makes an idTag of 'uid'"),
        ('uid = "deadbeef"\nnotation = "octal"', "key 'notation': \"octal\", expected one of hex"),
        ('uid = "dead"', "key 'uid': 'dead' has 2 bytes, expected 4, 7 or 10"),
        (
            'uid = "FFFFFFFFFFFFFFFFFFFF"\nnotation = "decimal"',
            "key 'id_tag': 25 characters, expected at most 20",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, keys: str, text: str) -> None:
    path = tmp_path / "dut.toml"
    path.write_text(DUT + keys)
    with pytest.raises(ConfigError) as caught:
        load_dut(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "cards" in str(caught.value)
    assert text in str(caught.value)
