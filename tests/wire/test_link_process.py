"""The process link against small programs: mute, late, garbled, ended, killed."""

from __future__ import annotations

import asyncio
import sys

import pytest

from bench.errors import DeviceError, DeviceTimeout, LinkError
from drivers.link.process import ProcessLink


def link(program: str, *, within: float = 5.0) -> ProcessLink:
    return ProcessLink("net", [sys.executable, "-c", program], within=within)


async def test_requests_are_numbered_and_answered() -> None:
    program = link(
        "import sys\nfor line in sys.stdin: print(line.split()[0], 'ok', repr(line), flush=True)"
    )
    await program.open()
    assert await program.ask("state") == "'1 state\\n'"
    assert await program.ask("delay 200") == "'2 delay 200\\n'"
    await program.close()
    await program.close()
    with pytest.raises(LinkError, match=r"^net \(.*\): not open"):
        await program.ask("state")


async def test_a_refusal_is_an_error_with_its_text() -> None:
    program = link("input(); print('1 error tc: no such thing')")
    await program.open()
    with pytest.raises(DeviceError, match=r"^net \(.*\): limit 5: tc: no such thing$"):
        await program.ask("limit 5")
    await program.close()


async def test_a_mute_program_is_told_in_time() -> None:
    program = link("import sys; sys.stdin.read()", within=0.05)
    await program.open()
    with pytest.raises(DeviceTimeout, match=r"^net \(.*no answer to 'state' within 0.05 s"):
        await program.ask("state")
    await program.close()


async def test_the_answer_to_an_abandoned_request_is_passed_over() -> None:
    program = link("input(); input(); print('noise'); print('1 ok late'); print('2 ok own')")
    await program.open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await program.ask("state")
    assert await program.ask("state") == "own"
    await program.close()


async def test_a_program_that_has_ended_is_told_with_its_last_words() -> None:
    program = link("import sys; input(); sys.exit('sudo: a password is required')")
    await program.open()
    with pytest.raises(LinkError, match=r"^net \(.*it has ended: sudo: a password is required"):
        await program.ask("state")
    with pytest.raises(LinkError, match=r"^net \(.*it has ended"):
        await program.ask("state")
    await program.close()


async def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(LinkError, match=r"^net \(/no/such\): can't start: No such file"):
        await ProcessLink("net", ["/no/such"]).open()


async def test_a_program_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.link.process._ENDING", 0.1)
    program = link("import time; input(); print('1 ok', flush=True); time.sleep(600)")
    await program.open()
    await program.ask("state")
    process = program._process
    assert process is not None
    await program.close()
    async with asyncio.timeout(5.0):
        assert await process.wait() < 0
