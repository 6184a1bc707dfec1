"""A file of samples that was only just begun, or is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.history import SampleReader


@pytest.mark.parametrize("begun", [b"", b"\x89MC"], ids=["empty", "cut in its first bytes"])
def test_a_file_that_was_only_just_begun_has_no_samples(tmp_path: Path, begun: bytes) -> None:
    path = tmp_path / "samples.mcap"
    path.write_bytes(begun)
    reader = SampleReader(path)
    assert (reader.newest(), reader.counts()) == (None, {})
    assert (reader.torn, reader.complete) == (len(begun), False)


def test_what_is_no_file_of_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "samples.mcap"
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"samples\.mcap: not an MCAP file"):
        SampleReader(path).newest()
