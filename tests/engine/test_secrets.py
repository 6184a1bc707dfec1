"""A run that changes the authorization key leaves it in no file, stream, answer or log."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench.archive import dut_key
from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.station import Station
from bench.procedure import procedure
from bench.verify import verify
from tests.engine.service import DEADLINE, TOKEN, Service
from tests.engine.support import BOOT, Peer
from tests.engine.test_load import Viewer, address_of, busy_engine

OLD = "4f6c644b65794f6c644b6579"
NEW = "4e65774b65794e65774b6579"
FTP = "0n3-t1m3-ftp"
BASIC = base64.b64encode(f"CP:{OLD}".encode()).decode()
SECRETS = (OLD, NEW, FTP, BASIC)


@procedure("TC_904_CS", title="The key is changed", mark="O", refs=["none"])
async def the_key_is_changed(case: Case, station: Station) -> None:
    """The bench gives the station another key, by a case's call and by a raw one."""
    async with case.step("Change the key"):
        await station.expect(v16.BootNotification(), within=DEADLINE)
        await station.call(v16.ChangeConfiguration(key="AuthorizationKey", value=NEW))
        text = {"key": "AuthorizationKey", "value": NEW}
        await station.send_raw(json.dumps([2, "raw", "ChangeConfiguration", text]))
        await station.expect(v16.DataTransfer(messageId="changed"), within=DEADLINE)
        case.note(f"the key is {NEW}, and was {OLD}")
    async with case.step("Read it"):
        await station.call(v16.GetConfiguration(key=["AuthorizationKey"]))
    async with case.step("Give a place for files"):
        place = f"ftp://lab:{FTP}@127.0.0.1:2121/up"
        await station.call(v16.GetDiagnostics(location=place), result(fileName="x"))


class KeyedStation:
    """A station that answers what it is asked, its old and new key included."""

    async def talk(self, address: str) -> None:
        """Serve one connection until the engine ends it."""
        place = f"ws://{address}/ocpp/CP"
        headers = {"Authorization": f"Basic {BASIC}"}
        offered = [Subprotocol("ocpp1.6")]
        async with connect(
            place, proxy=None, subprotocols=offered, additional_headers=headers
        ) as line:
            peer = Peer(line)
            await peer.call("BootNotification", **BOOT)
            async for text in line:
                frame = json.loads(text)
                if frame[0] == 2:
                    await peer.send([3, frame[1], self._answer(*frame[2:])])
                if frame[1] == "raw":
                    told = {"vendorId": "x", "messageId": "changed", "data": f"password {OLD}"}
                    await peer.send([2, "told", "DataTransfer", told])

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        match action:
            case "ChangeConfiguration":
                return {"status": "Accepted"}
            case "GetConfiguration":
                known = {"key": "AuthorizationKey", "readonly": False, "value": OLD}
                return {"configurationKey": [known]}
            case _:
                return {"fileName": f"of {payload['location']}"}


def files(folder: Path) -> dict[str, bytes]:
    """Read all files."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def answers(bench: Service, run: str) -> dict[str, bytes]:
    """Fetch all that the API tells of a run."""
    found: dict[str, bytes] = {}
    for name in ("", "/results", "/report.html", "/junit.xml"):
        answer = await bench.http.get(f"/api/v1/runs/{run}{name}")
        assert answer.status_code == 200
        found[f"GET {name}"] = answer.content
    return found


async def test_a_key_that_is_changed_is_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with busy_engine(tmp_path, the_key_is_changed) as (bench, run):
        dut = dut_key({"vendor": "V", "model": "M", "identity": "CP"})
        _, link = bench.shares.make("Vendor", timedelta(hours=1), dut=dut)
        viewers, ready = {"operator": Viewer(), "observer": Viewer()}, asyncio.Semaphore(0)
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as tasks:
            for viewer, token in zip(viewers.values(), (TOKEN, link), strict=True):
                tasks.create_task(viewer.watch(bench, token, ready))
            await KeyedStation().talk(await address_of(bench))
        found = await answers(bench, run)
        (case,) = (await bench.get(f"/runs/{run}/results"))["cases"]
    found |= files(tmp_path)
    found |= {name: "\n".join(viewer.records).encode() for name, viewer in viewers.items()}
    found["log"] = caplog.text.encode()
    assert 'came "of ftp://lab:***@' in case["reason"]
    leaks = [
        (where, secret)
        for where, content in found.items()
        for secret in SECRETS
        if secret.encode() in content
    ]
    assert leaks == []
    # What was recorded is enough to come to the same verdicts.
    assert verify(tmp_path / "runs" / run).faults == ()
