"""Passwords and keys don't reach a record, and nothing else is changed by hiding them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bench.events import (
    Acted,
    Event,
    FrameReceived,
    FrameSent,
    Noted,
    StationConnected,
    StationRefused,
    to_data,
)
from bench.masks import Masks

KEY = "4F43412D4F43545420616D70"


def recorded(event: Event, masks: Masks | None = None) -> str:
    return json.dumps(to_data((masks or Masks()).apply(event)), ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{KEY}"}}]',
        f'[2,"1","ChangeConfiguration",{{"value" : "{KEY}", "key" : "authorizationkey"}}]',
        f'[2,"1","ChangeConfiguration",{{"key":"Authorizatio\\u006eKey","value":"{KEY}"}}]',
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"\\u0034{KEY[1:]}"}}]',
        f'[3,"1",{{"configurationKey":[{{"key":"AuthorizationKey","readonly":false,"value":"{KEY}"}}]}}]',
        f'[2,"1","SetVariables",{{"setVariableData":[{{"attributeValue":"{KEY}",'
        '"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]',
        f'[2,"1","SetNetworkProfile",{{"connectionData":{{"apn":{{"apnPassword":"{KEY}"}}}}}}]',
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{KEY}"',
        f'[2,"1","GetDiagnostics",{{"location":"ftp://lab:{KEY}@10.0.0.1/up"}}]',
        f'[2,"1","GetDiagnostics",{{"location":"ftp:\\/\\/lab:{KEY}@10.0.0.1\\/up"}}]',
        f'[2,"1","UpdateFirmware",{{"location":"https://host/fw.bin?a=1&access_token={KEY}&b=2"}}]',
    ],
)
def test_a_secret_in_a_message_is_hidden(text: str) -> None:
    for event in (
        FrameSent(1, text),
        FrameReceived(1, text),
        FrameReceived(1, None, base64.b64encode(text.encode()).decode()),
    ):
        masked = Masks().apply(event)
        assert isinstance(masked, FrameSent | FrameReceived)
        if isinstance(masked, FrameReceived) and masked.base64 is not None:
            shown = base64.b64decode(masked.base64).decode()
        else:
            shown = str(masked.text)
        assert KEY not in shown
        assert KEY[1:] not in shown
        assert "***" in shown
        try:
            before = json.loads(text)
        except ValueError:
            continue
        after = json.loads(shown)
        assert after[:3] == before[:3] or before[0] == 3


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","Authorize",{"idTag":"CARD1"}]',
        '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]',
        '[2,"1","BootNotification",{"chargePointVendor":"a@b","chargePointModel":"x=y"}]',
        '[3,"1",{"status":"Accepted"}]',
        '[2,"1","GetConfiguration",{"key":["AuthorizationKey"]}]',
        '[2,"1","DataTransfer",{"vendorId":"\\u00e5","data":"{\\"a\\": 1}"}]',
        "nonsense \\u12",
    ],
)
def test_a_message_without_secrets_stays_as_it_is(text: str) -> None:
    event = FrameReceived(1, text)
    assert Masks().apply(event) is event


def test_what_was_once_a_secret_is_hidden_everywhere_after() -> None:
    masks = Masks()
    frame = f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{KEY}"}}]'
    assert KEY not in recorded(FrameSent(1, frame), masks)
    assert recorded(Noted(f"came {KEY}, expected none"), masks) == json.dumps(
        {"text": "came ***, expected none", "by": ""}
    )


def test_a_word_does_not_become_a_secret() -> None:
    masks = Masks()
    frame = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"Accepted"}]'
    assert "Accepted" not in recorded(FrameSent(1, frame), masks)
    assert "Accepted" in recorded(FrameReceived(1, '[3,"1",{"status":"Accepted"}]'), masks)


@pytest.mark.parametrize(
    "event",
    [
        Acted("modem", "Modem", "attach", {"apn": "x", "password": KEY}, None, None, 0.1),
        Acted("x", "X", "get", {"at": f"http://u:{KEY}@host"}, [{"secret": KEY}], None, 0.1),
        StationRefused(f"/ocpp/CP1?token={KEY}", "127.0.0.1:1", f"at ws://u:{KEY}@host/CP1"),
        StationConnected(1, "CP1", f"/ocpp/CP1?auth={KEY}", "127.0.0.1:1", ["ocpp1.6"]),
    ],
)
def test_a_secret_in_any_event_is_hidden(event: Event) -> None:
    assert KEY not in recorded(event)


def test_what_the_lab_keeps_secret_is_hidden_when_it_is_told() -> None:
    masks = Masks()
    masks.know("open sesame")
    masks.know("abc")  # in too many words
    said: Any = json.loads(recorded(Noted("open sesame, abc"), masks))
    assert said["text"] == "***, abc"


def test_the_password_of_a_handshake_is_hidden_and_a_word_is_not() -> None:
    masks = Masks()
    password = "Correct-Horse-47"
    for scheme, said in (("Basic", f"CP:{password}"), ("Basic", "CP:Accepted"), ("Bearer", "x:y")):
        masks.know_credentials(f"{scheme} {base64.b64encode(said.encode()).decode()}")
    masks.know_credentials("Basic ***")
    hexed = password.encode().hex()
    said = json.loads(recorded(Noted(f"{password} {hexed} {hexed.upper()} Accepted"), masks))
    assert said["text"] == "*** *** *** Accepted"
