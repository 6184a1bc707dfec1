"""What is computed of the folders of runs apart from the engine (`Apart`), and goes to front ends.

Apart from the server: that process needs none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from bench.compare import as_json, compare
from bench.configuration import ConfigurationKey, configuration_keys
from bench.errors import BenchError
from bench.report import read_run


def comparison(first: Path, second: Path, case: str | None) -> bytes:
    """Compare two runs, or one case of them; return it as JSON."""
    runs = read_run(first).view, read_run(second).view
    return orjson.dumps(as_json(compare(*runs, cases=None if case is None else (case,))))


def newest_keys(folders: Sequence[Path]) -> tuple[str | None, dict[str, ConfigurationKey]]:
    """Read the configuration keys of the first of some runs that has any, and name that run."""
    for folder in folders:
        with suppress(BenchError):
            if keys := configuration_keys(read_run(folder).view):
                return folder.name, keys
    return None, {}
