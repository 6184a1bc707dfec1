"""What may be answered to a question of the PICS questionnaire."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


class AnswerKind(Protocol):
    """What may be answered to a question."""

    kind: ClassVar[str]
    """The word for it."""

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Tell whether a value of a `dut.toml` is such an answer."""

    @abstractmethod
    def read(self, cell: str) -> Any:
        """Read an answer as people write it into a form; raises `ValueError`."""

    @abstractmethod
    def __str__(self) -> str:
        """Say what is expected."""


@dataclass(frozen=True, slots=True)
class YesNo:
    """Whether something is there."""

    kind: ClassVar[str] = "yes-no"

    def accepts(self, value: Any) -> bool:
        """Accept true and false."""
        return isinstance(value, bool)

    def read(self, cell: str) -> bool:
        """Read yes and no, true and false, x for a ticked box."""
        word = cell.strip().lower()
        if word in ("yes", "y", "true", "x", "1"):
            return True
        if word in ("no", "n", "false", "0"):
            return False
        raise ValueError(cell)

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several words."""

    kind: ClassVar[str] = "one-of"
    options: tuple[str, ...]

    def accepts(self, value: Any) -> bool:
        """Accept the words as they are written here."""
        return value in self.options

    def read(self, cell: str) -> str:
        """Read a word, letter case aside."""
        for option in self.options:
            if option.lower() == cell.strip().lower():
                return option
        raise ValueError(cell)

    def __str__(self) -> str:
        return f"one of {', '.join(self.options)}"


@dataclass(frozen=True, slots=True)
class SomeOf:
    """A list with some of several words."""

    kind: ClassVar[str] = "some-of"
    options: tuple[str, ...]

    def accepts(self, value: Any) -> bool:
        """Accept a list without repetition."""
        return (
            isinstance(value, list)
            and all(one in self.options for one in value)
            and len(set(value)) == len(value)
        )

    def read(self, cell: str) -> list[str]:
        """Read words with commas, semicolons or blanks between them."""
        one = OneOf(self.options)
        return [one.read(word) for word in re.split(r"[,;\s{}]+", cell) if word]

    def __str__(self) -> str:
        return f"a list of {', '.join(self.options)}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, 0 or more."""

    kind: ClassVar[str] = "whole"

    def accepts(self, value: Any) -> bool:
        """Accept integers that are not negative."""
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    def read(self, cell: str) -> int:
        """Read a number; spreadsheets write 5 as 5.0."""
        number = float(cell)
        if not (number.is_integer() and self.accepts(int(number))):
            raise ValueError(cell)
        return int(number)

    def __str__(self) -> str:
        return "a whole number, 0 or more"


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration in s, more than 0."""

    kind: ClassVar[str] = "seconds"

    def accepts(self, value: Any) -> bool:
        """Accept positive numbers."""
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 86400

    def read(self, cell: str) -> float:
        """Read a number, with or without the unit."""
        number = float(cell.strip().lower().removesuffix("s").removesuffix("second"))
        if not self.accepts(number):
            raise ValueError(cell)
        return number

    def __str__(self) -> str:
        return "a number of seconds, more than 0"


@dataclass(frozen=True, slots=True)
class Words:
    """A text."""

    kind: ClassVar[str] = "words"

    def accepts(self, value: Any) -> bool:
        """Accept texts that say something."""
        return isinstance(value, str) and bool(value.strip())

    def read(self, cell: str) -> str:
        """Take the text as it is."""
        return cell.strip()

    def __str__(self) -> str:
        return "a text"


YES_NO, WHOLE, SECONDS, WORDS = YesNo(), Whole(), Seconds(), Words()
