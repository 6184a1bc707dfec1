"""What a bounded view keeps of a long time line."""

from __future__ import annotations

from bench.views import CheckView, Gap, Item, PromptView

BEFORE, AFTER = 12, 4
"""Things that are kept before and after a check that failed."""


class TimeLine:
    """Appends to the time lines of one view, and thins out those that grow too long."""

    def __init__(self, most: int | None) -> None:
        """`most`: things that a time line keeps in the end; while it grows, thrice as many."""
        self._most = most
        self._kept: set[int] = set()
        """Records around checks that failed, on the time line that grows."""
        self._growing: list[Item] | None = None
        self._after = 0
        """How many things to come are kept as well."""

    def append(self, items: list[Item], item: Item) -> list[Item]:
        """Append a thing to a time line; return what was dropped from it for that."""
        items.append(item)
        if self._most is None:
            return []
        if items is not self._growing:
            self._growing, self._after = items, 0
            self._kept.clear()
        failed = isinstance(item, CheckView) and item.failed
        # Where everything fails, the first fails tell enough.
        if failed and len(self._kept) < self._most // 2:
            self._kept.update(one.n for one in items[-BEFORE - 1 :])
            if isinstance(item, CheckView) and item.event.frame is not None:
                self._kept.add(item.event.frame)
            self._after = AFTER
        elif self._after:
            self._kept.add(item.n)
            self._after -= 1
        return self._thin(items, self._most) if len(items) > 3 * self._most else []

    def finish(self, items: list[Item]) -> list[Item]:
        """Thin out a time line that grows no more; return what was dropped from it."""
        if self._most is None or items is not self._growing or len(items) <= self._most:
            return []
        return self._thin(items, self._most)

    def _thin(self, items: list[Item], most: int) -> list[Item]:
        head, middle = items[: most // 2], items[most // 2 : -most // 2]
        tail = items[-most // 2 :]
        kept: list[Item] = []
        dropped: list[Item] = []
        for item in middle:
            if isinstance(item, PromptView) or item.n in self._kept:
                kept.append(item)
                continue
            first, last, count = (
                (item.n, item.last, item.count) if isinstance(item, Gap) else (item.n, item.n, 1)
            )
            if not isinstance(item, Gap):
                dropped.append(item)
            if kept and isinstance(gap := kept[-1], Gap):
                gap.last, gap.count = last, gap.count + count
            else:
                kept.append(Gap(first, last, count))
        items[:] = [*head, *kept, *tail]
        return dropped
