"""What the plan shows: its groups and cases, what became of each, and which a filter shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.views import CaseView, State

WOULD_RUN, TO_DO, NOT_PASSED, ALL = "Would run", "To do", "Not passed", "All cases"
FILTERS = (WOULD_RUN, TO_DO, NOT_PASSED, ALL)
OF_REPLAY = (ALL, NOT_PASSED)
"""The filters over a recorded run, of which nothing will run."""
BAD = ("fail", "inconclusive", "error", "aborted", "cut")
"""Marks of cases that ended otherwise than with pass."""


def mark_name(case: CaseView, *, is_cut: bool) -> str:
    """Name the mark of a case in a run, which may have been cut short."""
    if case.state is State.ENDED:
        return "aborted" if case.ended == "aborted" else case.verdict
    return "cut" if is_cut and case.state is State.RUNNING else str(case.state)


@dataclass(slots=True)
class Entry:
    """One case of the tree."""

    id: str
    title: str
    group: str
    mark: str = ""
    outcome: str = "runnable"
    reason: str = ""
    checked: bool = False
    view: CaseView | None = None
    """What the run that is looked at made of it."""
    is_cut: bool = False
    """Whether that run goes on no more, though it never ended."""

    @property
    def runnable(self) -> bool:
        """Tell whether the engine would run it."""
        return self.outcome == "runnable"

    @property
    def shown(self) -> str:
        """Name the mark that it carries; empty for none."""
        if self.view is not None:
            return mark_name(self.view, is_cut=self.is_cut)
        return "" if self.runnable else self.outcome

    def passes(self, only: str, words: str) -> bool:
        """Tell whether a filter shows it that has all `words`, in lower case."""
        text = f"{self.id} {self.title} {self.group}".lower()
        if not all(word in text for word in words.split()):
            return False
        if only == WOULD_RUN:
            return self.runnable or self.view is not None
        if only == TO_DO:
            return self.runnable and self.shown in ("", "waiting", "running")
        return self.shown in BAD if only == NOT_PASSED else True


@dataclass(slots=True)
class Group:
    """A group of cases."""

    name: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Name it for people."""
        return self.name.replace("-", " ").capitalize()

    @property
    def worst(self) -> str:
        """Name the mark of the worst verdict so far; empty while there is none."""
        found = [entry.shown for entry in self.entries if entry.view is not None]
        for name in ("running", "error", "fail", "inconclusive", "aborted", "cut"):
            if name in found:
                return name
        if found and all(name == "pass" for name in found):
            return "pass"
        return "waiting" if found else ""

    @property
    def progress(self) -> str:
        """Say how far it is."""
        seen = [entry.view for entry in self.entries if entry.view is not None]
        done = sum(view.state is State.ENDED for view in seen)
        return f"{done} of {len(seen)}" if seen else str(len(self.entries))
