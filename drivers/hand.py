"""Ask the operator to act: what all manual devices have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from bench.device import Action, Device, DriverContext, Identity, Operator
from bench.errors import Unverifiable
from bench.pictures import Picture
from drivers.lifecycle import report

T = TypeVar("T")

_YES, _NO = "yes", "no"


class Hand:
    """What one manual device asks of the operator for one capability."""

    def __init__(self, context: DriverContext, capability: type) -> None:
        self._name = context.name
        self._operator: Operator = context.operator
        self._capability = capability.__name__

    async def does(
        self, text: str, method: str, /, picture: Picture | None = None, **arguments: Any
    ) -> None:
        """Have something done; raises `Unverifiable` when it could not be done."""
        action = Action(self._capability, method, arguments)
        answer = await self._operator.ask("confirm", text, action=action, picture=picture)
        if answer.value is not True:
            comment = f": {answer.comment}" if answer.comment else ""
            raise Unverifiable(f"{self._name}: the operator could not do it{comment} ({text})")

    async def tells(self, question: str, method: str, /, **arguments: Any) -> bool:
        """Have a question answered with yes or no."""
        action = Action(self._capability, method, arguments)
        answer = await self._operator.ask("choose", question, options=(_YES, _NO), action=action)
        if answer.value not in (_YES, _NO):
            raise Unverifiable(f"{self._name}: {answer.value!r}, expected yes or no ({question})")
        return bool(answer.value == _YES)

    async def enters(
        self,
        text: str,
        low: float,
        method: str,
        /,
        picture: Picture | None = None,
        **arguments: Any,
    ) -> float:
        """Have a number read and entered, at least `low`; ask once more when it is none."""
        return await self.writes(
            text, lambda value: _number(value, low), method, picture, **arguments
        )

    async def writes(
        self,
        text: str,
        read: Callable[[Any], T],
        method: str,
        /,
        picture: Picture | None = None,
        **arguments: Any,
    ) -> T:
        """Have something entered that `read` understands; ask once more when it raises."""
        action = Action(self._capability, method, arguments)
        reason = ""
        for _ in range(2):
            answer = await self._operator.ask(
                "enter", reason + text, action=action, picture=picture
            )
            try:
                return read(answer.value)
            except ValueError as error:
                reason = f"{error}. "
        raise Unverifiable(f"{self._name}: {reason}({text})")


def _number(value: Any, low: float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(str(value).replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"“{value}” is not a number")
    if number < low:
        raise ValueError(f"“{value}” is less than {low:g}")
    return number


class ManualDevice(Device, Protocol):
    """What all manual devices do alike: nothing on entering, make safe on leaving."""

    async def __aenter__(self) -> Self:
        """Ask nothing: what the operator has not done needs no undoing."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Have undone what is left; raises `Unverifiable` when the operator could not."""
        try:
            await self.make_safe()
        except Unverifiable as failure:
            report(failure, error)

    async def identify(self) -> Identity:
        """Tell that it is a person."""
        return Identity("", "operator")

    @abstractmethod
    async def make_safe(self) -> None:
        """Have undone what is left; ask nothing when nothing is.

        A refused prompt is not put again. One that is cancelled is: nobody has answered it.
        """
