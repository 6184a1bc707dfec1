"""PICS: what the product claims, and three-valued expressions over it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Truth = bool | None
"""True, False, or None when an answer that matters is missing."""


class Applicability(Protocol):
    """A condition over PICS answers."""

    @abstractmethod
    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Tell whether it holds; None when it can't be known from the answers given."""

    @abstractmethod
    def why(self, answers: Mapping[str, Any]) -> str:
        """Say in a few words what makes it false or unknown."""


@dataclass(frozen=True, slots=True)
class Always:
    """No condition."""

    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Hold always."""
        return True

    def why(self, answers: Mapping[str, Any]) -> str:
        """Say nothing, as it never fails."""
        return ""

    def __str__(self) -> str:
        return "always"


@dataclass(frozen=True, slots=True)
class Claim:
    """One PICS answer is true, or one of the given values."""

    item: str
    values: tuple[Any, ...] = (True,)

    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Compare the answer; None when there is none."""
        answer = answers.get(self.item)
        return None if answer is None else answer in self.values

    def why(self, answers: Mapping[str, Any]) -> str:
        """Name the item and what was answered."""
        if answers.get(self.item) is None:
            return f"needs {self}, which is not answered"
        return f"needs {self}"

    def is_any_of(self, *values: Any) -> Claim:
        """Hold when the answer is one of `values`."""
        return Claim(self.item, values)

    def at_least(self, least: int) -> AtLeast:
        """Hold when the answer is a number of at least `least`."""
        return AtLeast(self.item, least)

    def __and__(self, other: Applicability) -> All:
        return All((self, other))

    def __or__(self, other: Applicability) -> Either:
        return Either((self, other))

    def __invert__(self) -> Not:
        return Not(self)

    def __str__(self) -> str:
        if self.values == (True,):
            return self.item
        return f"{self.item} = {' or '.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """One PICS answer is a number that is large enough."""

    item: str
    least: int

    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Compare the answer; None when there is none."""
        answer = answers.get(self.item)
        return None if answer is None else answer >= self.least

    def why(self, answers: Mapping[str, Any]) -> str:
        """Name the item and what was answered."""
        answer = answers.get(self.item)
        came = "which is not answered" if answer is None else f"which is {answer}"
        return f"needs {self}, {came}"

    def __and__(self, other: Applicability) -> All:
        return All((self, other))

    def __or__(self, other: Applicability) -> Either:
        return Either((self, other))

    def __str__(self) -> str:
        return f"{self.item} >= {self.least}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    term: Applicability

    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Negate; unknown stays unknown."""
        truth = self.term.evaluate(answers)
        return None if truth is None else not truth

    def why(self, answers: Mapping[str, Any]) -> str:
        """Name the term that must not hold."""
        if self.evaluate(answers) is None:
            return f"needs {self}, which is not answered"
        return f"needs {self}"

    def __and__(self, other: Applicability) -> All:
        return All((self, other))

    def __or__(self, other: Applicability) -> Either:
        return Either((self, other))

    def __str__(self) -> str:
        return f"not {self.term}"


@dataclass(frozen=True, slots=True)
class All:
    """Every term holds (Kleene's strong conjunction)."""

    terms: tuple[Applicability, ...]

    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Be false when a term is false, else unknown when one is unknown."""
        truths = [term.evaluate(answers) for term in self.terms]
        if False in truths:
            return False
        return None if None in truths else True

    def why(self, answers: Mapping[str, Any]) -> str:
        """Name the terms that are false, or else unknown."""
        if self.evaluate(answers) is False:
            return " and ".join(
                term.why(answers) for term in self.terms if term.evaluate(answers) is False
            )
        unknown = [str(term) for term in self.terms if term.evaluate(answers) is None]
        verb = "is" if len(unknown) == 1 else "are"
        return f"needs {' and '.join(unknown)}, which {verb} not answered"

    def __and__(self, other: Applicability) -> All:
        return All((*self.terms, other))

    def __or__(self, other: Applicability) -> Either:
        return Either((self, other))

    def __str__(self) -> str:
        return " and ".join(
            f"({term})" if isinstance(term, Either) else str(term) for term in self.terms
        )


@dataclass(frozen=True, slots=True)
class Either:
    """At least one term holds (Kleene's strong disjunction)."""

    terms: tuple[Applicability, ...]

    def evaluate(self, answers: Mapping[str, Any]) -> Truth:
        """Be true when a term is true, else unknown when one is unknown."""
        truths = [term.evaluate(answers) for term in self.terms]
        if True in truths:
            return True
        return None if None in truths else False

    def why(self, answers: Mapping[str, Any]) -> str:
        """Name the alternatives, and those not answered."""
        unknown = [str(term) for term in self.terms if term.evaluate(answers) is None]
        text = f"needs {self}"
        return f"{text}, of which {', '.join(unknown)} is not answered" if unknown else text

    def __and__(self, other: Applicability) -> All:
        return All((self, other))

    def __or__(self, other: Applicability) -> Either:
        return Either((*self.terms, other))

    def __str__(self) -> str:
        return " or ".join(map(str, self.terms))


def pics(item: str) -> Claim:
    """Make the condition that the PICS item `item` is claimed, for example `pics("C-07")`."""
    return Claim(item)
