"""`pilotbench serve` as a process: its token, signals, `kill -9`, TLS, and `pilotbench share`."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from bench.journal import JournalReader
from bench.verify import verify
from drivers.sim.lab import Lab, open_lab
from tests.engine.programs import DEADLINE, Program, becomes_live, becomes_safe, running

VIEWER = """
import sys
from websockets.sync.client import connect

with connect(sys.argv[1], proxy=None) as stream:
    for number, frame in enumerate(stream):
        if number == 3:
            print("watching", flush=True)
"""
"""A program that watches, and says so once it got records."""
HANGING = "charging-reported-as-suspended"


@dataclass(frozen=True)
class Served:
    """A running `pilotbench serve`."""

    program: Program
    url: str
    token: str

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(
            base_url=f"{self.url}/api/v1", headers=headers, trust_env=False, timeout=DEADLINE
        )

    async def start(self, *cases: str) -> str:
        async with self.client() as http:
            answer = await http.post("/runs", json={"cases": list(cases)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["run"])

    async def control(self, run: str, word: str) -> None:
        async with self.client() as http:
            answer = await http.post(f"/runs/{run}/{word}")
        assert answer.status_code == 200, answer.text

    async def frames(self, query: str = "") -> AsyncIterator[dict[str, Any]]:
        address = self.url.replace("http", "ws", 1)
        place = f"{address}/api/v1/stream?token={self.token}{query}"
        async with connect(place, proxy=None, max_size=None, max_queue=None) as socket:
            async for frame in socket:
                if isinstance(frame, str):
                    yield json.loads(frame)


def private(path: Path) -> str:
    """Read the operator's token, which nobody else can."""
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text().strip()


@asynccontextmanager
async def serve(lab: Lab, out: Path, *more_duts: Path) -> AsyncIterator[Served]:
    files: list[str | Path] = ["--bench", lab.bench_file, "--dut", lab.dut_file]
    for dut in more_duts:
        files += ["--dut", dut]
    async with running("serve", *files, "--out", out, "--api", "127.0.0.1:0") as program:
        assert program.process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            line = (await program.process.stdout.readline()).decode()
        found = re.fullmatch(r"API: (\S+) token file (\S+)\n", line)
        assert found is not None, line
        yield Served(program, found[1], private(Path(found[2])))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_run_safely_and_then_the_engine(
    tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "runs"
    async with open_lab(tmp_path, defects=[HANGING]) as lab, serve(lab, out) as engine:
        run = await engine.start("TC_003_CS")
        await becomes_live(lab)
        engine.program.process.send_signal(number)
        ended = await engine.program.ended()
        assert (ended.code, ended.errors) == (0, "")
        await becomes_safe(lab)
    folder = out / run
    (last,) = list(JournalReader(folder / "journal.jsonl"))[-1:]
    assert type(last.event).__name__ == "RunEnded"
    assert (folder / "report.html").exists()
    assert not (out / "engine" / "url").exists()


async def test_after_kill_9_the_runs_are_there_and_the_stream_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    async with open_lab(tmp_path, defects=[HANGING]) as lab:
        async with serve(lab, out) as engine:
            run = await engine.start("TC_003_CS")
            await becomes_live(lab)
            got: list[dict[str, Any]] = []
            async for frame in engine.frames():
                got.append(frame)
                if len(got) == 20:
                    break
            engine.program.process.kill()
            await engine.program.ended()
        assert "the journal ends at record" in str(verify(out / run).faults)
        whole = list(JournalReader(out / run / "journal.jsonl"))
        async with serve(lab, out) as engine:
            async with engine.client() as http:
                (one,) = (await http.get("/runs")).json()
                assert (one["run"], one["state"]) == (run, "unfinished")
                assert (await http.get(f"/runs/{run}/results")).json()["complete"] is False
            last = got[-1]["n"]
            rest = [one async for one in engine.frames(f"&run={run}&from={last + 1}&follow=false")]
            numbers = [one["n"] for one in [*got[1:], *rest[1:]]]
            assert numbers == list(range(1, whole[-1].n + 1))
            await engine.start("TC_019_CS")
            await becomes_safe(lab)


async def test_after_kill_9_of_its_viewers_the_engine_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    async with open_lab(tmp_path) as lab, serve(lab, out) as engine:
        address = f"{engine.url.replace('http', 'ws', 1)}/api/v1/stream?token={engine.token}"
        viewers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", VIEWER, address),
                stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(3)
        ]
        try:
            run = await engine.start("TC_003_CS")
            await engine.control(run, "pause")
            for viewer in viewers:
                assert viewer.stdout is not None
                async with asyncio.timeout(DEADLINE):
                    assert await viewer.stdout.readline() == b"watching\n"
        finally:
            for viewer in viewers:
                viewer.kill()
        await engine.control(run, "resume")
        seen: list[dict[str, Any]] = []
        async with asyncio.timeout(DEADLINE):
            async for frame in engine.frames(f"&run={run}"):
                seen.append(frame)
                if frame.get("event") == "RunEnded":
                    break
        assert [one["n"] for one in seen[1:]] == list(range(1, len(seen)))
        assert seen[-1]["data"]["counts"] == {"pass": 1}
        engine.program.process.terminate()
        assert (await engine.program.ended()).errors == ""
        for viewer in viewers:
            await viewer.communicate()
    assert verify(out / run).faults == ()


async def test_a_vendor_gets_a_link_that_can_be_revoked(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    async with open_lab(tmp_path) as lab, serve(lab, out) as engine:
        made: list[str | Path] = ["share", "--dut", lab.dut_file, "--out", out]
        async with running(*made, "--for", "Ourion", "--expires", "2h") as program:
            ended = await program.ended()
        assert ended.code == 0, ended.errors
        link, token = ended.out.strip().split("/view/#token=")
        assert link == engine.url
        share = ended.errors.split()[1]
        async with httpx.AsyncClient(base_url=engine.url, trust_env=False) as http:

            async def asked() -> int:
                return (await http.get("/api/v1/runs", params={"token": token})).status_code

            assert await asked() == 200
            async with running("share", "--list", "--out", out) as program:
                listed = (await program.ended()).out
            assert re.search(rf"^{share}  good    .*Z  Ourion: ", listed)
            assert token not in listed
            async with running("share", "--revoke", share, "--out", out) as program:
                assert (await program.ended()).code == 0
            assert await asked() == 401


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "expected one of RUN, --dut F, --list and --revoke ID"),
        (["--list", "--revoke", "x"], "expected one of"),
        (["--revoke", "../x"], "there is no share '../x'"),
        (["none", "--for", "A", "--expires", "1h", "--url", "http://x"], "no run's folder"),
        (["none", "--for", "A", "--expires", "1y"], "'1y', expected a number with m, h, d or w"),
        (["none", "--expires", "1h"], "--for: expected the vendor's name"),
        (["none", "--for", "A"], "--expires is missing"),
        (["none", "--for", "A", "--expires", "1h"], "no engine serves"),
    ],
)
def test_a_link_that_can_not_be_is_explained(
    tmp_path: Path, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.cli import main

    assert main(["share", *arguments, "--out", str(tmp_path)]) == 3
    assert text in capsys.readouterr().err


def test_the_api_leaves_this_machine_only_when_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.cli import main

    bench = tmp_path / "bench.toml"
    for table, text in (
        ("", "needs keys 'certificate' and 'key', or plain = true"),
        ('certificate = "a.pem"', "expected both or none"),
        ('certificate = "a.pem"\nkey = "b.pem"', "no file"),
        ("absent_after = 0", "expected more than 0"),
    ):
        bench.write_text(f'[bench]\nname = "b"\n[api]\n{table}\n')
        options = ["--bench", str(bench), "--out", str(tmp_path), "--api", "0.0.0.0:0"]
        assert main(["serve", *options]) == 3
        assert text in capsys.readouterr().err


async def test_with_a_certificate_the_api_speaks_tls_alone(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    folder = Path(__file__).parent / "tls"
    table = f'certificate = "{folder / "chain.pem"}"\nkey = "{folder / "key.pem"}"'
    bench.write_text(f'[bench]\nname = "b"\n[api]\n{table}\n')
    arguments: list[str | Path] = ["--bench", bench, "--out", tmp_path, "--api", "127.0.0.1:0"]
    async with running("serve", *arguments) as program:
        assert program.process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            line = (await program.process.stdout.readline()).decode()
        url = line.split()[1]
        assert url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=folder / "chain.pem")
        token = private(tmp_path / "operator.token")
        place = f"{url.replace('http', 'ws', 1)}/api/v1/stream?token={token}"
        async with connect(place, proxy=None, ssl=trusted) as socket:
            assert json.loads(await socket.recv())["snapshot"]["bench"]["name"] == "b"
        async with httpx.AsyncClient(trust_env=False) as http:
            with pytest.raises(httpx.HTTPError):
                await http.get(f"{url.replace('https', 'http', 1)}/api/v1/session")
        program.process.terminate()
        assert (await program.ended()).errors == ""
