"""What can be wrong with a device on its wire, given to a twin at run time."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Faults:
    """What is wrong with a twin now; set the fields at any time, alone or together."""

    silent: bool = False
    """No answers."""
    late: float = 0.0
    """Answers come so many seconds too late."""
    truncated: int = 0
    """Answers lack so many bytes at their end."""
    bit_error: bool = False
    """One bit in the middle of each answer is wrong."""
    unsolicited: bytes = b""
    """Bytes that nobody asked for stand before each answer."""
    busy: int = 0
    """So many requests are refused, as the device refuses when it is busy."""
    wrong_identity: bool = False
    """The device says that it is another one."""
    answers: int | None = None
    """The faults go after so many answers; None: they stay."""

    def clear(self) -> None:
        """Repair the twin."""
        for field in fields(self):
            setattr(self, field.name, field.default)

    def take_busy(self) -> bool:
        """Tell whether to refuse this request, and count it."""
        if self.busy <= 0:
            return False
        self.busy -= 1
        return True

    def spoil(self, answer: bytes) -> bytes:
        """Return what of an answer goes on the wire, nothing when it is empty."""
        spoiled = b"" if self.silent else self.unsolicited + self._damage(answer)
        if self.answers is not None:
            self.answers -= 1
            if self.answers <= 0:
                self.clear()
        return spoiled

    def _damage(self, answer: bytes) -> bytes:
        damaged = bytearray(answer)
        if self.bit_error and damaged:
            damaged[len(damaged) // 2] ^= 0x01
        return bytes(damaged[: len(damaged) - self.truncated] if self.truncated else damaged)
