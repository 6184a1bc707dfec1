"""A ring buffer whose newest values are always one piece of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Column = NDArray[Any]


class Ring:
    """Columns of equal length; the oldest rows give way to the newest.

    Each row is written twice, `capacity` rows apart, so that the newest `capacity` rows stand in
    one piece and reading them copies nothing.
    """

    def __init__(self, capacity: int, *kinds: DTypeLike) -> None:
        """`kinds` are the types of the columns."""
        self.capacity = capacity
        self.pushed = 0
        """Rows that were ever pushed."""
        self._columns = [np.zeros(2 * capacity, kind) for kind in kinds]

    def __len__(self) -> int:
        return min(self.pushed, self.capacity)

    def push(self, *blocks: Column) -> None:
        """Add rows, one array for each column."""
        count = len(blocks[0])
        skip = max(0, count - self.capacity)
        at = (self.pushed + skip) % self.capacity
        first = min(count - skip, self.capacity - at)
        for column, block in zip(self._columns, blocks, strict=True):
            kept = block[skip:]
            column[at : at + first] = kept[:first]
            column[at + self.capacity : at + self.capacity + first] = kept[:first]
            column[: count - skip - first] = kept[first:]
            column[self.capacity : self.capacity + count - skip - first] = kept[first:]
        self.pushed += count

    def columns(self, skip: int = 0) -> list[Column]:
        """Return the rows that are there, oldest first, without the `skip` oldest; not copied."""
        end = self.capacity + self.pushed % self.capacity if self.pushed else self.capacity
        begin = end - len(self) + skip
        return [column[begin:end] for column in self._columns]

    def clear(self) -> None:
        """Forget all rows."""
        self.pushed = 0
