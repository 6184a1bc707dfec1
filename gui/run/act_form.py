"""A form for one capability call, made of the capability's signature."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable
from enum import Enum
from typing import Any

from PyQt6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QWidget

from bench.capability import CAPABILITIES, Card

_CAPABILITIES = {one.__name__: one for one in CAPABILITIES}


def methods_of(offers: Iterable[str]) -> list[tuple[str, str]]:
    """List what can be called of capabilities by name: pairs of capability and method."""
    return [
        (name, method)
        for name in offers
        if name in _CAPABILITIES
        for method, call in vars(_CAPABILITIES[name]).items()
        if inspect.iscoroutinefunction(call)
    ]


def said(method: str) -> str:
    """Name a method for people."""
    return method.replace("_", " ").capitalize()


class ActForm(QWidget):
    """Fields for the arguments of a method; what may be left out may stay empty."""

    def __init__(self, capability: str, method: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.capability, self.method = capability, method
        call = getattr(_CAPABILITIES[capability], method)
        hints = typing.get_type_hints(call)
        self._fields: dict[str, tuple[QWidget, Any, bool]] = {}
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for name, one in inspect.signature(call).parameters.items():
            if name == "self":
                continue
            needed = one.default is inspect.Parameter.empty
            kind = _bare(hints[name])
            field = _field(kind, None if needed else one.default, name)
            field.setObjectName(f"act-{name}")
            field.setAccessibleName(f"{said(method)}: {name.replace('_', ' ')}")
            self._fields[name] = field, kind, needed
            form.addRow(name.replace("_", " "), field)

    def arguments(self) -> dict[str, Any]:
        """Return what was filled in; raises ValueError in words for what is missing or no value."""
        found: dict[str, Any] = {}
        for name, (field, kind, needed) in self._fields.items():
            if isinstance(field, QCheckBox):
                found[name] = field.isChecked()
            elif isinstance(field, QComboBox):
                found[name] = field.currentText()
            elif isinstance(field, QLineEdit):
                text = field.text().strip()
                if text:
                    found[name] = _number(kind, text, name)
                elif needed:
                    raise ValueError(f"{name.replace('_', ' ')} is missing")
        return found


def _bare(hint: Any) -> Any:
    """Take the None away that says that an argument may be left out."""
    if isinstance(hint, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _field(kind: Any, default: Any, name: str) -> QWidget:
    if kind is bool:
        box = QCheckBox()
        box.setChecked(bool(default))
        return box
    if isinstance(kind, type) and issubclass(kind, Enum):
        choice = QComboBox()
        choice.addItems([str(one.value) for one in kind])
        if default is not None:
            choice.setCurrentText(str(default.value))
        return choice
    field = QLineEdit()
    if kind is Card:
        field.setPlaceholderText("name of a card in dut.toml")
    if name == "connector":
        field.setText("1")
    elif isinstance(default, int | float | str):
        field.setText(str(default))
    return field


def _number(kind: Any, text: str, name: str) -> Any:
    if kind not in (int, float):
        return text
    try:
        return int(text) if kind is int else float(text.replace(",", "."))
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name.replace('_', ' ')}: “{text}” is not {what}") from None
