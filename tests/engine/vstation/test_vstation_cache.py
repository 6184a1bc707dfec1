"""The authorization cache and the keys that govern it."""

from __future__ import annotations

import pytest

from stations import authorization
from stations.authorization import AuthorizationCache, IdTagInfo
from stations.clock import Clock
from stations.storage import Store
from tests.engine.vstation.rig import VISA, Csms, Rig, rig

PRE = {"LocalPreAuthorize": "true"}


async def _session(r: Rig) -> None:
    await r.charging()
    r.present(VISA)
    await r.csms.expect("StopTransaction")
    await r.csms.status(1, "Finishing")
    r.evse.unplug()
    await r.csms.status(1, "Available")


async def test_a_cached_card_starts_without_asking() -> None:
    async with rig(keys=PRE) as r:
        await r.booted()
        await _session(r)
        await _session(r)
        assert len(r.csms.calls("Authorize")) == 1
        assert await r.csms.status_of("ClearCache") == "Accepted"
        await _session(r)
        assert len(r.csms.calls("Authorize")) == 2


@pytest.mark.parametrize(
    "keys",
    [{"LocalPreAuthorize": "false"}, PRE | {"AuthorizationCacheEnabled": "false"}],
)
async def test_a_card_is_asked_about_each_time(keys: dict[str, str]) -> None:
    async with rig(keys=keys) as r:
        await r.booted()
        await _session(r)
        await _session(r)
        assert len(r.csms.calls("Authorize")) == 2


async def test_without_a_cache_there_is_nothing_to_clear() -> None:
    async with rig(keys={"AuthorizationCacheEnabled": "false"}) as r:
        await r.booted()
        assert await r.csms.status_of("ClearCache") == "Rejected"


async def test_the_answer_to_the_start_and_the_stop_update_the_cache() -> None:
    csms = Csms()
    async with rig(csms=csms, keys=PRE) as r:
        await r.booted()
        csms.answers["StopTransaction"] = {"idTagInfo": {"status": "Blocked"}}
        await _session(r)
        del csms.answers["StopTransaction"]
        await _session(r)
        assert len(csms.calls("Authorize")) == 2


async def test_remote_starts_use_the_cache_as_well() -> None:
    async with rig(keys=PRE) as r:
        await r.booted()
        await _session(r)
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        await r.csms.status_of("RemoteStartTransaction", connectorId=1, idTag=VISA)
        await r.csms.expect("StartTransaction", idTag=VISA)
        await r.csms.status(1, "Charging")
        assert len(r.csms.calls("Authorize")) == 1


async def test_an_entry_expires() -> None:
    clock = Clock(milliseconds=True)
    clock.synchronise("2030-01-01T00:00:00Z")
    cache = AuthorizationCache(Store(), clock)
    cache.learn("a", IdTagInfo("Accepted", expiry="2030-01-01T00:00:05Z"))
    assert cache.look_up("A") == IdTagInfo("Accepted", expiry="2030-01-01T00:00:05Z")
    clock.synchronise("2030-01-01T00:00:06Z")
    entry = cache.look_up("a")
    assert entry is not None
    assert entry.status == "Expired"


async def test_a_full_cache_forgets_the_refused_and_then_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authorization, "_ROOM", 3)
    store = Store()
    cache = AuthorizationCache(store, Clock(milliseconds=True))
    for tag, status in (("1", "Accepted"), ("2", "Blocked"), ("3", "Accepted"), ("4", "Accepted")):
        cache.learn(tag, IdTagInfo(status))
    cache.learn("5", IdTagInfo("Accepted"))
    again = AuthorizationCache(store, Clock(milliseconds=True))
    assert [tag for tag in "12345" if again.look_up(tag)] == ["3", "4", "5"]
