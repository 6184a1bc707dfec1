"""The API over real HTTP: who may use it, what it serves, and that the first answer wins."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench import __version__
from bench.device import Action
from bench.errors import BenchError, ConfigError, Unverifiable
from bench.events import Answered
from bench.journal import Record
from bench.operator import PromptDesk
from bench.pictures import Picture
from bench.server import serving
from bench.server.token import NAME, operator_token
from tests.engine.service import idle_engine

TOKEN = "t" * 43
AUTH = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Api:
    desk: PromptDesk
    url: str
    http: httpx.AsyncClient
    records: list[Record]

    async def open_prompt(self, kind: str = "confirm", **keywords: Any) -> asyncio.Future[Any]:
        """Ask something and wait until it is open."""
        asked = asyncio.ensure_future(self.desk.ask(kind, "Plug in.", **keywords))
        async for prompts in self.desk.changes():
            if prompts:
                break
        return asked

    async def answer(self, prompt: str = "p1", **body: Any) -> httpx.Response:
        return await self.http.post(f"/api/v1/prompts/{prompt}/answer", json=body)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    engine = idle_engine(tmp_path, within=5.0)
    desk = engine.desk
    records: list[Record] = []
    with engine.stream.watched_by(records.append):
        async with (
            serving(engine, host="127.0.0.1", port=0, token=TOKEN) as url,
            httpx.AsyncClient(base_url=url, headers=AUTH, trust_env=False) as http,
        ):
            yield Api(desk, url, http, records)


async def test_the_session_is_described(api: Api) -> None:
    answer = await api.http.get("/api/v1/session")
    assert answer.status_code == 200
    assert answer.json() == {
        "version": __version__,
        "role": "operator",
        "bench": {"name": "desk", "devices": []},
        "dut": None,
        "duts": [],
        "ocpp": {"listen": None, "connected": False},
        "run": None,
        "paused": False,
        "held": False,
        "viewers": [],
    }


async def test_a_picture_is_given_to_who_may_see_the_prompts(api: Api) -> None:
    answer = await api.http.get("/api/v1/pictures/plug-in")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.content == Picture.PLUG_IN.svg()
    for name in ("plug-out", "..%2Fpictures%2Fplug-in", "plug-in.svg"):
        assert (await api.http.get(f"/api/v1/pictures/{name}")).status_code == 404
    stranger = await api.http.get("/api/v1/pictures/plug-in", headers={"Authorization": "Bearer x"})
    assert stranger.status_code == 401


async def test_open_prompts_are_listed_as_the_contract_says(api: Api) -> None:
    assert (await api.http.get("/api/v1/prompts")).json() == []
    action = Action("VehicleCoupler", "plug_in", {"connector": 1})
    asked = await api.open_prompt(action=action)
    (prompt,) = (await api.http.get("/api/v1/prompts")).json()
    assert prompt.pop("deadline").endswith("Z")
    assert prompt == {
        "id": "p1",
        "kind": "confirm",
        "text": "Plug in.",
        "picture": None,
        "options": [],
        "action": {
            "capability": "VehicleCoupler",
            "method": "plug_in",
            "arguments": {"connector": 1},
        },
    }
    answer = await api.answer(answer=True, comment="tight", by="Ada")
    assert answer.status_code == 200
    assert answer.json() == {"prompt": "p1", "answer": True, "comment": "tight", "by": "Ada"}
    assert (await asked).value is True
    assert (await api.http.get("/api/v1/prompts")).json() == []


async def test_what_is_entered_keeps_its_type(api: Api) -> None:
    for number, value in enumerate((3, 3.5, "3,5", True), start=1):
        asked = await api.open_prompt("enter")
        answer = await api.answer(f"p{number}", answer=value)
        assert answer.json()["answer"] == value
        given = (await asked).value
        assert given == value
        assert type(given) is type(value)


async def test_of_two_operators_at_once_one_wins_and_the_other_is_told(api: Api) -> None:
    asked = await api.open_prompt("judge")
    people = ["Ada", "Bob"] * 5
    answers = await asyncio.gather(*(api.answer(answer="pass", by=name) for name in people))
    winners = [one for one in answers if one.status_code == 200]
    losers = [one for one in answers if one.status_code == 409]
    assert (len(winners), len(losers)) == (1, 9)
    name = winners[0].json()["by"]
    assert {one.json()["detail"] for one in losers} == {f"prompt p1 was answered by {name} already"}
    assert (await asked).by == name
    recorded = [one.event for one in api.records if isinstance(one.event, Answered)]
    assert recorded == [Answered("p1", "pass", name, "")]


async def test_an_unknown_prompt_is_404(api: Api) -> None:
    answer = await api.answer("p9", answer=True)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "there is no prompt 'p9'"}


BAD_ANSWERS = (
    ('{"answer": "yes"}', 400, 'prompt p1: "yes", expected true or false'),
    ('{"answer": null}', 400, "prompt p1: null, expected true or false"),
    ('{"answer": "\\ud800"}', 400, "can't be recorded"),
    ("{}", 422, "body.answer: Field required"),
    ('{"answer": true, "coment": "x"}', 422, "body.coment: Extra inputs are not permitted"),
    ('{"answer": true, "by": 1}', 422, "body.by: Input should be a valid string"),
    ('{"answer": true, "by": "\\udc00"}', 422, "body.by"),
    (f'{{"answer": true, "by": "{"x" * 201}"}}', 422, "at most 200 characters"),
    ("[true]", 422, "body: Input should be a valid dictionary"),
    ('{"answer": tru', 422, "JSON decode error"),
    ("", 422, "body: Field required"),
)
"""The body of a request, with what it is refused."""


async def test_a_bad_answer_is_explained_and_the_prompt_stays_open(api: Api) -> None:
    asked = await api.open_prompt()
    for body, status, detail in BAD_ANSWERS:
        answer = await api.http.post(
            "/api/v1/prompts/p1/answer", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status, body
        assert detail in answer.json()["detail"]
        assert [prompt.id for prompt in api.desk.open] == ["p1"]
    await api.answer(answer=False)
    assert (await asked).value is False


async def test_after_the_deadline_nobody_can_answer(api: Api) -> None:
    asked = await api.open_prompt(within=0.02)
    with pytest.raises(Unverifiable):
        await asked
    answer = await api.answer(answer=True)
    assert answer.status_code == 409
    assert answer.json() == {"detail": "prompt p1 was withdrawn: not answered within 0.02 s"}
    assert (await api.http.get("/api/v1/prompts")).json() == []


async def test_a_cancelled_prompt_takes_no_answer(api: Api) -> None:
    asked = await api.open_prompt()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    answer = await api.answer(answer=True)
    assert answer.status_code == 409
    assert answer.json() == {"detail": "prompt p1 was withdrawn: no longer needed"}


NO_GOOD: tuple[tuple[dict[str, str], str], ...] = (
    ({}, ""),
    ({"Authorization": f"Bearer {TOKEN}x"}, ""),
    ({"Authorization": f"Bearer {TOKEN[:-1]}"}, ""),
    ({"Authorization": f"Basic {TOKEN}"}, ""),
    ({"Authorization": "Bearer"}, ""),
    ({"Authorization": "Bearer \xfc\xff"}, ""),
    ({}, "?token="),
    ({}, "?token=wrong"),
    ({}, "?token=%ff%00"),
    ({"Authorization": "Bearer wrong"}, f"?token={TOKEN}"),
)
"""Headers and query of requests that have no good token."""


async def test_without_a_good_token_nothing_is_served(api: Api) -> None:
    asked = await api.open_prompt()
    for headers, query in NO_GOOD:
        raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        async with httpx.AsyncClient(base_url=api.url, headers=raw, trust_env=False) as stranger:
            for response in (
                await stranger.get(f"/api/v1/session{query}"),
                await stranger.get(f"/api/v1/prompts{query}"),
                await stranger.post(f"/api/v1/prompts/p1/answer{query}", json={"answer": True}),
            ):
                assert response.status_code == 401, (headers, query)
                assert response.headers["www-authenticate"] == "Bearer"
                assert "token" in response.json()["detail"]
        assert [prompt.id for prompt in api.desk.open] == ["p1"]
    api.desk.answer("p1", True)
    await asked


async def test_the_token_may_stand_in_the_query(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
        answer = await http.get("/api/v1/session", params={"token": TOKEN})
    assert answer.status_code == 200


async def test_the_openapi_document_names_what_is_there(api: Api) -> None:
    document = (await api.http.get("/api/v1/openapi.json")).json()
    assert set(document["paths"]) == {
        "/api/v1/session",
        "/api/v1/bench",
        "/api/v1/bench/test",
        "/api/v1/bench/scan",
        "/api/v1/bench/act",
        "/api/v1/bench/safe",
        "/api/v1/bench/card",
        "/api/v1/duts",
        "/api/v1/duts/{identity}",
        "/api/v1/duts/{identity}/questionnaire",
        "/api/v1/duts/{identity}/import",
        "/api/v1/duts/{identity}/configuration",
        "/api/v1/shares",
        "/api/v1/shares/{share}",
        "/api/v1/runs/{run}/verify",
        "/api/v1/compare",
        "/api/v1/procedures",
        "/api/v1/runs",
        "/api/v1/runs/{run}",
        "/api/v1/runs/{run}/results",
        "/api/v1/runs/{run}/report.html",
        "/api/v1/runs/{run}/report.pdf",
        "/api/v1/runs/{run}/results.csv",
        "/api/v1/runs/{run}/declaration.pdf",
        "/api/v1/runs/{run}/junit.xml",
        "/api/v1/runs/{run}/samples",
        "/api/v1/runs/{run}/abort",
        "/api/v1/runs/{run}/pause",
        "/api/v1/runs/{run}/resume",
        "/api/v1/pictures/{name}",
        "/api/v1/prompts",
        "/api/v1/prompts/{prompt_id}/answer",
    }
    answers = document["paths"]["/api/v1/prompts/{prompt_id}/answer"]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "403", "404", "409", "422"}
    assert document["components"]["securitySchemes"].keys() == {"HTTPBearer", "APIKeyQuery"}
    assert TOKEN not in json.dumps(document)


async def test_the_documentation_page_of_the_framework_is_off(api: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/"):
        assert (await api.http.get(path)).status_code == 404


def _serve(port: int = 0, host: str = "127.0.0.1") -> Any:
    return serving(idle_engine(Path("nowhere")), host=host, port=port, token=TOKEN)


async def test_signal_handlers_stay_with_their_owner_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    async with _serve() as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
        assert (await http.get("/api/v1/session", headers=AUTH)).status_code == 200
        assert (await http.get("/api/v1/session")).status_code == 401
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


async def test_half_a_request_does_not_hold_the_engine(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    async with _serve() as url:
        port = httpx.URL(url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = (
            "POST /api/v1/prompts/p1/answer HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {TOKEN}",
            "Content-Length: 100",
            "Expect: 100-continue",
        )
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        # The interim answer shows that the request has reached the application.
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        leaving = loop.time()
    assert loop.time() - leaving < 1.0
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    assert [one.message for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_an_address_in_use_is_named() -> None:
    async with _serve() as url:
        port = httpx.URL(url).port
        with pytest.raises(BenchError, match=rf"can't listen on 127\.0\.0\.1:{port}: .*in use"):
            async with _serve(port=port or 0):
                pass


async def test_a_host_that_is_none_is_named() -> None:
    with pytest.raises(BenchError, match=r"can't listen on no\.such\.host\.invalid:0: "):
        async with _serve(host="no.such.host.invalid"):
            pass


def test_the_token_file_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    path, token = operator_token(tmp_path)
    assert path == tmp_path / NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"{token}\n"
    assert len(token) >= 32
    assert operator_token(tmp_path) == (path, token)


def test_two_folders_have_two_tokens(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert operator_token(tmp_path / "a")[1] != operator_token(tmp_path / "b")[1]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o777])
def test_a_token_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path, _ = operator_token(tmp_path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=rf"{NAME}: others .*mode {mode:o}\), expected 600"):
        operator_token(tmp_path)


def test_a_token_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    for text in ("", "short\n", f"{'x' * 43} and more\n", "ü" * 40):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(ConfigError, match="holds no token"):
            operator_token(tmp_path)


def test_a_link_in_place_of_the_token_file_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("x" * 43)
    target.chmod(0o600)
    (tmp_path / NAME).symlink_to(target)
    with pytest.raises(ConfigError, match=NAME):
        operator_token(tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_something_else_in_place_of_the_token_file_is_refused(
    tmp_path: Path, make: Callable[[Path, int], None]
) -> None:
    make(tmp_path / NAME, 0o600)
    with pytest.raises(ConfigError, match=f"{NAME}: not a plain file"):
        operator_token(tmp_path)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{NAME}: No such file"):
        operator_token(tmp_path / "nowhere")


def test_a_token_file_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator_token(tmp_path)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(ConfigError, match=f"belongs to another user \\(id {owner}\\)"):
        operator_token(tmp_path)
