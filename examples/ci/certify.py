#!/usr/bin/env python3
"""Start a run on a bench over its API, follow it, fetch what it leaves; needs httpx alone.

    PILOTBENCH_TOKEN=… certify.py --url https://bench.example.org --out results TC_003_CS

Exit code: 0 every case passed; 1 at least one fail; 2 no fail, but an inconclusive, an error or a
case that did not run; 3 the bench can't be used so; 130 interrupted, and the run was ended.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx

FILES = {"results.json": "results", "junit.xml": "junit.xml", "report.html": "report.html"}
EVERY = 1.0
"""Seconds between two looks at the run."""
PATIENCE = 60.0
"""Seconds for which the bench may be out of reach while the run goes on."""
CANCELS = (signal.SIGINT, signal.SIGTERM)
"""What a pipeline sends to a job that is cancelled."""


class Cancelled(Exception):
    """The pipeline cancels this job."""


def rest() -> None:
    """Wait until the next look; raises `Cancelled`.

    The signals are blocked otherwise, so that none is lost in the middle of something.
    """
    if signal.sigtimedwait(CANCELS, EVERY) is not None:
        raise Cancelled


def say(text: str) -> None:
    """Print a line at once, as a pipeline shows it."""
    print(text, flush=True)  # noqa: T201 - what the job's log shows


class Bench:
    """The API of a bench."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Make a request; what the bench refuses is a `SystemExit` with code 3."""
        answer = self._http.request(method, path, json=body or None)
        if answer.is_error:
            try:
                why = answer.json()["detail"]
            except (ValueError, KeyError, TypeError):
                why = f"HTTP {answer.status_code}"
            stop(f"{method} {path}: {why}")
        return answer

    def look(self, path: str) -> Any:
        """GET while the run goes on, also when the bench is out of reach for a while."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask("GET", path).json()
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    stop(f"the bench is out of reach for {PATIENCE:g} s: {error}")
                rest()


def stop(why: str) -> None:
    """End with code 3 and one line that names the cause."""
    sys.stderr.write(f"certify: {why}\n")
    raise SystemExit(3)


def follow(bench: Bench, run: str) -> dict[str, Any]:
    """Print cases as they end and prompts as they come; return the run when it is over."""
    told: set[str] = set()
    asked: set[str] = set()
    while True:
        state: dict[str, Any] = bench.look(f"runs/{run}")
        for case in bench.look(f"runs/{run}/results")["cases"]:
            if case["ended"] is not None and case["id"] not in told:
                told.add(case["id"])
                reason = f": {case['reason']}" if case["reason"] else ""
                say(f"{case['id']} {case['verdict']}{reason}")
        if state["state"] != "running":
            return state
        for prompt in bench.look("prompts"):
            if prompt["id"] not in asked:
                asked.add(prompt["id"])
                say(f"The bench waits for its operator: {prompt['text']}")
        rest()


def exit_code(state: dict[str, Any], refused: list[str]) -> int:
    """Tell how the run ended, with the exit codes of `pilotbench run`."""
    counts = state["counts"] or {}
    if counts.get("fail"):
        return 1
    passed = counts.get("pass", 0) == state["cases"] and state["complete"]
    return 0 if passed and not refused else 2


def main() -> int:
    """Start, follow, fetch."""
    parser = argparse.ArgumentParser(description="Run cases on a bench over its API.")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--group", action="append", default=[], dest="groups")
    parser.add_argument("--url", default=os.environ.get("PILOTBENCH_URL"))
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for the files")
    options = parser.parse_args()
    token = os.environ.get("PILOTBENCH_TOKEN")
    if not options.url or not token:
        stop("--url (or PILOTBENCH_URL) and PILOTBENCH_TOKEN are needed")
    bench = Bench(options.url, token or "")
    signal.pthread_sigmask(signal.SIG_BLOCK, CANCELS)
    try:
        begun = bench.ask("POST", "runs", cases=options.cases, groups=options.groups).json()
    except httpx.TransportError as error:
        stop(f"{options.url} can't be reached: {error}")
    run, refused = begun["run"], begun["refused"]
    say(f"Run {run}")
    for line in refused:
        say(f"does not run: {line}")
    try:
        state = follow(bench, run)
    except Cancelled:
        bench.ask("POST", f"runs/{run}/abort", by="the pipeline")
        return 130
    options.out.mkdir(parents=True, exist_ok=True)
    for name, path in FILES.items():
        (options.out / name).write_bytes(bench.ask("GET", f"runs/{run}/{path}").content)
    counts = ", ".join(f"{count} {name}" for name, count in (state["counts"] or {}).items())
    say(f"Run {state['state']}: {counts or 'no verdict'}; files in {options.out}")
    return exit_code(state, refused)


if __name__ == "__main__":
    sys.exit(main())
