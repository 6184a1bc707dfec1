"""Who sits at the bench: the name that answers and acts are recorded with."""

from __future__ import annotations

import getpass

from gui.application import settings

_NAME = "operator/name"


def operator_name() -> str:
    """Return the operator's name: as it was told, else that of the account."""
    told = str(settings().value(_NAME, "") or "").strip()
    if told:
        return told
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "the operator"


def set_operator_name(name: str) -> None:
    """Remember who sits at the bench."""
    settings().setValue(_NAME, name.strip())
