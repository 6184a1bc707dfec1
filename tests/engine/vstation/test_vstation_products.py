"""What makes a product another one: locks, readers, keys."""

from __future__ import annotations

import pytest

from stations.configuration import keys
from tests.engine.vstation.rig import VISA, rig, settings


async def test_a_socket_is_blocked_unless_somebody_may_charge() -> None:
    async with rig(blocks_plug=True, keys={"ConnectionTimeOut": "15"}) as r:
        await r.booted()
        assert r.evse.locked
        r.present(VISA)
        await r.csms.status(1, "Preparing")
        assert not r.evse.locked
        await r.csms.status(1, "Available")
        assert r.evse.locked, "nobody came"
        assert await r.csms.status_of("UnlockConnector", connectorId=1) == "Unlocked"
        assert r.evse.locked
        r.present(VISA)
        await r.csms.status(1, "Preparing")
        r.evse.plug_in()
        await r.csms.status(1, "Charging")
        r.present(VISA)
        await r.csms.status(1, "Finishing")
        assert not r.evse.locked
        r.evse.unplug()
        await r.csms.status(1, "Available")
        assert r.evse.locked


async def test_a_household_socket_feeds_a_plug_for_a_moment() -> None:
    async with rig(first_flow=5, fixed_cable=True) as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        assert r.evse.closed
        await r.csms.status(1, "Available")
        assert not r.evse.closed
        r.present(VISA)
        ready = await r.csms.status(1, "Preparing")
        charging = await r.csms.status(1, "Charging")
        assert ready.at <= charging.at
        assert r.evse.closed
        r.present(VISA)
        await r.csms.status(1, "Finishing")
        r.evse.unplug()
        await r.csms.status(1, "Available")


async def test_a_plug_that_is_out_again_is_not_fed() -> None:
    async with rig(first_flow=5, fixed_cable=True) as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        r.evse.unplug()
        await r.csms.status(1, "Available")
        assert not r.evse.closed
        await r.csms.nothing("StatusNotification", during=30)


async def test_a_card_in_the_first_flow_ends_it() -> None:
    async with rig(first_flow=60, fixed_cable=True) as r:
        await r.booted()
        r.evse.plug_in()
        await r.csms.status(1, "Preparing")
        r.present(VISA)
        await r.csms.status(1, "Charging")
        await r.csms.nothing("StatusNotification", during=90)
        assert r.evse.closed


async def test_a_plug_for_somebody_who_may_charge_is_not_fed_first() -> None:
    async with rig(first_flow=5, fixed_cable=True) as r:
        await r.booted()
        r.present(VISA)
        await r.csms.status(1, "Preparing")
        r.evse.plug_in()
        await r.csms.status(1, "Charging")
        assert len(r.csms.calls("StatusNotification", connectorId=1, status="Preparing")) == 1


async def test_a_card_may_start_and_not_stop() -> None:
    async with rig(local_stop=False) as r:
        await r.booted()
        await r.charging()
        r.present(VISA)
        await r.csms.nothing(during=30)


async def test_a_fixed_key_can_only_be_read() -> None:
    key = "StopTransactionOnEVSideDisconnect"
    async with rig(fixed_keys={key: "false"}) as r:
        await r.booted()
        answer = await r.csms.call("GetConfiguration", key=[key])
        assert answer["configurationKey"] == [{"key": key, "readonly": True, "value": "false"}]
        written = await r.csms.status_of("ChangeConfiguration", key=key, value="true")
        assert written == "Rejected"
        await r.charging()
        r.evse.unplug_vehicle()
        await r.csms.status(1, "SuspendedEV")


async def test_what_a_missing_key_switches_is_not_there() -> None:
    key = "AuthorizationCacheEnabled"
    async with rig(missing_keys=frozenset({key})) as r:
        await r.booted()
        assert (await r.csms.call("GetConfiguration", key=[key]))["unknownKey"] == [key]
        assert await r.csms.status_of("ClearCache") == "Rejected"


def test_a_fixed_key_needs_a_value_that_it_could_have() -> None:
    made = settings("ws://localhost/ocpp", fixed_keys={"ResetRetries": "many"})
    with pytest.raises(ValueError, match="ResetRetries='many'"):
        keys(made, 1)
