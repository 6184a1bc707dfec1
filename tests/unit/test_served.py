"""Where an engine is found, and that a folder has one alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.served import alone, announced, where_served


def test_an_engine_is_found_while_it_lives(tmp_path: Path) -> None:
    assert where_served(tmp_path) is None
    with alone(tmp_path):
        assert where_served(tmp_path) is None  # it has just begun
        with announced(tmp_path, "http://127.0.0.1:1"):
            found = where_served(tmp_path)
            assert found is not None
            assert (found.url, found.process) == ("http://127.0.0.1:1", os.getpid())
    assert where_served(tmp_path) is None


def test_what_a_killed_engine_left_behind_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/lock").touch()
    (tmp_path / "engine/url").write_text("http://127.0.0.1:1\n4711\n", "utf-8")
    assert where_served(tmp_path) is None
    # Nor is it taken for the place of an engine that has just begun.
    with alone(tmp_path):
        assert where_served(tmp_path) is None


def test_a_folder_has_one_engine_alone(tmp_path: Path) -> None:
    with alone(tmp_path), announced(tmp_path, "http://127.0.0.1:1"):
        with pytest.raises(ConfigError, match=r"serves this folder already at http.* \(process "):
            with alone(tmp_path):
                pass
