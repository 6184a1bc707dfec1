"""What the API takes and gives of links for observers, for the operator."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ShareModel(BaseModel):
    """A link that was made for somebody."""

    id: str
    name: str
    """For whom."""
    expires: str
    state: Literal["good", "expired", "revoked"]
    revoked: str | None
    """When it was revoked."""
    run: str | None
    """The run that it covers, when it is a single one."""
    dut: list[str] | None
    """Vendor, model and identity of the DUT whose runs it covers."""


class NewShareModel(BaseModel):
    """For whom a link is made, for how long, and what it covers: a run or a DUT."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    expires: str = Field(max_length=20)
    """How long it lasts, such as `90m`, `12h`, `7d`, `2w`."""
    run: str | None = None
    dut: str | None = None
    """Identity of one of the engine's DUTs."""
    url: str | None = Field(default=None, max_length=500, pattern="^https?://")
    """Where the observer reaches the engine, when that is not where the operator does."""


class MadeShareModel(ShareModel):
    """A new link."""

    link: str
    """The page of the viewer with the token, which is told this once."""
