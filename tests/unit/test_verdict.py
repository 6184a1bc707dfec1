"""The truth table of verdicts."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bench.errors import (
    CaseOverdue,
    CheckFailed,
    ConfigError,
    DeviceError,
    DeviceTimeout,
    JournalError,
    LinkError,
    RunAborted,
    Unverifiable,
)
from bench.verdict import Ended, Phase, Verdict, case_verdict, check_verdict, joined, verdict_of

ORDER = [Verdict.NONE, Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR]

TABLE = [
    # raised, in the preamble, in the body, in the postamble
    (None, "pass", "pass", "pass"),
    (CheckFailed("x"), "inconclusive", "fail", "inconclusive"),
    (Unverifiable("x"), "inconclusive", "inconclusive", "inconclusive"),
    (RunAborted("x"), "inconclusive", "inconclusive", "inconclusive"),
    (asyncio.CancelledError(), "inconclusive", "inconclusive", "inconclusive"),
    (DeviceError("x"), "error", "error", "error"),
    (LinkError("x"), "error", "error", "error"),
    (DeviceTimeout("x"), "error", "error", "error"),
    (CaseOverdue("x"), "error", "error", "error"),
    (JournalError("x"), "error", "error", "error"),
    (ConfigError("x"), "error", "error", "error"),
    (ValueError("x"), "error", "error", "error"),
    (TimeoutError(), "error", "error", "error"),
    (KeyboardInterrupt(), "error", "error", "error"),
]


def test_verdicts_are_ordered_from_none_to_error() -> None:
    assert sorted(ORDER) == ORDER
    assert list(Verdict) == ORDER


@pytest.mark.parametrize("verdict", ORDER)
def test_a_verdict_reads_back_what_it_writes(verdict: Verdict) -> None:
    assert str(verdict) == verdict.name.lower()
    assert Verdict.of(str(verdict)) is verdict


def test_joining_takes_the_worst_of_any_number() -> None:
    assert joined([]) is Verdict.NONE
    for one, two in itertools.product(ORDER, repeat=2):
        assert joined([one, two]) is ORDER[max(ORDER.index(one), ORDER.index(two))]
        assert joined([one, two]) is joined([two, one])
        assert joined([one, one]) is one
    for three in itertools.product(ORDER, repeat=3):
        assert joined(three) is joined([joined(three[:2]), three[2]])


@pytest.mark.parametrize(("raised", "preamble", "body", "postamble"), TABLE)
def test_what_ends_a_case_decides_by_its_class_and_phase(
    raised: BaseException | None, preamble: str, body: str, postamble: str
) -> None:
    aborted = isinstance(raised, RunAborted | asyncio.CancelledError)
    ended = Ended.ABORTED if aborted else Ended.COMPLETED
    expected = {Phase.PREAMBLE: preamble, Phase.BODY: body, Phase.POSTAMBLE: postamble}
    assert {phase: str(verdict_of(raised, phase)[0]) for phase in Phase} == expected
    assert {verdict_of(raised, phase)[1] for phase in Phase} == {ended}


def test_a_check_that_fails_outside_the_body_says_nothing_of_the_test_purpose() -> None:
    assert check_verdict(True, Phase.BODY) is Verdict.PASS
    assert check_verdict(True, Phase.PREAMBLE) is Verdict.PASS
    assert check_verdict(False, Phase.BODY) is Verdict.FAIL
    assert check_verdict(False, Phase.PREAMBLE) is Verdict.INCONCLUSIVE
    assert check_verdict(False, Phase.POSTAMBLE) is Verdict.INCONCLUSIVE


def test_a_case_passes_only_with_a_passed_check() -> None:
    assert case_verdict([], Verdict.PASS) is Verdict.INCONCLUSIVE
    assert case_verdict([Verdict.NONE], Verdict.PASS) is Verdict.INCONCLUSIVE
    assert case_verdict([Verdict.PASS], Verdict.PASS) is Verdict.PASS
    for worst in (Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR):
        assert case_verdict([Verdict.PASS, worst], Verdict.PASS) is worst
        assert case_verdict([Verdict.PASS], worst) is worst
        assert case_verdict([], worst) is worst
