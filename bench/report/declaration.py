"""`declaration.pdf`: a draft of the vendor's declaration of conformance, filled in for review.

It is made of the PICS and of the results; what the results do not bear out stands in it as such, so
that nobody signs it unawares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.report.document import Document, Identity
from bench.report.parts import Pair, Section, Table
from bench.report.pdf import compose
from bench.report.profiles import FULFILLED, ITEMS, SECURITY


@dataclass(frozen=True, slots=True)
class Claim:
    """A profile as the vendor declares it, and what the tests say."""

    name: str
    declared: bool
    tested: str
    remark: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the draft is filled with."""

    vendor: str
    model: str
    software: str
    kind: str
    run: str
    tested: str
    """When the tests were made."""
    bench: str
    head: str
    identification: tuple[Identity, ...]
    claims: tuple[Claim, ...]
    open_points: tuple[str, ...]
    """What must be cleared before anybody signs."""
    pics: tuple[Section, ...]
    keys: tuple[Table, ...]
    performance: tuple[Pair, ...]
    rendered_by: str


def render(document: Document) -> bytes:
    """Set the draft."""
    return compose("declaration.typ", declaration_of(document), document.moment)


def declaration_of(document: Document) -> Declaration:
    """Fill in the draft."""
    return Declaration(
        vendor=document.vendor,
        model=document.model,
        software=document.software,
        kind="Charging Station Management System"
        if document.kind == "csms"
        else document.kind.replace("-", " "),
        run=document.run,
        tested=f"{document.begun} to {document.ended}",
        bench=", ".join(dict.fromkeys(run.bench for run in document.runs)),
        head=document.runs[-1].head,
        identification=document.identification,
        claims=tuple(_claims(document)),
        open_points=tuple(_open_points(document)),
        pics=document.pics,
        keys=document.keys,
        performance=tuple(_performance(document)),
        rendered_by=document.rendered_by,
    )


def _claims(document: Document) -> Iterator[Claim]:
    judged = {one.name: one for one in document.profiles}
    for name in ITEMS:
        one = judged.get(name)
        if one is None or (name == SECURITY and not one.claimed):
            continue
        yield Claim(name, one.claimed is True, one.status, one.reason)


def _open_points(document: Document) -> Iterator[str]:
    for one in document.profiles:
        if one.claimed and one.status != FULFILLED:
            yield f"{one.name} is claimed, but {one.status}: {one.reason}."
    for identity in document.identification:
        if identity.agrees is False:
            yield (
                f"{identity.name} is stated as {identity.stated!r}, "
                f"but the DUT reports {identity.reported!r}."
            )
    if document.remark:
        yield f"The tests are not complete: {document.remark}."
    yield from (f"Earlier results are void: {text}." for text in document.void)
    if not document.keys:
        yield "The configuration keys were not read (TC_019), which a certificate names."


def _performance(document: Document) -> Iterator[Pair]:
    for one in document.performance:
        stated, _, _, greatest = one.texts
        stated = "not stated" if one.stated is None else stated
        measured = "not measured"
        if one.count:
            measured = f"measured {one.count} times, at most {greatest}"
        yield Pair(one.name, stated, measured)
