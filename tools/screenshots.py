"""Take the pictures of the documentation from real runs (`make screenshots`; needs chromium).

`progress.svg` is the terminal in the middle of `pilotbench demo`; `report.png` and
`report-case.png` are the report of a run against a station with a defect.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from rich.console import Console
from rich.text import Text

from drivers.sim.lab_process import running_lab

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PILOTBENCH = (sys.executable, "-m", "bench")
COLUMNS, LINES = 116, 32
SHOWN = "TC_036_CS"
"""The case that runs when the terminal's picture is taken."""
DEFECT, CAUGHT_BY = "invalid-card-starts", "TC_023_CS"

_FRAME_ENDS = re.compile(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)+")
_WEB_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def in_terminal(*command: str) -> str:
    """Run a command in a terminal of our size; return what it wrote, control sequences and all."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(command, stdout=follower, stdin=follower, env=environment)
    os.close(follower)
    written = b"".join(_read(leader))
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return written.decode().replace("\r\n", "\n")


def _read(leader: int) -> Iterator[bytes]:
    while True:
        try:
            came = os.read(leader, 65536)
        except OSError:  # the command has ended and closed the terminal
            return
        if not came:
            return
        yield came


def progress(folder: Path, image: Path) -> None:
    """Draw the terminal in the middle of the demo."""
    written = in_terminal(*PILOTBENCH, "demo", "--headless", "--out", str(folder / "demo"))
    running = re.compile(rf"^[^\n]*{SHOWN}[^\n]*running", re.MULTILINE)
    frames = [frame for frame in _FRAME_ENDS.split(written) if running.search(frame)]
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(frames[len(frames) // 2].rstrip()))
    drawing = console.export_svg(title="pilotbench demo", unique_id="progress")
    # A picture must not fetch a font; each piece of text has its width written beside it.
    drawing = _WEB_FONTS.sub("", drawing).replace("Fira Code", "DejaVu Sans Mono")
    lines = (line.rstrip() for line in drawing.splitlines())
    image.write_text("\n".join(line for line in lines if line) + "\n", "utf-8")


def failing_report(folder: Path) -> Path:
    """Run all cases against a station with a defect; return the report."""
    with running_lab("--defect", DEFECT) as files:
        options = ("--bench", files["bench"], "--dut", files["dut"], "--operator", "refuse")
        subprocess.run(
            [*PILOTBENCH, "run", "--all", *options, "--out", str(folder / "defect")],
            stdout=subprocess.DEVNULL,
            check=False,
        )
    return folder / "defect" / "report.html"


def only_case(report: Path, case: str) -> Path:
    """Make a copy of a report with one case alone: its reason, and its sequence from body on."""
    hidden = "header, body > section:not(#details), #details > h2, table.steps, script"
    style = f"<style>{hidden}, details.case:not(#{case}) {{ display: none; }}</style></head>"
    text = report.read_text("utf-8").replace("</head>", style, 1)
    chart = text.index('<div class="row head">', text.index(f'id="{case}"'))
    start = text.index("\n", chart)
    steps = re.compile(r'\n<div class="row step.*')
    body = next(step for step in steps.finditer(text, start) if "preamble" not in step[0])
    page = report.with_name(f"{case}.html")
    page.write_text(text[:start] + text[body.start() :], "utf-8")
    return page


def photograph(page: Path, image: Path, *, height: int) -> None:
    """Take a picture of the top of a page."""
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", f"--window-size=1180,{height}"]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    subprocess.run(
        ["chromium", *options, f"--screenshot={image}", page.as_uri()],
        stderr=subprocess.DEVNULL,
        check=True,
    )


def main() -> int:
    """Take all pictures."""
    if shutil.which("chromium") is None:
        sys.stderr.write("screenshots need the Debian package chromium\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress(folder, IMAGES / "progress.svg")
        report = failing_report(folder)
        photograph(report, IMAGES / "report.png", height=780)
        photograph(only_case(report, CAUGHT_BY), IMAGES / "report-case.png", height=980)
    return 0


if __name__ == "__main__":
    sys.exit(main())
