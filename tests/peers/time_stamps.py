"""A real little time stamp authority: Debian's `openssl ts` behind a web server."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = ./serial
crypto_device = builtin
signer_digest = {signer}
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = {digests}
accuracy = secs:1
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = {named}
"""
USES = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
RSA = ("-newkey", "rsa:2048", "-nodes")
CA = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"


def openssl(folder: Path, *arguments: str) -> str:
    """Run openssl in a folder; return what it says."""
    command = ("openssl", *arguments)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@dataclass
class Authority:
    """Root and signing certificate in a folder, and how it answers."""

    folder: Path
    url: str = ""
    asked: int = 0
    falsify: Callable[[bytes], bytes] = bytes
    """What becomes of an answer on its way."""
    status: int = 200
    answers: list[bytes] = field(default_factory=list)
    silent: threading.Event | None = None
    """When there is one, no answer goes out before it is set."""
    heard: threading.Event = field(default_factory=threading.Event)
    """Set by every request."""

    @property
    def root(self) -> Path:
        return self.folder / "ca.pem"

    def reply(self, query: bytes) -> bytes:
        """Answer a request."""
        self.asked += 1
        (self.folder / "query").write_bytes(query)
        openssl(
            self.folder,
            *("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "answer"),
            *("-inkey", "tsa.key", "-signer", "tsa.pem", "-chain", "between.pem"),
        )
        answer = (self.folder / "answer").read_bytes()
        self.answers.append(answer)
        return answer


def authority(
    folder: Path,
    *,
    uses: str = USES,
    digests: str = "sha256",
    signer: str = "sha256",
    named: str = "sha256",
    kind: tuple[str, ...] = CURVE,
) -> Authority:
    """Make an authority's keys and certificates: root, one between, and its own.

    `signer` is the digest that it signs, `named` the one by which it names its certificate.
    """
    (folder / "tsa.cnf").write_text(CONFIG.format(digests=digests, signer=signer, named=named))
    (folder / "serial").write_text("01\n")
    root = ("-keyout", "root.key", "-out", "ca.pem", "-subj", "/CN=Test Root", "-days", "30")
    openssl(folder, "req", "-x509", *CURVE, *root)
    _issue(folder, "between", CURVE, ("ca.pem", "root.key"), CA)
    _issue(folder, "tsa", kind, ("between.pem", "between.key"), uses)
    return Authority(folder)


def _issue(
    folder: Path, name: str, kind: tuple[str, ...], issuer: tuple[str, str], uses: str
) -> None:
    (folder / "uses").write_text(uses)
    subject = "/CN=Test TSA" if name == "tsa" else f"/CN=Test {name}"
    openssl(folder, "req", *kind, "-keyout", f"{name}.key", "-out", "csr", "-subj", subject)
    signed = ("-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial", "-extfile", "uses")
    openssl(folder, "x509", "-req", "-in", "csr", "-out", f"{name}.pem", "-days", "20", *signed)


@contextmanager
def serving(one: Authority) -> Iterator[Authority]:
    """Serve an authority on loopback while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            one.heard.set()
            if one.silent is not None:
                one.silent.wait(60)
                return
            answer = one.falsify(one.reply(query))
            self.send_response(one.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            one.url = f"http://127.0.0.1:{server.server_port}/tsa"
            yield one
        finally:
            if one.silent is not None:
                one.silent.set()
            server.shutdown()
            thread.join()
