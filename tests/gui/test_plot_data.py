"""Ring and summary against the plain way, whatever the sizes of the blocks."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gui.plots.ring import Ring
from gui.plots.summary import Trace

VALUE = st.floats(-1000, 1000, width=32)
BLOCKS = st.lists(st.lists(VALUE, max_size=40), max_size=12)


@given(capacity=st.integers(1, 50), blocks=BLOCKS)
def test_a_ring_holds_the_newest_in_one_piece(capacity: int, blocks: list[list[float]]) -> None:
    ring = Ring(capacity, np.float64, np.float32)
    everything: list[float] = []
    for block in blocks:
        everything += block
        numbers = np.arange(len(everything) - len(block), len(everything))
        ring.push(numbers, np.array(block, np.float32))
        time, value = ring.columns()
        assert value.tolist() == everything[-capacity:]
        assert time.tolist() == list(range(len(everything)))[-capacity:]
        assert value.base is not None  # a view, not a copy
    assert ring.pushed == len(everything)


def test_a_ring_that_is_cleared_is_empty() -> None:
    ring = Ring(4, np.float64)
    ring.push(np.arange(9.0))
    ring.clear()
    assert len(ring) == 0
    ring.push(np.arange(2.0))
    assert ring.columns()[0].tolist() == [0.0, 1.0]


def _traced(blocks: list[list[float]], capacity: int, reach: int) -> tuple[Trace, list[float]]:
    trace = Trace(capacity, sizes=(2, 6, 24), reach=reach)
    values: list[float] = []
    for block in blocks:
        times = np.arange(len(values), len(values) + len(block), dtype=np.float64)
        trace.push(times, np.array(block, np.float32))
        values += block
    return trace, values


@given(
    blocks=BLOCKS,
    begin=st.floats(-5, 200),
    length=st.floats(0, 200),
    points=st.integers(2, 60),
    capacity=st.sampled_from((48, 500)),
    reach=st.sampled_from((1, 10)),
)
@example(
    blocks=[[0.0, 0.0, 0.5, *[0.0] * 20], [0.0] * 28],
    begin=0.0,
    length=0.0,
    points=2,
    capacity=48,
    reach=10,
)
@settings(max_examples=120)
def test_every_point_is_the_least_and_greatest_of_the_values_from_it_to_the_next(
    blocks: list[list[float]], begin: float, length: float, points: int, capacity: int, reach: int
) -> None:
    trace, values = _traced(blocks, capacity, reach)
    end = begin + length
    course = trace.between(begin, end, points)
    times = course.time.astype(int).tolist()
    assert times == sorted(set(times))
    for (at, after), low, high in zip(
        pairwise([*times, None]), course.low.tolist(), course.high.tolist(), strict=True
    ):
        if after is not None:
            part = values[at:after]
            assert low <= min(part)
            assert high >= max(part)
            # A bucket where rows were given up may reach into what follows it, no further.
            assert low in values[at : at + 24 * 40]
    known = [at for at in range(len(values)) if at >= trace.begin]
    inside = [values[at] for at in known if begin <= at <= end]
    if inside:
        assert course.low.min() <= min(inside)
        assert course.high.max() >= max(inside)


@given(blocks=BLOCKS, points=st.integers(2, 60))
def test_the_whole_course_has_the_very_peaks(blocks: list[list[float]], points: int) -> None:
    trace, values = _traced(blocks, 500, 1)
    course = trace.between(-1, len(values) + 1, points)
    if values:
        assert course.low.min() == min(values)
        assert course.high.max() == max(values)
        edges = [*course.time.astype(int).tolist(), len(values)]
        assert edges[0] == 0
        for (at, after), low, high in zip(
            pairwise(edges), course.low.tolist(), course.high.tolist(), strict=True
        ):
            assert (low, high) == (min(values[at:after]), max(values[at:after]))
    assert len(course) <= max(points, 24) + 2 + 24 // 6 + 6 // 2 + 2


@given(blocks=BLOCKS, begin=st.floats(-5, 200), length=st.floats(0, 200))
def test_statistics_are_those_of_the_values(
    blocks: list[list[float]], begin: float, length: float
) -> None:
    trace, values = _traced(blocks, 500, 1)
    inside = values[max(0, math.ceil(begin)) : max(0, math.floor(begin + length) + 1)]
    found = trace.statistics(begin, begin + length)
    assert found.count == len(inside)
    if inside:
        assert (found.least, found.greatest) == (min(inside), max(inside))
        assert found.mean == pytest.approx(math.fsum(inside) / len(inside), abs=1e-6)
        rms = math.sqrt(math.fsum(v * v for v in inside) / len(inside))
        assert found.rms == pytest.approx(rms, abs=1e-6)
    else:
        assert math.isnan(found.mean)


def test_windows_keep_least_greatest_and_mean() -> None:
    trace = Trace(100, of_windows=True, sizes=(4, 16))
    time = np.arange(32.0)
    trace.push(time, *(np.full(32, v, np.float32) for v in (-1, 3, 2)))
    assert trace.at(5.5) == (-1, 3)
    assert trace.statistics(0, 40).mean == 2
    assert trace.between(0, 40, 2).low.tolist() == [-1, -1]
    assert all(map(math.isnan, trace.at(-1)))


def test_a_stretch_that_ends_where_rows_were_given_up_is_drawn_from_buckets() -> None:
    trace = Trace(48, sizes=(2, 6, 24))
    trace.push(np.arange(49.0), np.array([7, *[1] * 48], np.float32))
    assert trace.between(0, 0, 14).high.max() == 7


def test_buckets_reach_further_back_than_rows() -> None:
    trace = Trace(48, sizes=(4, 16), reach=10)
    trace.push(np.arange(400.0), np.arange(400, dtype=np.float32))
    assert trace.begin == 0
    course = trace.between(0, 400, 1000)
    assert course.time[0] == 0
    assert course.time[-1] == 399
    trace.clear()
    assert trace.begin == math.inf
    assert len(trace.between(0, 400, 10)) == 0
