"""The seal of a run: signature and time stamp, what they prove, and what is said when not."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from bench import cli
from bench.case import Case
from bench.config import LabSettings
from bench.errors import JournalError
from bench.journal import JOURNAL, JournalReader, JournalWriter
from bench.lab_key import LabKey, PublicKey, load_public_key, new_key
from bench.report import write_all
from bench.seal import SEAL, TOKEN, Closed, seal
from bench.sealed import Trust
from bench.timestamp import NoStamp, check, check_use, load_anchors
from bench.verify import Verification, verify
from tests.peers.time_stamps import RSA, Authority, authority, openssl, serving
from tests.unit.recorded import one_case, record


async def a_case(case: Case) -> None:
    """Check one thing."""
    case.check("one", 1, 1)


@dataclass
class Lab:
    """A lab's key and the authority it asks, with a run made by it."""

    key: LabKey
    tsa: Authority
    run: Path
    folder: Path

    @property
    def anchors(self) -> Any:
        return load_anchors(self.tsa.root, "--tsa")

    @property
    def trust(self) -> Trust:
        return Trust(self.key.public, self.anchors)


def made(folder: Path, lab: LabSettings | None = None) -> Path:
    outcome = asyncio.run(record(folder, cases=[one_case(a_case)], lab=lab))
    write_all(outcome.folder)
    return outcome.folder


@pytest.fixture(autouse=True, scope="module")
def no_proxy() -> Iterator[None]:
    """What leads to the network of the machine leads nowhere here."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    key = new_key(folder / "lab.key")
    with serving(authority(tmp_path_factory.mktemp("tsa"))) as tsa:
        run = made(folder, LabSettings(str(folder / "lab.key"), tsa.url))
        yield Lab(key, tsa, run, folder)


@pytest.fixture
def copy(lab: Lab, tmp_path: Path) -> Path:
    return shutil.copytree(lab.run, tmp_path / "elsewhere")


def summary(found: Verification) -> str:
    return "\n".join(found.summary)


# A sealed run


def test_a_sealed_run_is_sound_wherever_it_lies(lab: Lab, copy: Path) -> None:
    for trust in (None, lab.trust):
        found = verify(copy, trust)
        assert (found.faults, found.warnings) == ((), ())
        assert f"signed   with the key {lab.key.public.fingerprint}" in found.summary
    assert "UTC by CN=Test TSA, no. " in summary(found)
    assert summary(found).count("with a trusted certificate") == 1
    assert "with a certificate that it brings itself" in summary(verify(copy))


def test_the_command_tells_it(
    lab: Lab, copy: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    public = tmp_path / "lab.pub"
    public.write_text(lab.key.public.pem)
    asked = ["verify", str(copy), "--key", str(public), "--tsa", str(lab.tsa.root)]
    assert cli.main(asked) == 0
    assert "signed   with the key" in capsys.readouterr().out
    (copy / TOKEN).unlink()
    assert cli.main(asked) == 1
    assert f"NOT SOUND: {TOKEN}: No such file" in capsys.readouterr().out
    assert cli.main(["verify", str(copy), "--key", str(lab.folder / "lab.key")]) == 3
    assert "holds a private key" in capsys.readouterr().err
    assert cli.main(["verify", str(copy), "--tsa", str(public)]) == 3
    assert "is no PEM file with certificates" in capsys.readouterr().err


def test_openssl_agrees_with_signature_and_stamp(lab: Lab, copy: Path) -> None:
    document = json.loads((copy / SEAL).read_bytes())
    (copy / "statement").write_text(document["statement"])
    (copy / "signature").write_bytes(base64.b64decode(document["signature"]["signature"]))
    (copy / "lab.pub").write_text(lab.key.public.pem)
    asked = ("-verify", "-pubin", "-inkey", "lab.pub", "-rawin", "-in", "statement")
    assert "Success" in openssl(copy, "pkeyutl", *asked, "-sigfile", "signature")
    reader = JournalReader(copy / JOURNAL)
    count = len(list(reader))
    assert document["statement"] == f"Pilotbench run run\nrecords {count}\nhead {reader.head}\n"
    ca = ("-in", TOKEN, "-CAfile", str(lab.tsa.root))
    assert "OK" in openssl(copy, "ts", "-verify", "-digest", reader.head, *ca)


def test_the_page_for_auditors_says_what_works(lab: Lab, copy: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/check-evidence.md").read_text("utf-8")
    by_hand = page.partition("## Check it without Pilotbench")[2].partition("\n## ")[0]
    (python,) = re.findall(r"```python\n(.*?)```", by_hand, re.DOTALL)
    (shell,) = re.findall(r"```shell\n(.*?)```", by_hand, re.DOTALL)
    (copy / "lab.pub").write_text(lab.key.public.pem)
    shutil.copy(lab.tsa.root, copy / "authority-root.pem")
    printed = said_by(copy, sys.executable, "-W", "ignore", "-c", python).strip()
    assert f"the last {printed}" in summary(verify(copy))
    said = said_by(copy, "sh", "-ec", shell.replace("HASH", printed))
    assert f"head {printed}\nSignature Verified Successfully\nVerification: OK\n" in said
    assert f"{lab.key.public.fingerprint}  -\n" in said


def said_by(folder: Path, *command: str) -> str:
    asked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def test_the_private_key_is_nowhere_but_in_its_file(lab: Lab) -> None:
    pem = (lab.folder / "lab.key").read_text().splitlines()[1]
    seed = base64.b64decode(pem)[-32:]
    wanted = (pem.encode(), seed, seed.hex().encode(), base64.b64encode(seed))
    for path in lab.run.iterdir():
        data = path.read_bytes()
        assert not any(one in data for one in wanted), path


# Spoilt seals


def document_of(folder: Path) -> Any:
    return json.loads((folder / SEAL).read_bytes())


def change(folder: Path, changes: Callable[[Any], Any]) -> None:
    document = document_of(folder)
    changes(document)
    (folder / SEAL).write_text(json.dumps(document))


def sign_again(folder: Path, key: LabKey) -> None:
    """Put another key's signature where the lab's is."""

    def changes(document: Any) -> None:
        signature = base64.b64encode(key.sign(document["statement"].encode())).decode()
        document["signature"] = {**key.public.to_json(), "signature": signature}

    change(folder, changes)


def other_signature(document: Any) -> None:
    signature = bytearray(base64.b64decode(document["signature"]["signature"]))
    signature[5] ^= 1
    document["signature"]["signature"] = base64.b64encode(signature).decode()


SPOILT: list[tuple[Callable[[Any], Any], str]] = [
    (other_signature, f"the signature in {SEAL} does not fit: it was changed, or is not with"),
    (lambda d: d.update(signature=None), f"the run was to be signed with the key .*, but {SEAL} h"),
    (lambda d: d["signature"].update(fingerprint="0"), f"{SEAL} is no seal: the fingerprint is no"),
    (lambda d: d["signature"].pop("signature"), f"{SEAL} is no seal: 'signature'"),
    (lambda d: d.update(stamp=7), f"{SEAL} is no seal: "),
    (lambda d: d.update(stamp={"sha256": 7}), f"{SEAL} is no seal: its stamp is not one"),
    (
        lambda d: d.update(statement=d["statement"].replace("run run", "run other")),
        f"{SEAL} was put on another record: it says 'Pilotbench run other', the journal 'Pilotb",
    ),
    (lambda d: d.update(stamp=None), f"{SEAL} has a time stamp of nobody, record 1 says http:"),
    (lambda d: d["stamp"].update(authority="http://x"), "has a time stamp of http://x, record 1 s"),
    (lambda d: d["stamp"].update(sha256="0"), f"{TOKEN} was changed: its SHA-256 is not the one"),
]


@pytest.mark.parametrize(("changes", "text"), SPOILT)
def test_a_seal_that_was_changed_is_told_in_a_sentence(
    copy: Path, changes: Callable[[Any], Any], text: str
) -> None:
    change(copy, changes)
    (fault,) = verify(copy).faults
    assert re.search(text, fault), fault
    assert "\n" not in fault


def test_a_seal_that_was_taken_away_is_missed(lab: Lab, copy: Path) -> None:
    (copy / SEAL).unlink()
    signature, stamp = verify(copy).faults
    promised = f"the run was to be signed with the key {lab.key.public.fingerprint}"
    assert signature == f"{promised}, but {SEAL} is not there"
    assert stamp.startswith(f"{SEAL} has a time stamp of nobody, record 1 says http://127")
    (copy / SEAL).write_text("{")
    assert verify(copy).faults[0].startswith(f"{SEAL} is no seal: ")


def test_every_byte_of_the_seal_counts(copy: Path) -> None:
    whole = (copy / SEAL).read_bytes()
    for position in range(0, len(whole), 3):
        if whole[position : position + 1] in (b" ", b"\n"):
            continue  # the layout says nothing
        spoilt = bytearray(whole)
        spoilt[position] ^= 1
        (copy / SEAL).write_bytes(spoilt)
        assert verify(copy).faults, (position, whole[position : position + 1])


def test_the_signature_of_another_key_is_told(lab: Lab, copy: Path, tmp_path: Path) -> None:
    mallory = new_key(tmp_path / "mallory.key")
    sign_again(copy, mallory)
    (fault,) = verify(copy).faults
    text = f"the signature in {SEAL} is with the key {mallory.public.fingerprint}, record 1 names"
    assert fault == f"{text} {lab.key.public.fingerprint}"


def test_a_journal_that_was_written_anew_is_refused_by_who_knows_the_key(
    lab: Lab, copy: Path, tmp_path: Path
) -> None:
    # Mallory changes what she likes, chains it again and signs it with a key of her own.
    mallory = new_key(tmp_path / "mallory.key")
    lines = [json.loads(line) for line in (copy / JOURNAL).read_bytes().splitlines()]
    lines[0]["data"].update(signer=mallory.public.to_json(), timestamp=None)
    lines[0]["data"]["dut"]["vendor"] = "Mallory"
    (copy / JOURNAL).unlink()
    with JournalWriter(copy / JOURNAL) as journal:
        for line in lines:
            del line["prev"], line["hash"]
            journal.write(json.dumps(line, separators=(",", ":")).encode())
    closed = Closed("run", len(lines), journal.head)
    asyncio.run(seal(copy, closed, mallory, LabSettings()))
    write_all(copy)
    assert verify(copy).faults == ()
    (key,) = verify(copy, Trust(lab.key.public)).faults
    text = f"the run is signed with the key {mallory.public.fingerprint}"
    assert key == f"{text}, expected {lab.key.public.fingerprint}"
    (stamp,) = verify(copy, Trust(anchors=lab.anchors)).faults
    assert stamp == "the run has no time stamp: none was asked for"


def test_a_journal_that_was_cut_is_no_killed_run(copy: Path) -> None:
    path = copy / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:count]))
        end, cut = verify(copy).faults
        assert end.startswith(f"the journal ends at record {count}")
        said = f"it says 'records {len(lines)}', the journal 'records {count}'"
        assert cut == f"{SEAL} was put on another record: {said}"


def test_a_killed_run_has_no_seal_and_is_not_asked_for_one(lab: Lab, copy: Path) -> None:
    path = copy / JOURNAL
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    (copy / SEAL).unlink()
    (copy / TOKEN).unlink()
    (fault,) = verify(copy).faults
    assert fault.startswith("the journal ends at record")
    fingerprint = lab.key.public.fingerprint
    unsigned = f"the run is not signed, expected with the key {fingerprint}"
    assert verify(copy, Trust(lab.key.public)).faults[1:] == (unsigned,)


def test_an_unsigned_run_is_sound_but_not_for_who_wants_a_signature(
    lab: Lab, tmp_path: Path
) -> None:
    run = made(tmp_path)
    assert not (run / SEAL).exists()
    found = verify(run)
    assert found.faults == ()
    assert "signed   no" in found.summary
    unsigned = f"the run is not signed, expected with the key {lab.key.public.fingerprint}"
    assert verify(run, lab.trust).faults == (
        "the run has no time stamp: none was asked for",
        unsigned,
    )
    # Nor is one put there later.
    reader = JournalReader(run / JOURNAL)
    closed = Closed("run", len(list(reader)), reader.head)
    asyncio.run(seal(run, closed, lab.key, LabSettings()))
    (fault,) = verify(run, Trust(lab.key.public)).faults
    assert fault.endswith("record 1 says that there is none")


def test_a_seal_that_can_not_be_written_ends_the_run_with_an_error(
    lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "run" / SEAL / "x").mkdir(parents=True)
    refused = pytest.RaisesExc(JournalError, match=rf"{SEAL}: Is a directory")
    with pytest.RaisesGroup(refused):
        made(tmp_path, LabSettings(str(lab.folder / "lab.key")))
    assert [path.name for path in (tmp_path / "run").glob(".*")] == []
    assert verify(tmp_path / "run").faults[0] == f"{SEAL}: Is a directory"


# The authority


def stamped(folder: Path, head: str, lab: LabSettings) -> str | None:
    return asyncio.run(seal(folder, Closed("run", 1, head), None, lab))


HEAD = hashlib.sha256(b"a last record").hexdigest()


def nowhere() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/tsa"


def test_an_authority_that_is_down_does_not_spoil_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = nowhere()
    run = made(tmp_path, LabSettings(timestamp=url))
    found = verify(run)
    assert found.faults == ()
    (warning,) = found.warnings
    assert warning.startswith(f"the run has no time stamp: {url} can't be asked: ")
    assert f"run run has no time stamp: {url} can't be asked" in caplog.text
    assert not (run / TOKEN).exists()
    page = unescape((run / "report.html").read_text("utf-8"))
    assert f"no time stamp: {url} can't be asked: " in page
    assert "time stamp by" not in page


def test_the_report_names_signature_and_stamp(lab: Lab) -> None:
    page = unescape((lab.run / "report.html").read_text("utf-8"))
    assert f"key {lab.key.public.fingerprint}, time stamp by {lab.tsa.url}<" in page


def test_an_authority_that_keeps_silent_is_not_waited_for_long(tmp_path: Path, lab: Lab) -> None:
    lab.tsa.silent = threading.Event()
    try:
        why = stamped(tmp_path, HEAD, LabSettings(None, lab.tsa.url, 0.1))
    finally:
        lab.tsa.silent.set()
        lab.tsa.silent = None
    assert why == f"{lab.tsa.url} did not answer within 0.1 s"


async def test_an_engine_that_ends_while_it_waits_has_signed(lab: Lab, tmp_path: Path) -> None:
    settings = LabSettings(str(lab.folder / "lab.key"), lab.tsa.url, 60)
    lab.tsa.silent = threading.Event()
    asked = lab.tsa.heard
    asked.clear()
    try:
        sealing = asyncio.create_task(seal(tmp_path, Closed("r", 1, HEAD), lab.key, settings))
        await asyncio.to_thread(asked.wait, 60)
        sealing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sealing
    finally:
        lab.tsa.silent.set()
        lab.tsa.silent = None
    document = document_of(tmp_path)
    assert document["signature"]["fingerprint"] == lab.key.public.fingerprint
    assert document["stamp"] == {"authority": lab.tsa.url, "failed": "its answer was not awaited"}


@pytest.mark.parametrize(
    ("falsify", "status", "text"),
    [
        (bytes, 503, "answered with HTTP 503"),
        (lambda data: b"<html>", 200, "the answer can't be read: "),
        (lambda data: data[:-9], 200, "the answer can't be read: "),
        (lambda data: b"x" * 1_000_001, 200, "answered with more than 1000000 bytes"),
        (lambda data: data[:-4] + b"abcd", 200, "the token's signature does not fit"),
    ],
)
def test_a_bad_answer_is_told(
    lab: Lab, tmp_path: Path, falsify: Callable[[bytes], bytes], status: int, text: str
) -> None:
    lab.tsa.falsify, lab.tsa.status = falsify, status
    try:
        why = stamped(tmp_path, HEAD, LabSettings(timestamp=lab.tsa.url))
    finally:
        lab.tsa.falsify, lab.tsa.status = bytes, 200
    assert why is not None
    assert text in why
    assert not (tmp_path / TOKEN).exists()


def test_the_answer_to_another_question_is_refused(lab: Lab, tmp_path: Path) -> None:
    settings = LabSettings(timestamp=lab.tsa.url)
    assert stamped(tmp_path, HEAD, settings) is None
    old = lab.tsa.answers[-1]
    lab.tsa.falsify = lambda _: old
    try:
        again = stamped(tmp_path, HEAD, settings)
        other = stamped(tmp_path, "00" * 32, settings)
    finally:
        lab.tsa.falsify = bytes
    assert again == "the answer is to another question: its nonce is not ours"
    assert other == f"the stamp is on {HEAD}, expected {'00' * 32}"


@pytest.mark.parametrize(("signer", "named"), [("sha512", "sha1"), ("sha384", "sha512")])
def test_authorities_sign_with_rsa_and_other_digests_too(
    tmp_path: Path, signer: str, named: str
) -> None:
    with serving(authority(tmp_path, kind=RSA, signer=signer, named=named)) as one:
        assert stamped(tmp_path, HEAD, LabSettings(timestamp=one.url)) is None
    token = (tmp_path / TOKEN).read_bytes()
    for path in (one.root, tmp_path / "between.pem", tmp_path / "tsa.pem"):
        found = check(token, bytes.fromhex(HEAD), anchors=load_anchors(path, "--tsa"))
        assert (found.by, found.anchored) == ("CN=Test TSA", True)
    # The last bytes are the signature; no other is taken for it.
    with pytest.raises(NoStamp, match="the token's signature does not fit"):
        check(token[:-1] + bytes([token[-1] ^ 1]), bytes.fromhex(HEAD))


@pytest.mark.parametrize(
    ("uses", "text"),
    [
        ("extendedKeyUsage=critical,timeStamping,codeSigning\n", "is not for time stamps alone"),
        ("extendedKeyUsage=timeStamping\n", "is not for time stamps alone"),
        ("keyUsage=critical,digitalSignature\n", "is not for time stamps"),
    ],
)
def test_a_certificate_for_something_else_stamps_nothing(
    tmp_path: Path, uses: str, text: str
) -> None:
    # openssl refuses to stamp with such a one, so its certificate takes a good one's place.
    good, other = (tmp_path / name for name in ("good", "other"))
    for folder in (good, other):
        folder.mkdir()
    one = authority(good)
    (other / "uses").write_text(uses)
    signed = ("-CA", "between.pem", "-CAkey", "between.key", "-CAcreateserial")
    extra = ("-extfile", str(other / "uses"), "-days", "20", "-out", str(other / "tsa.pem"))
    openssl(good, "x509", "-req", "-in", "csr", *signed, *extra)
    certificate = x509.load_pem_x509_certificate((other / "tsa.pem").read_bytes())
    with pytest.raises(NoStamp, match=text):
        check_use(certificate, datetime.now(UTC))
    assert one.root.is_file()


def test_a_certificate_that_was_not_valid_then_stamps_nothing(lab: Lab) -> None:
    certificate = x509.load_pem_x509_certificate((lab.tsa.folder / "tsa.pem").read_bytes())
    check_use(certificate, datetime.now(UTC))
    for moment in (datetime(2001, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)):
        with pytest.raises(NoStamp, match=r"was not valid at 2.01-01-01 00:00:00 UTC"):
            check_use(certificate, moment)


def test_an_authority_that_refuses_is_quoted(tmp_path: Path) -> None:
    with serving(authority(tmp_path, digests="sha512")) as one:
        why = stamped(tmp_path, HEAD, LabSettings(timestamp=one.url))
    assert why is not None
    assert why.startswith("the authority answers rejection: ")


def test_a_stamp_of_another_authority_is_refused_by_who_trusts_one(
    lab: Lab, copy: Path, tmp_path: Path
) -> None:
    (tmp_path / "tsa").mkdir()
    other = authority(tmp_path / "tsa")
    (fault,) = verify(copy, Trust(anchors=load_anchors(other.root, "--tsa"))).faults
    assert fault == f"{TOKEN}: the certificate of CN=Test TSA does not lead to a trusted one"


def test_a_stamp_far_from_the_end_of_the_run_is_told(
    lab: Lab, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.sealed.APART", -1.0)
    (warning,) = verify(copy).warnings
    assert warning.startswith("the time stamp is ")
    assert warning.endswith("the end that the run's own clock says")


def test_a_token_for_another_run_is_refused(lab: Lab, copy: Path, tmp_path: Path) -> None:
    stamped(tmp_path, HEAD, LabSettings(timestamp=lab.tsa.url))
    token = (tmp_path / TOKEN).read_bytes()
    (copy / TOKEN).write_bytes(token)
    change(copy, lambda d: d["stamp"].update(sha256=hashlib.sha256(token).hexdigest()))
    (fault,) = verify(copy).faults
    assert fault.startswith(f"{TOKEN}: the stamp is on {HEAD}, expected ")


def test_a_public_key_can_be_read_from_what_the_command_shows(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "lab.pub"
    path.write_text(f"{lab.key.public.pem}fingerprint {lab.key.public.fingerprint}\n")
    assert load_public_key(path, "--key") == PublicKey(lab.key.public.der)
