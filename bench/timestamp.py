"""Time stamps after RFC 3161: ask an authority for one, and check it without it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from asn1crypto import algos, cms, core, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench.errors import ConfigError

QUERY = "application/timestamp-query"
LARGEST = 1_000_000
"""Bytes of an answer that are read; real ones have some thousands."""
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_LONGEST_CHAIN = 8


class _Answer(core.Sequence):  # type: ignore[misc] # the library is untyped
    """RFC 3161, 2.4.2: a refusal comes without a token, which the library's own can't be."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class NoStamp(Exception):
    """There is no time stamp, or it is not good; the text says why."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a good time stamp says."""

    at: datetime
    serial: int
    by: str
    """Subject of the authority's certificate."""
    anchored: bool
    """Whether the certificate leads to one that the reader trusts."""


def query(digest: bytes, nonce: int) -> bytes:
    """Write a request to stamp a SHA-256, with the authority's certificate in the answer."""
    imprint = tsp.MessageImprint(
        {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": digest}
    )
    fields = {"version": "v1", "message_imprint": imprint, "nonce": nonce, "cert_req": True}
    data: bytes = tsp.TimeStampReq(fields).dump()
    return data


async def ask(url: str, digest: bytes, *, within: float) -> bytes:
    """Ask an authority for a stamp on a SHA-256 and check it; return the whole answer.

    Raises `NoStamp`, after `within` s at the latest.
    """
    import asyncio

    import httpx

    from bench.clock import holding_time

    nonce = secrets.randbits(63)
    data = b""
    try:
        with holding_time("a time stamp"):
            async with asyncio.timeout(within), httpx.AsyncClient(timeout=within) as client:
                body = query(digest, nonce)
                headers = {"Content-Type": QUERY}
                async with client.stream("POST", url, content=body, headers=headers) as answer:
                    if answer.status_code != 200:
                        raise NoStamp(f"{url} answered with HTTP {answer.status_code}")
                    async for part in answer.aiter_bytes():
                        data += part
                        if len(data) > LARGEST:
                            raise NoStamp(f"{url} answered with more than {LARGEST} bytes")
    except TimeoutError:
        raise NoStamp(f"{url} did not answer within {within:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NoStamp(f"{url} can't be asked: {error or type(error).__name__}") from error
    check(data, digest, nonce=nonce)
    return data


def check(
    data: bytes,
    digest: bytes,
    *,
    nonce: int | None = None,
    anchors: Sequence[x509.Certificate] = (),
) -> Stamped:
    """Check an authority's answer; raises `NoStamp`.

    It must grant a stamp on the digest, signed by the certificate that it brings, which must be
    one for time stamps; `anchors` are those that the certificate has to lead to, if any.
    """
    with _readable():
        answer = _Answer.load(data, strict=True)
        status = answer["status"]["status"].native
        if status not in ("granted", "granted_with_mods"):
            said = answer["status"]["status_string"].native or []
            raise NoStamp(f"the authority answers {status}: {' '.join(said) or 'no reason given'}")
        token = answer["time_stamp_token"]
        if token["content_type"].native != "signed_data":
            raise NoStamp("the answer holds no signed token")
        signed = token["content"]
        content = signed["encap_content_info"]
        if content["content_type"].native != "tst_info":
            raise NoStamp("the token holds no time stamp")
        stamp: Any = content["content"].parsed
        imprint = stamp["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise NoStamp("the stamp is not on a SHA-256")
        if imprint["hashed_message"].native != digest:
            found = imprint["hashed_message"].native.hex()
            raise NoStamp(f"the stamp is on {found}, expected {digest.hex()}")
        if nonce is not None and stamp["nonce"].native != nonce:
            raise NoStamp("the answer is to another question: its nonce is not ours")
        at = stamp["gen_time"].native
        certificates = [
            x509.load_der_x509_certificate(one.chosen.dump())
            for one in signed["certificates"]
            if one.name == "certificate"
        ]
        (signer,) = signed["signer_infos"]
        own = _check_signature(signer, content["content"].contents, certificates)
        check_use(own, at)
        if anchors and not _leads_to(own, certificates, anchors, at):
            subject = own.subject.rfc4514_string()
            raise NoStamp(f"the certificate of {subject} does not lead to a trusted one")
        return Stamped(
            at, stamp["serial_number"].native, own.subject.rfc4514_string(), bool(anchors)
        )


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except NoStamp:
        raise
    except Exception as error:
        text = str(error).partition("\n")[0]
        raise NoStamp(f"the answer can't be read: {text or type(error).__name__}") from error


def _check_signature(
    signer: Any, content: bytes, certificates: Sequence[x509.Certificate]
) -> x509.Certificate:
    """Check the signature over the attributes, and them against content and certificate."""
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    name = signer["digest_algorithm"]["algorithm"].native
    if attributes["content_type"][0].native != "tst_info":
        raise NoStamp("the token's signature is on something else")
    if attributes["message_digest"][0].native != hashlib.new(name, content).digest():
        raise NoStamp("the time stamp is not what was signed")
    own = next((one for one in certificates if _is_of(one, signer["sid"])), None)
    if own is None:
        raise NoStamp("the token does not bring the certificate of its signer")
    if not _names(attributes, own):
        raise NoStamp("the signed attributes name another certificate")
    # Signed is the set itself, not the tagged field of the structure (RFC 5652, 5.4).
    data = signer["signed_attrs"].untag().dump()
    algorithm = signer["signature_algorithm"]
    if not _fits(own, algorithm, signer["signature"].native, data, name):
        raise NoStamp("the token's signature does not fit")
    return own


def _is_of(certificate: x509.Certificate, sid: Any) -> bool:
    if sid.name == "subject_key_identifier":
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return bool(extension.value.digest == sid.chosen.native)
    issuer, serial = sid.chosen["issuer"].dump(), sid.chosen["serial_number"].native
    same_issuer: bool = certificate.issuer.public_bytes() == issuer
    return certificate.serial_number == serial and same_issuer


def _names(attributes: dict[str, Any], certificate: x509.Certificate) -> bool:
    """Tell whether the signing certificate that the attributes name is this one (RFC 5816)."""
    der = certificate.public_bytes(Encoding.DER)
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"][0]["certs"][0]
        name = first["hash_algorithm"]["algorithm"].native
        return bool(first["cert_hash"].native == hashlib.new(name, der).digest())
    if "signing_certificate" in attributes:
        first = attributes["signing_certificate"][0]["certs"][0]
        return bool(first["cert_hash"].native == hashlib.new("sha1", der).digest())
    return False


def _fits(
    certificate: x509.Certificate, algorithm: Any, signature: bytes, data: bytes, digest: str
) -> bool:
    kind = algorithm.signature_algo
    name = digest if algorithm["algorithm"].native == "rsassa_pkcs1v15" else algorithm.hash_algo
    if kind != "ed25519" and name not in _HASHES:
        raise NoStamp(f"the token is signed with {name}, which is not taken")
    key = certificate.public_key()
    try:
        match key:
            case rsa.RSAPublicKey() if kind == "rsassa_pkcs1v15":
                key.verify(signature, data, padding.PKCS1v15(), _HASHES[name])
            case rsa.RSAPublicKey() if kind == "rsassa_pss":
                salt = algorithm["parameters"]["salt_length"].native
                pss = padding.PSS(padding.MGF1(_HASHES[name]), salt)
                key.verify(signature, data, pss, _HASHES[name])
            case ec.EllipticCurvePublicKey() if kind == "ecdsa":
                key.verify(signature, data, ec.ECDSA(_HASHES[name]))
            case ed25519.Ed25519PublicKey() if kind == "ed25519":
                key.verify(signature, data)
            case _:
                raise NoStamp(f"the token is signed with {kind}, which is not taken")
    except InvalidSignature:
        return False
    return True


def check_use(certificate: x509.Certificate, at: datetime) -> None:
    """Check that a certificate is for time stamps alone, and was valid then (RFC 3161, 2.3)."""
    name = certificate.subject.rfc4514_string()
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise NoStamp(f"the certificate of {name} is not for time stamps") from None
    if list(uses.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not uses.critical:
        raise NoStamp(f"the certificate of {name} is not for time stamps alone")
    if not _valid(certificate, at):
        raise NoStamp(f"the certificate of {name} was not valid at {at:%Y-%m-%d %H:%M:%S} UTC")


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _leads_to(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> bool:
    """Walk from a certificate to the one that issued it, until one is trusted."""
    for _ in range(_LONGEST_CHAIN):
        if certificate in anchors:
            return True
        issuers = [one for one in (*anchors, *others) if _issued(certificate, one, at)]
        if not issuers:
            return False
        certificate = issuers[0]
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        limits = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return certificate != issuer and limits.value.ca and _valid(issuer, at)


def load_anchors(path: Path, where: str) -> list[x509.Certificate]:
    """Read the certificates of a PEM file; raises `ConfigError`, its text begun by `where`."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{where}: {path}: {error.strerror}") from error
    except ValueError:
        raise ConfigError(f"{where}: {path} is no PEM file with certificates") from None
