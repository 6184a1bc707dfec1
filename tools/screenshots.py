"""Take the pictures of the documentation from real runs (`make screenshots`; needs chromium).

`progress.svg` is the terminal in the middle of `pilotbench demo`; `report.png` and
`report-case.png` are the report of a run against a station with a defect, `report-pdf.png` a page
of its certification report;
`desktop-*.png` are the desktop app, while the bench asks, at a fail, and comparing two runs;
`viewer.png` is the page that a vendor watches a run on, against the same station.
"""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from pypdf import PdfReader
from rich.console import Console
from rich.text import Text

from drivers.sim.lab_process import running_lab

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PILOTBENCH = (sys.executable, "-m", "bench")
COLUMNS, LINES = 116, 32
SHOWN = "TC_036_CS"
"""The case that runs when the terminal's picture and that of the viewer page are taken."""
WATCHED = (
    *("TC_003_CS", "TC_004_1_CS", "TC_007_CS", "TC_010_CS", "TC_011_1_CS", "TC_019_CS"),
    *("TC_021_CS", "TC_023_CS", "TC_031_CS", "TC_036_CS", "TC_040_1_CS"),
)
"""The cases of the run on the viewer page; its picture is taken in `SHOWN`."""
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
    written = in_terminal(*PILOTBENCH, "demo", "--headless", "--out", str(folder / "demo" / "run"))
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
            [*PILOTBENCH, "run", "--all", *options, "--out", str(folder / "lab" / "defect")],
            stdout=subprocess.DEVNULL,
            check=False,
        )
    return folder / "lab" / "defect" / "report.html"


def only_case(report: Path, case: str) -> Path:
    """Make a copy of a report with one case alone, and of that what explains its fail."""
    hidden = "header, body > section:not(#details), #details > h2, table.steps, details.sequence"
    style = f"<style>{hidden}, details.case:not(#{case}) {{ display: none; }}</style></head>"
    text = report.read_text("utf-8").replace("</head>", style, 1)
    page = report.with_name(f"{case}.html")
    page.write_text(text, "utf-8")
    return page


def paper(run: Path, case: str, image: Path) -> None:
    """Take a picture of the page of the certification report that explains a fail."""
    out = run / "report.pdf"
    command = [*PILOTBENCH, "report", str(run), "--format", "pdf", "--out", str(out)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    pages = [page.extract_text().replace("\u200b", "") for page in PdfReader(out).pages]
    shown = (n for n, text in enumerate(pages, 1) if case in text and "Around that moment" in text)
    number = str(next(shown))
    options = ["-png", "-singlefile", "-r", "110", "-f", number, "-l", number]
    command = ["pdftoppm", *options, str(out), str(image.with_suffix(""))]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)


def photograph(page: Path, image: Path, *, height: int) -> None:
    """Take a picture of the top of a page."""
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", f"--window-size=1180,{height}"]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    subprocess.run(
        ["chromium", *options, f"--screenshot={image}", page.as_uri()],
        stderr=subprocess.DEVNULL,
        check=True,
    )


@contextmanager
def served(folder: Path, files: dict[str, str]) -> Iterator[str]:
    """Serve the engine; give the link of a vendor."""
    out = str(folder / "served")
    wired = ("--bench", files["bench"], "--dut", files["dut"], "--out", out)
    command = [*PILOTBENCH, "serve", *wired, "--api", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        sharing = ("--for", "Example Charging Ltd", "--expires", "1h", "--out", out)
        shared = subprocess.run(
            [*PILOTBENCH, "share", "--dut", files["dut"], *sharing],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
        )
        try:
            yield shared.stdout.strip()
        finally:
            engine.terminate()


def viewer(folder: Path, image: Path) -> None:
    """Take a picture of the viewer page in the middle of a run."""
    from playwright.sync_api import sync_playwright

    with (
        running_lab("--defect", DEFECT) as files,
        served(folder, files) as link,
        sync_playwright() as playwright,
    ):
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 1120})
        page.goto(link)
        token = (folder / "served" / "operator.token").read_text("ascii").strip()
        request = Request(
            urljoin(link, "../api/v1/runs"),
            json.dumps({"cases": [*WATCHED]}).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        urlopen(request).close()
        page.wait_for_selector("#cases > li.fail")
        page.wait_for_selector(f"#cases > li.running:has-text('{SHOWN}')")
        page.wait_for_selector("#step:has-text('stays cut')")
        page.screenshot(path=image)
        browser.close()


def desktop(folder: Path) -> None:
    """Take the pictures of the desktop app, in a process that has no other screen."""
    command = [sys.executable, "-m", "tools.desktop_pictures", str(folder), str(IMAGES)]
    subprocess.run(command, cwd=IMAGES.parents[1], check=True)


def main() -> int:
    """Take all pictures."""
    if shutil.which("chromium") is None:
        sys.stderr.write("screenshots need the Debian package chromium\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        desktop(folder)
        viewer(folder, IMAGES / "viewer.png")
        progress(folder, IMAGES / "progress.svg")
        report = failing_report(folder)
        photograph(report, IMAGES / "report.png", height=780)
        photograph(only_case(report, CAUGHT_BY), IMAGES / "report-case.png", height=1240)
        paper(report.parent, CAUGHT_BY, IMAGES / "report-pdf.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
