"""Defects show on the wire of a station alone, and the good station shows none of them.

That every defect is caught by its case is shown by `tests/procedures/test_seen_to_fail.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import Any, Protocol

import pytest

from bench.ocpp.frame import Call, CallResult
from stations.conduct import Behaviour, Conduct
from stations.defects import DEFECTS, find
from tests.engine.vstation.rig import AMEX, STRANGER, VISA, Csms, Rig, rig


class Start(Protocol):
    """Power up a station with the defect, or the good one."""

    def __call__(self, **options: Any) -> AbstractAsyncContextManager[Rig]: ...


Scene = Callable[[Start], Awaitable[bool]]
SCENES: dict[str, Scene] = {}
"""By defect: play a scene and tell whether the defect showed."""


def shows(*names: str) -> Callable[[Scene], Scene]:
    def keep(scene: Scene) -> Scene:
        SCENES.update(dict.fromkeys(names, scene))
        return scene

    return keep


def test_the_table_of_defects_is_sound() -> None:
    names = [defect.name for defect in DEFECTS]
    assert len(names) == len(set(names))
    assert set(names) >= set(SCENES)
    for defect in DEFECTS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", defect.name)
        assert defect.text.endswith(".")
        assert defect.reason
        assert defect.behaviour or defect.calls or defect.answers


def test_defects_of_one_kind_add_up_in_any_order() -> None:
    kept = ["soft-reset-forgets-availability", "hard-reset-forgets-availability"]
    chatty = ["heartbeat-while-pending", "heartbeat-while-rejected"]
    for names in ([*kept, *chatty], [*reversed(chatty), *reversed(kept)]):
        behaviour = Conduct(map(find, names)).behaviour
        assert behaviour.keeps_availability_over == {"power"}
        assert behaviour.chats_while == {"Pending", "Rejected"}
        assert behaviour.reports_after == Behaviour().reports_after


def test_an_unknown_defect_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="no defect named 'sleepy', expected one of mute, "):
        find("sleepy")


# 000_RESET


@shows("mute")
async def _mute(start: Start) -> bool:
    async with start() as r:
        await r.csms.connected(1)
        await asyncio.sleep(30)
        return not r.csms.heard


@shows("operative-refused")
async def _operative(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        change = {"connectorId": 0, "type": "Inoperative"}
        assert await r.csms.status_of("ChangeAvailability", **change) == "Accepted"
        change = {"connectorId": 0, "type": "Operative"}
        return await r.csms.status_of("ChangeAvailability", **change) == "Rejected"


@shows("cache-not-cleared")
async def _clear(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        return await r.csms.status_of("ClearCache") == "Rejected"


@shows("zero-interval-refused")
async def _zero(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        await r.csms.configure(MeterValueSampleInterval="5")
        zero = {"key": "MeterValueSampleInterval", "value": "0"}
        return await r.csms.status_of("ChangeConfiguration", **zero) == "Rejected"


# Resets


def _forgets(kind: str) -> Scene:
    async def scene(start: Start) -> bool:
        async with start() as r:
            await r.booted()
            await r.csms.status_of("ChangeAvailability", connectorId=1, type="Inoperative")
            await r.csms.status(1, "Unavailable")
            await r.csms.status_of("Reset", type=kind)
            await r.csms.expect("BootNotification")
            after = await r.csms.expect("StatusNotification", connectorId=1)
            return bool(after.payload["status"] == "Available")

    return scene


shows("hard-reset-forgets-availability")(_forgets("Hard"))
shows("soft-reset-forgets-availability")(_forgets("Soft"))


@shows("hard-reset-without-boot")
async def _no_boot(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        assert await r.csms.status_of("Reset", type="Hard") == "Accepted"
        await r.csms.connected(2)
        await r.csms.expect("StatusNotification", connectorId=1)
        return len(r.csms.calls("BootNotification")) == 1


@shows("hard-reset-without-effect")
async def _no_reset(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        assert await r.csms.status_of("Reset", type="Hard") == "Accepted"
        await asyncio.sleep(30)
        return r.csms.connections == 1


@shows("soft-reset-not-reported")
async def _no_report(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        assert await r.csms.status_of("Reset", type="Soft") == "Accepted"
        await r.csms.expect("BootNotification")
        await asyncio.sleep(20)
        return len(r.csms.calls("StatusNotification")) == 2


@shows("soft-reset-refused")
async def _soft_refused(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        return await r.csms.status_of("Reset", type="Soft") == "Rejected"


async def _hard_reset_of_a_transaction(start: Start) -> tuple[Any, list[str]]:
    async with start() as r:
        await r.booted()
        await r.charging()
        count = len(r.csms.heard)
        assert await r.csms.status_of("Reset", type="Hard") == "Accepted"
        await r.csms.expect("BootNotification")
        await asyncio.sleep(20)
        stops = r.csms.calls("StopTransaction")
        after = [h for h in r.csms.heard[count:] if h in r.csms.calls("StatusNotification")]
        statuses = [h.payload["status"] for h in after if h.payload["connectorId"] == 1]
        return stops[0].payload["reason"] if stops else None, statuses


@shows("hard-reset-reason-reboot")
async def _reboot(start: Start) -> bool:
    reason, _ = await _hard_reset_of_a_transaction(start)
    return bool(reason == "Reboot")


@shows("hard-reset-loses-stop")
async def _loses(start: Start) -> bool:
    return (await _hard_reset_of_a_transaction(start))[0] is None


@shows("hard-reset-overlooks-cable")
async def _overlooks(start: Start) -> bool:
    return (await _hard_reset_of_a_transaction(start))[1] == ["Available"]


# Boot


async def _boot_twice(start: Start, status: str) -> Csms:
    """Answer the first BootNotification with `status` and 30 s, the second with 12 s."""
    csms = Csms(interval=12)
    statuses = iter([(status, 30), ("Accepted", 12)])
    csms.answers["BootNotification"] = lambda _: csms.boot(*next(statuses))
    async with start(csms=csms):
        await csms.status(1, "Available")
        for _ in range(3):
            await csms.expect("Heartbeat")
        return csms


@shows("boot-retried-early")
async def _early(start: Start) -> bool:
    csms = await _boot_twice(start, "Rejected")
    first, second = csms.calls("BootNotification")
    return second.at - first.at < 29


@shows("heartbeat-while-rejected")
async def _beat_rejected(start: Start) -> bool:
    csms = await _boot_twice(start, "Rejected")
    return csms.actions()[1] == "Heartbeat"


@shows("heartbeat-while-pending")
async def _beat_pending(start: Start) -> bool:
    csms = await _boot_twice(start, "Pending")
    return csms.actions()[1] == "Heartbeat"


@shows("connector-zero-not-reported")
async def _zero_missing(start: Start) -> bool:
    async with start() as r:
        await r.csms.status(1, "Available")
        return not r.csms.calls("StatusNotification", connectorId=0)


async def _beat_gap(start: Start) -> float:
    csms = await _boot_twice(start, "Rejected")
    beats = [beat.at for beat in csms.calls("Heartbeat")]
    return beats[-1] - beats[-2]


@shows("heartbeat-slow")
async def _slow(start: Start) -> bool:
    return await _beat_gap(start) == pytest.approx(24, abs=1)


@shows("heartbeat-at-first-interval")
async def _first(start: Start) -> bool:
    return await _beat_gap(start) == pytest.approx(30, abs=1)


@shows("deaf-while-pending")
async def _deaf(start: Start) -> bool:
    csms = Csms()
    csms.answers["BootNotification"] = lambda _: csms.boot("Pending", 60)
    async with start(csms=csms):
        await csms.expect("BootNotification")
        try:
            await csms.call("GetConfiguration")
        except AssertionError:
            return True
        return False


@shows("pending-change-lost")
async def _lost(start: Start) -> bool:
    csms = Csms()
    statuses = iter(["Pending", "Accepted"])
    csms.answers["BootNotification"] = lambda _: csms.boot(next(statuses), 30)
    async with start(csms=csms):
        await csms.expect("BootNotification")
        await csms.configure(MeterValueSampleInterval="7")
        await csms.status(1, "Available")
        return await csms.value("MeterValueSampleInterval") != "7"


# Sessions


async def _plug_and_card(start: Start, card: str = VISA) -> Rig:
    async with start() as r:
        await r.booted()
        r.evse.plug_in()
        await asyncio.sleep(1)
        r.present(card)
        await asyncio.sleep(5)
        return r


def _statuses(r: Rig) -> list[str]:
    return [h.payload["status"] for h in r.csms.calls("StatusNotification", connectorId=1)]


@shows("start-without-authorize")
async def _no_authorize(start: Start) -> bool:
    csms = (await _plug_and_card(start)).csms
    return bool(csms.calls("StartTransaction")) and not csms.calls("Authorize")


@shows("start-with-reversed-tag")
async def _reversed(start: Start) -> bool:
    csms = (await _plug_and_card(start)).csms
    return bool(csms.calls("StartTransaction")[0].payload["idTag"] == "C3B2A104")


@shows("preparing-not-reported")
async def _no_preparing(start: Start) -> bool:
    statuses = _statuses(await _plug_and_card(start))
    assert statuses[-1] == "Charging"
    return "Preparing" not in statuses


@shows("charging-reported-as-suspended")
async def _suspended(start: Start) -> bool:
    return _statuses(await _plug_and_card(start))[-1] == "SuspendedEVSE"


@shows("invalid-card-starts")
async def _invalid(start: Start) -> bool:
    return bool((await _plug_and_card(start, STRANGER)).csms.calls("StartTransaction"))


@shows("invalid-card-starts-late")
async def _invalid_late(start: Start) -> bool:
    csms = (await _plug_and_card(start, STRANGER)).csms
    asked, started = csms.calls("Authorize")[0], csms.calls("StartTransaction")
    return bool(started) and started[0].at - asked.at > 0.9


@shows("card-forgotten-on-plug")
async def _card_forgotten(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        r.present(VISA)
        await r.csms.status(1, "Preparing")
        r.evse.plug_in()
        await asyncio.sleep(5)
        return not r.csms.calls("StartTransaction")


@shows("start-before-plug")
async def _before_plug(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        r.present(VISA)
        await asyncio.sleep(5)
        return bool(r.csms.calls("StartTransaction"))


async def _in_vain(start: Start, *, remote: bool) -> tuple[float | None, bool]:
    """Let nobody plug in; returns when Available came, and whether a transaction began."""
    async with start(keys={"ConnectionTimeOut": "20"}) as r:
        await r.booted()
        if remote:
            await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA)
        else:
            r.present(VISA)
        preparing = await r.csms.expect("StatusNotification", connectorId=1, status="Preparing")
        await asyncio.sleep(60)
        ended = r.csms.calls("StatusNotification", connectorId=1, status="Available")[1:]
        after = ended[0].at - preparing.at if ended else None
        return after, bool(r.csms.calls("StartTransaction"))


@shows("connection-timeout-missing")
async def _no_timeout(start: Start) -> bool:
    return await _in_vain(start, remote=False) == (None, False)


@shows("connection-timeout-halved")
async def _half_timeout(start: Start) -> bool:
    return (await _in_vain(start, remote=False))[0] == pytest.approx(10, abs=1)


@shows("start-on-connection-timeout")
async def _start_on_timeout(start: Start) -> bool:
    return (await _in_vain(start, remote=False))[1]


@shows("remote-start-timeout-missing")
async def _no_remote_timeout(start: Start) -> bool:
    return await _in_vain(start, remote=True) == (None, False)


@shows("remote-start-timeout-halved")
async def _half_remote_timeout(start: Start) -> bool:
    return (await _in_vain(start, remote=True))[0] == pytest.approx(10, abs=1)


async def _two_cards(start: Start) -> Csms:
    """During a transaction show a foreign card for 20 s, then the own."""
    async with start() as r:
        await r.booted()
        await r.charging()
        r.csms.heard.clear()
        r.present(AMEX)
        await asyncio.sleep(20)
        r.present(VISA)
        await asyncio.sleep(20)
        return r.csms


@shows("any-card-stops")
async def _any_card(start: Start) -> bool:
    stops = (await _two_cards(start)).calls("StopTransaction")
    return stops[0].payload["idTag"] == AMEX and len(stops) == 1


@shows("foreign-card-asked-about")
async def _asked_about(start: Start) -> bool:
    return bool((await _two_cards(start)).calls("Authorize", idTag=AMEX))


@shows("stop-with-last-card")
async def _last_card(start: Start) -> bool:
    began, stops = (
        asyncio.get_running_loop().time(),
        (await _two_cards(start)).calls("StopTransaction"),
    )
    return bool(stops[0].payload["idTag"] == AMEX and stops[0].at - began > 20)


@shows("own-card-does-not-stop")
async def _own_card(start: Start) -> bool:
    return not (await _two_cards(start)).calls("StopTransaction")


async def _vehicle_unplugged(start: Start) -> tuple[str | None, list[str]]:
    async with start() as r:
        await r.booted()
        await r.charging()
        count = len(_statuses(r))
        r.evse.unplug_vehicle()
        await asyncio.sleep(5)
        stops = r.csms.calls("StopTransaction")
        return stops[0].payload["reason"] if stops else None, _statuses(r)[count:]


@shows("disconnect-reason-local")
async def _disconnect_local(start: Start) -> bool:
    return await _vehicle_unplugged(start) == ("Local", ["Finishing"])


@shows("disconnect-ignored")
async def _disconnect_ignored(start: Start) -> bool:
    return await _vehicle_unplugged(start) == (None, ["SuspendedEV"])


@shows("disconnect-reported-available")
async def _disconnect_available(start: Start) -> bool:
    return await _vehicle_unplugged(start) == ("EVDisconnected", ["Available"])


# Remote


async def _remote_start(start: Start, *, plugged: bool) -> tuple[str, Csms]:
    async with start() as r:
        await r.booted()
        if plugged:
            r.evse.plug_in()
            await r.csms.status(1, "Preparing")
        answer = await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA)
        await asyncio.sleep(5)
        if not plugged:
            r.evse.plug_in()
            await asyncio.sleep(5)
        return answer, r.csms


@shows("remote-start-refused")
async def _remote_refused(start: Start) -> bool:
    return (await _remote_start(start, plugged=True))[0] == "Rejected"


@shows("remote-start-without-authorize")
async def _remote_no_authorize(start: Start) -> bool:
    answer, csms = await _remote_start(start, plugged=True)
    assert (answer, len(csms.calls("StartTransaction"))) == ("Accepted", 1)
    return not csms.calls("Authorize")


@shows("remote-start-without-effect")
async def _remote_no_effect(start: Start) -> bool:
    answer, csms = await _remote_start(start, plugged=True)
    return answer == "Accepted" and not csms.calls("StartTransaction")


@shows("remote-start-needs-plug")
async def _remote_needs_plug(start: Start) -> bool:
    assert (await _remote_start(start, plugged=True))[0] == "Accepted"
    return (await _remote_start(start, plugged=False))[0] == "Rejected"


@shows("remote-start-forgotten-on-plug")
async def _remote_forgotten(start: Start) -> bool:
    answer, csms = await _remote_start(start, plugged=False)
    assert (answer, len(csms.calls("StatusNotification", status="Preparing"))) == ("Accepted", 1)
    return not csms.calls("StartTransaction")


async def _remote_stop(start: Start) -> tuple[dict[str, Any] | None, list[str], Csms]:
    async with start() as r:
        await r.booted()
        number = await r.charging()
        count = len(_statuses(r))
        assert await r.csms.status_of("RemoteStopTransaction", transactionId=number) == "Accepted"
        await asyncio.sleep(10)
        stops = r.csms.calls("StopTransaction")
        return stops[0].payload if stops else None, _statuses(r)[count:], r.csms


@shows("remote-stop-reason-local")
async def _stop_local(start: Start) -> bool:
    stop, _, _ = await _remote_stop(start)
    return stop is not None and stop["reason"] == "Local"


@shows("remote-stop-without-effect")
async def _stop_no_effect(start: Start) -> bool:
    return (await _remote_stop(start))[0] is None


@shows("remote-stop-answered-late")
async def _stop_late(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        number = await r.charging()
        asked = asyncio.get_running_loop().time()
        await r.csms.send(Call("stop", "RemoteStopTransaction", {"transactionId": number}))
        await asyncio.sleep(150)
        (answer,) = [
            heard
            for heard in r.csms.heard
            if isinstance(heard.frame, CallResult) and heard.frame.message_id == "stop"
        ]
        return answer.at - asked > 60


@shows("remote-stop-of-another-transaction")
async def _stop_other(start: Start) -> bool:
    stop, _, csms = await _remote_stop(start)
    assert stop is not None
    return stop["transactionId"] == 502 and [f.monitor for f in csms.findings] == ["transaction"]


@shows("finishing-reported-as-available")
async def _finishing(start: Start) -> bool:
    return (await _remote_stop(start))[1] == ["Available"]


def _unlocks(status: str) -> Scene:
    async def scene(start: Start) -> bool:
        async with start() as r:
            await r.booted()
            assert await r.csms.status_of("UnlockConnector", connectorId=1) == "Unlocked"
            return await r.csms.status_of("UnlockConnector", connectorId=9) == status

    return scene


shows("unknown-connector-unlocked")(_unlocks("Unlocked"))
shows("unknown-connector-unlock-failed")(_unlocks("UnlockFailed"))


# Configuration


async def _listed(start: Start, *asked: str) -> dict[str, dict[str, Any]]:
    async with start() as r:
        await r.booted()
        answer = await r.csms.call("GetConfiguration", **({"key": list(asked)} if asked else {}))
        return {key["key"]: key for key in answer["configurationKey"]}


@shows("key-missing")
async def _key_missing(start: Start) -> bool:
    return "ResetRetries" not in await _listed(start)


@shows("key-wrongly-readonly")
async def _key_readonly(start: Start) -> bool:
    return (await _listed(start))["ClockAlignedDataInterval"]["readonly"] is True


@shows("key-wrongly-writable")
async def _key_writable(start: Start) -> bool:
    return (await _listed(start))["NumberOfConnectors"]["readonly"] is False


@shows("key-unknown-when-asked")
async def _key_unknown(start: Start) -> bool:
    assert "LocalPreAuthorize" in await _listed(start)
    return "LocalPreAuthorize" not in await _listed(start, "LocalPreAuthorize")


@shows("readonly-as-text")
async def _readonly_text(start: Start) -> bool:
    return bool((await _listed(start))["ResetRetries"]["readonly"] == "false")


def _changes(key: str, value: str, status: str, *, stores: bool | None = None) -> Scene:
    """Tell whether a ChangeConfiguration is answered so, and (not) stored if that matters."""

    async def scene(start: Start) -> bool:
        async with start() as r:
            await r.booted()
            answer = await r.csms.status_of("ChangeConfiguration", key=key, value=value)
            if stores is None or answer != status:
                return answer == status
            return stores == (await r.csms.value(key) == value)

    return scene


_INTERVAL = "MeterValueSampleInterval"
shows("configuration-not-stored")(_changes(_INTERVAL, "7", "Accepted", stores=False))
shows("configuration-needs-reboot")(_changes(_INTERVAL, "7", "RebootRequired"))
shows("unknown-key-rejected")(_changes("Testing", "true", "Rejected"))
shows("unknown-key-accepted")(_changes("Testing", "true", "Accepted"))
shows("negative-value-accepted")(_changes(_INTERVAL, "-1", "Accepted", stores=False))
shows("negative-value-not-supported")(_changes(_INTERVAL, "-1", "NotSupported"))


# Offline


async def _samples_offline(start: Start) -> tuple[list[str], Csms]:
    """Cut the line for 35 s of a transaction that is sampled every 10 s."""
    csms = Csms()
    async with start(csms=csms, keys={"MeterValueSampleInterval": "10"}) as r:
        await r.booted()
        await r.charging()
        await csms.expect("MeterValues")
        await asyncio.sleep(5)
        csms.heard.clear()
        async with csms.offline():
            await asyncio.sleep(35)
        await asyncio.sleep(15)
        times = [h.payload["meterValue"][0]["timestamp"] for h in csms.calls("MeterValues")]
        return times, csms


@shows("offline-samples-lost")
async def _samples_lost(start: Start) -> bool:
    return len((await _samples_offline(start))[0]) < 4


@shows("offline-samples-newest-first")
async def _samples_unordered(start: Start) -> bool:
    times, _ = await _samples_offline(start)
    return times != sorted(times)


@shows("offline-samples-restamped")
async def _samples_restamped(start: Start) -> bool:
    times, _ = await _samples_offline(start)
    assert len(times) >= 4
    return any(earlier[:21] == later[:21] for earlier, later in pairwise(times))


@shows("samples-sent-twice")
async def _samples_twice(start: Start) -> bool:
    times, _ = await _samples_offline(start)
    return len(times) != len(set(times))


@shows("samples-of-another-transaction")
async def _samples_other(start: Start) -> bool:
    _, csms = await _samples_offline(start)
    return {h.payload["transactionId"] for h in csms.calls("MeterValues")} == {502}


@shows("register-falls")
async def _falls(start: Start) -> bool:
    _, csms = await _samples_offline(start)
    return "register" in [finding.monitor for finding in csms.findings]


# What the monitors see


def _monitored(monitor: str, *others: str) -> Scene:
    """Tell whether a session makes this monitor find something, and none beside `others`."""

    async def scene(start: Start) -> bool:
        _, _, csms = await _remote_stop(start)
        found = {finding.monitor for finding in csms.findings}
        assert found <= {monitor, *others}, csms.findings
        return monitor in found

    return scene


shows("unknown-field", "wrong-type", "too-long")(_monitored("schema"))
shows("message-id-reused")(_monitored("message-id"))
shows("illegal-transition")(_monitored("status"))
shows("clock-ahead")(_monitored("timestamp-drift", "stop-time"))
shows("timestamp-without-zone")(_monitored("timestamp-format"))


@shows("calls-overlap")
async def _overlap(start: Start) -> bool:
    csms = Csms()
    csms.answers["StartTransaction"] = None
    async with start(csms=csms) as r:
        await r.booted()
        r.evse.plug_in()
        r.present(VISA)
        await csms.expect("StartTransaction")
        await asyncio.sleep(5)
        return csms.actions()[-1] != "StartTransaction"


@shows("answer-sent-twice")
async def _twice(start: Start) -> bool:
    async with start() as r:
        await r.booted()
        await r.csms.configure(MeterValueSampleInterval="7")
        await asyncio.sleep(1)
        answers = [h for h in r.csms.heard if isinstance(h.frame, CallResult)]
        return len(answers) == 2


@pytest.mark.parametrize("name", sorted(SCENES))
async def test_a_defect_shows_and_the_good_station_does_not_have_it(name: str) -> None:
    def good(**options: Any) -> AbstractAsyncContextManager[Rig]:
        return rig(**options)

    def broken(**options: Any) -> AbstractAsyncContextManager[Rig]:
        return rig(defects=[name], clean=False, **options)

    assert not await SCENES[name](good)
    assert await SCENES[name](broken)
