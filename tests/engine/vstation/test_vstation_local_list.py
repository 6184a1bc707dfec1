"""The local authorization list: what it takes, what it keeps, and what it is good for."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.vstation.rig import AMEX, STRANGER, VISA, Csms, Rig, rig

PROFILES = ("Core", "LocalAuthListManagement", "RemoteTrigger")
ACCEPTED = {"status": "Accepted"}


def listing(**options: Any) -> AbstractAsyncContextManager[Rig]:
    return rig(profiles=PROFILES, **options)


def entry(id_tag: str, **info: Any) -> dict[str, Any]:
    return {"idTag": id_tag, "idTagInfo": ACCEPTED | info}


async def send(r: Rig, version: int, *entries: dict[str, Any], update: str = "Full") -> str:
    return await r.csms.status_of(
        "SendLocalList",
        listVersion=version,
        updateType=update,
        localAuthorizationList=list(entries),
    )


async def version(r: Rig) -> int:
    return int((await r.csms.call("GetLocalListVersion"))["listVersion"])


async def test_a_full_update_replaces_and_a_differential_one_changes_the_list() -> None:
    async with listing() as r:
        await r.booted()
        assert await version(r) == 0
        assert await send(r, 3, entry("a"), entry("b")) == "Accepted"
        assert await version(r) == 3
        assert await send(r, 4, {"idTag": "A"}, update="Differential") == "Accepted"
        assert await version(r) == 4
        # The last entry goes: the list is empty, whatever the version.
        assert await send(r, 5, {"idTag": "B"}, update="Differential") == "Accepted"
        assert await version(r) == 0
        assert await send(r, 2, entry("a")) == "Accepted"
        assert await version(r) == 2


async def test_a_differential_update_must_be_newer_than_the_list() -> None:
    async with listing() as r:
        await r.booted()
        assert await send(r, 5, entry("a")) == "Accepted"
        for old in (4, 5):
            assert await send(r, old, entry("b"), update="Differential") == "VersionMismatch"
        assert await version(r) == 5


@pytest.mark.parametrize(
    ("number", "entries"),
    [
        (0, [entry("a")]),
        (-1, [entry("a")]),
        (2, [entry("a"), entry("A")]),
        (2, [{"idTag": "a"}]),
        (2, [entry(f"tag-{n}") for n in range(21)]),
    ],
    ids=["version 0", "version -1", "twice the same", "without idTagInfo", "too many"],
)
async def test_an_update_that_is_wrong_fails_and_changes_nothing(
    number: int, entries: list[dict[str, Any]]
) -> None:
    async with listing() as r:
        await r.booted()
        assert await send(r, 7, entry("kept")) == "Accepted"
        assert await send(r, number, *entries) == "Failed"
        assert await version(r) == 7


async def test_the_list_has_room_for_so_many_entries() -> None:
    async with listing() as r:
        await r.booted()
        for number in range(1, 6):
            part = [entry(f"tag-{number}-{n}") for n in range(10)]
            assert await send(r, number, *part, update="Differential") == "Accepted"
        assert await send(r, 6, entry("one more"), update="Differential") == "Failed"
        assert await version(r) == 5


async def test_a_list_that_is_switched_off_is_not_there() -> None:
    async with listing(keys={"LocalPreAuthorize": "true"}) as r:
        await r.booted()
        await send(r, 1, entry(VISA))
        await r.csms.configure(LocalAuthListEnabled="false")
        assert await version(r) == -1
        assert await send(r, 2, entry(AMEX)) == "NotSupported"
        r.evse.plug_in()
        r.present(VISA)
        await r.csms.expect("Authorize", idTag=VISA)


async def test_without_the_profile_there_are_no_keys() -> None:
    async with rig() as r:
        await r.booted()
        keys = ["LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength"]
        assert (await r.csms.call("GetConfiguration", key=keys))["unknownKey"] == keys
        assert await r.csms.error_of("GetLocalListVersion") == "NotSupported"


async def test_a_listed_card_starts_without_asking_and_is_not_cached(tmp_path: Path) -> None:
    async with listing(folder=tmp_path, keys={"LocalPreAuthorize": "true"}) as r:
        await r.booted()
        await send(r, 1, entry(VISA))
        await r.charging()
        assert not r.csms.calls("Authorize")
        r.present(VISA)
        await r.csms.expect("StopTransaction")
        await r.csms.status(1, "Finishing")
        r.evse.unplug()
        await r.csms.status(1, "Available")
        r.csms.claim("StatusNotification")
        await send(r, 1)
        # What the CSMS said of a listed card went nowhere else.
        await r.charging()
        assert len(r.csms.calls("Authorize")) == 1


async def test_the_list_comes_before_the_cache() -> None:
    async with listing(keys={"LocalPreAuthorize": "true"}) as r:
        await r.booted()
        r.present(STRANGER)
        await r.csms.expect("Authorize", idTag=STRANGER)
        await send(r, 1, entry(STRANGER))
        r.evse.plug_in()
        r.present(STRANGER)
        await r.csms.expect("StartTransaction", idTag=STRANGER)
        assert len(r.csms.calls("Authorize")) == 1


async def test_a_listed_card_that_is_blocked_or_past_its_date_does_not_start_offline() -> None:
    csms = Csms()
    async with listing(csms=csms, keys={"AllowOfflineTxForUnknownId": "true"}) as r:
        await r.booted()
        past = "2020-01-01T00:00:00Z"
        await send(r, 1, entry(VISA, status="Blocked"), entry(AMEX, expiryDate=past))
        async with csms.offline():
            r.evse.plug_in()
            for card in (VISA, AMEX):
                r.present(card)
                await asyncio.sleep(3)
                assert not r.evse.closed


async def test_the_list_survives_a_power_loss() -> None:
    async with listing(keys={"LocalPreAuthorize": "true"}) as r:
        await r.booted()
        await send(r, 9, entry(VISA))
        await r.power_off()
        r.power_on()
        await r.booted()
        assert await version(r) == 9
        await r.charging()
        assert not r.csms.calls("Authorize")


async def test_a_conflict_between_list_and_csms_is_told() -> None:
    async with listing(keys={"LocalPreAuthorize": "true"}) as r:
        await r.booted()
        await send(r, 1, entry(STRANGER))
        r.evse.plug_in()
        r.present(STRANGER)
        await r.csms.expect("StartTransaction", idTag=STRANGER)
        await r.csms.status(0, "Available", errorCode="LocalListConflict")
        await r.csms.expect("StopTransaction", reason="DeAuthorized")
        # What the CSMS said does not change the list.
        assert await version(r) == 1


async def test_an_update_fails_while_the_memory_does_not_take_it() -> None:
    async with listing() as r:
        await r.booted()
        await send(r, 1, entry(VISA))
        r.electronics.list_storage_works = False
        assert await send(r, 2, entry(AMEX)) == "Failed"
        r.electronics.list_storage_works = True
        assert await version(r) == 1
        assert await send(r, 2, entry(AMEX)) == "Accepted"
