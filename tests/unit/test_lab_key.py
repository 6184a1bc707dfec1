"""The lab's key: made once, read with care, told from others."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import cli
from bench.errors import ConfigError
from bench.lab_key import PublicKey, load_key, load_public_key, new_key
from tests.peers.time_stamps import openssl

PLAIN = pem.NoEncryption()


def stored(folder: Path, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, lock: object) -> Path:
    path = folder / "key"
    assert isinstance(lock, pem.KeySerializationEncryption)
    path.write_bytes(key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, lock))
    path.chmod(0o600)
    return path


def test_a_new_key_is_its_owners_alone_and_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lab.key"
    assert cli.main(["key", "new", str(path)]) == 0
    shown = capsys.readouterr().out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert cli.main(["key", "new", str(path)]) == 3
    assert capsys.readouterr().err == f"pilotbench: {path}: File exists\n"
    assert path.read_bytes() == before
    assert cli.main(["key", "show", str(path)]) == 0
    assert capsys.readouterr().out == shown
    # What is shown can be kept as a file, and holds nothing private.
    public = tmp_path / "lab.pub"
    public.write_text(shown)
    key = load_public_key(public, "--key")
    assert shown.endswith(f"fingerprint {key.fingerprint}\n")
    assert "PRIVATE" not in shown


def test_openssl_knows_the_key_and_its_fingerprint(tmp_path: Path) -> None:
    key = new_key(tmp_path / "lab.key")
    openssl(tmp_path, *("pkey", "-in", "lab.key", "-pubout", "-outform", "DER", "-out", "der"))
    assert key.public == PublicKey((tmp_path / "der").read_bytes())
    said = openssl(tmp_path, "dgst", "-sha256", "der")
    assert said.split()[-1] == key.public.fingerprint


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.key"
    new_key(path)
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(ConfigError) as refused:
            load_key(path, "here")
        text = f"here: {path} has mode {mode:o}, expected 600 (chmod 600 {path})"
        assert str(refused.value) == text
    path.chmod(0o400)
    load_key(path, "here")


def test_what_is_no_key_of_the_lab_is_refused_by_its_kind(tmp_path: Path) -> None:
    lock = pem.BestAvailableEncryption(b"open sesame")
    locked = stored(tmp_path, Ed25519PrivateKey.generate(), lock)
    with pytest.raises(ConfigError, match="is encrypted, expected a key without passphrase"):
        load_key(locked, "here")
    other = stored(tmp_path, ec.generate_private_key(ec.SECP256R1()), PLAIN)
    with pytest.raises(ConfigError, match="holds another kind of key, expected Ed25519"):
        load_key(other, "here")
    other.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match=r"is no PEM file with a private key$"):
        load_key(other, "here")
    with pytest.raises(ConfigError, match=r"here: .*nowhere: No such file or directory"):
        load_key(tmp_path / "nowhere", "here")


def test_a_private_key_is_not_taken_for_the_public_one(tmp_path: Path) -> None:
    key = new_key(tmp_path / "lab.key")
    with pytest.raises(ConfigError, match="holds a private key, expected the public one"):
        load_public_key(tmp_path / "lab.key", "--key")
    public = tmp_path / "lab.pub"
    public.write_text(key.public.pem)
    assert load_public_key(public, "--key") == key.public
    public.write_text("ssh-ed25519 AAAA")
    with pytest.raises(ConfigError, match=r"--key: .*lab\.pub is no PEM file with a public key"):
        load_public_key(public, "--key")


def test_a_signature_is_by_one_key_on_one_text(tmp_path: Path) -> None:
    key, other = new_key(tmp_path / "a"), new_key(tmp_path / "b")
    signature = key.sign(b"text")
    assert key.public.signed(signature, b"text")
    assert not key.public.signed(signature, b"texT")
    assert not other.public.signed(signature, b"text")
    assert PublicKey.from_json(key.public.to_json()) == key.public


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"algorithm": "RSA"}, "algorithm 'RSA', expected Ed25519"),
        ({"public_key": "c2VjcmV0"}, "no public key that can be read"),
        ({"fingerprint": "00"}, "the fingerprint is not that of the key"),
    ],
)
def test_a_signer_that_does_not_hang_together_is_refused(
    tmp_path: Path, change: dict[str, str], text: str
) -> None:
    data = new_key(tmp_path / "a").public.to_json()
    with pytest.raises(ValueError, match=text):
        PublicKey.from_json(data | change)


# bench.toml


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ('signing_key = "nowhere"', "key 'signing_key': {0}/nowhere: No such file or directory"),
        ('signing_key = "open"', "key 'signing_key': {0}/open has mode 644, expected 600"),
        (
            'signing_key = """-----BEGIN PRIVATE KEY-----\nabcd"""',
            "key 'signing_key': expected the name of a file, not the key itself",
        ),
        ('timestamp = "ftp://x"', "key 'timestamp': expected http://HOST/… or https://HOST/…"),
        ('timestamp = "http://me:pass@host/"', "key 'timestamp': expected http://HOST/… or htt"),
        ("timestamp_within = 0", "key 'timestamp_within': 0, expected more than 0, at most 60"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(
    tmp_path: Path, table: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new_key(tmp_path / "open")
    (tmp_path / "open").chmod(0o644)
    path = tmp_path / "bench.toml"
    path.write_text(f'[bench]\nname = "b"\n[lab]\n{table}\n')
    assert cli.main(["check", str(path)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: table [lab]")
    assert text.format(tmp_path) in line
    for secret in ("abcd", "pass@"):
        assert secret not in line


def test_a_good_table_is_sound(tmp_path: Path) -> None:
    new_key(tmp_path / "lab.key")
    path = tmp_path / "bench.toml"
    lab = 'signing_key = "lab.key"\ntimestamp = "https://tsa.example/tsr"'
    path.write_text(f'[bench]\nname = "b"\n[lab]\n{lab}\n')
    assert cli.main(["check", str(path)]) == 0
