"""The manual devices: what they ask, in which words, and what they don't ask twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bench.capability import Card, Cut, End, MeterReading, PilotFault
from bench.device import Action, Answer, Driver
from bench.errors import Unverifiable
from bench.metrology import Quantity
from bench.pictures import Picture
from drivers.manual import (
    MANUAL_CARDS,
    MANUAL_METER,
    MANUAL_NETWORK,
    MANUAL_POWER,
    ManualMeterSettings,
)
from drivers.manual_vehicle import MANUAL_COUPLER, MANUAL_VEHICLE, ManualVehicleSettings
from tests.contract.operator import Person

VALID = Card("valid", "04A1B2C3")


def made(driver: Driver, person: Person, **keys: Any) -> Any:
    return driver.make(driver.settings(**keys), person.context())


Act = Callable[[Any], Awaitable[None]]

PROMPTS: list[tuple[str, Driver, Act, str, Action]] = [
    (
        "plug in",
        MANUAL_COUPLER,
        lambda hand: hand.plug_in(1),
        "Plug the charging cable into connector 1 of the charging station and into the vehicle.",
        Action("VehicleCoupler", "plug_in", {"connector": 1}),
    ),
    (
        "unplug",
        MANUAL_COUPLER,
        lambda hand: hand.unplug(2),
        "Take the charging cable out of the vehicle and out of connector 2 of the charging "
        "station.",
        Action("VehicleCoupler", "unplug", {"connector": 2, "end": "both"}),
    ),
    (
        "unplug the vehicle",
        MANUAL_COUPLER,
        lambda hand: hand.unplug(1, end=End.VEHICLE),
        "Take the charging cable out of the vehicle; leave it in connector 1 of the charging "
        "station.",
        Action("VehicleCoupler", "unplug", {"connector": 1, "end": "vehicle"}),
    ),
    (
        "unplug the station",
        MANUAL_COUPLER,
        lambda hand: hand.unplug(1, end=End.STATION),
        "Take the charging cable out of connector 1 of the charging station; leave it in the "
        "vehicle.",
        Action("VehicleCoupler", "unplug", {"connector": 1, "end": "station"}),
    ),
    (
        "suspend",
        MANUAL_VEHICLE,
        lambda hand: hand.suspend(1),
        "Stop charging at the vehicle at connector 1 (with its own controls); leave the cable "
        "plugged in.",
        Action("VehicleEmulator", "suspend", {"connector": 1}),
    ),
    (
        "limit",
        MANUAL_VEHICLE,
        lambda hand: hand.draw(1, current=10.0),
        "Let the vehicle at connector 1 charge with at most 10 A per phase.",
        Action("VehicleEmulator", "draw", {"connector": 1, "current": 10.0, "ventilation": False}),
    ),
    (
        "fault",
        MANUAL_VEHICLE,
        lambda hand: hand.set_fault(1, PilotFault.CP_PE_SHORT),
        "At the tester in connector 1, short the control pilot to protective earth, and nothing "
        "else.",
        Action("VehicleEmulator", "set_fault", {"connector": 1, "fault": "cp-pe-short"}),
    ),
    (
        "present",
        MANUAL_CARDS,
        lambda hand: hand.present(VALID, connector=2),
        "Hold the card “valid” (idTag 04A1B2C3) to the reader of connector 2 until it has been "
        "read, then take it away.",
        Action(
            "CardPresenter",
            "present",
            {"card": "valid", "id_tag": "04A1B2C3", "connector": 2},
        ),
    ),
    (
        "on",
        MANUAL_POWER,
        lambda hand: hand.switch_on(),
        "Switch the supply of the charging station on.",
        Action("PowerSwitch", "switch_on", {}),
    ),
    (
        "off",
        MANUAL_POWER,
        lambda hand: hand.switch_off(),
        "Switch the supply of the charging station off.",
        Action("PowerSwitch", "switch_off", {}),
    ),
    (
        "cycle",
        MANUAL_POWER,
        lambda hand: hand.cycle(off_for=10.0),
        "Switch the supply of the charging station off, wait at least 10 s, and switch it on "
        "again.",
        Action("PowerSwitch", "cycle", {"off_for": 10.0}),
    ),
    (
        "cut",
        MANUAL_NETWORK,
        lambda hand: hand.cut(),
        "Break the network connection of the charging station so that it notices at once: pull "
        "its network cable, or switch off the access point or mobile network that it uses.",
        Action("NetworkPath", "cut", {"how": "reset"}),
    ),
    (
        "cut silently",
        MANUAL_NETWORK,
        lambda hand: hand.cut(Cut.DROP),
        "Break the network connection of the charging station silently: block its traffic, or "
        "pull a cable beyond the device that it is connected to, so that its own link stays up.",
        Action("NetworkPath", "cut", {"how": "drop"}),
    ),
    (
        "delay",
        MANUAL_NETWORK,
        lambda hand: hand.delay(1.5),
        "Delay the network traffic of the charging station by 1.5 s in each direction (network "
        "emulator).",
        Action("NetworkPath", "delay", {"seconds": 1.5}),
    ),
    (
        "throttle",
        MANUAL_NETWORK,
        lambda hand: hand.limit(5000.0),
        "Limit the network traffic of the charging station to 5000 bytes per second in each "
        "direction (network emulator).",
        Action("NetworkPath", "limit", {"bytes_per_second": 5000.0}),
    ),
]


@pytest.mark.parametrize(
    ("driver", "act", "text", "action"),
    [pytest.param(*rest, id=name) for name, *rest in PROMPTS],
)
async def test_the_words_of_a_prompt(driver: Driver, act: Act, text: str, action: Action) -> None:
    person = Person()
    await act(made(driver, person))
    (prompt,) = person.prompts
    assert prompt.kind == "confirm"
    assert prompt.text == text
    assert prompt.action == action
    assert json.loads(json.dumps(action.arguments)) == action.arguments


PICTURES = {
    "plug in": Picture.PLUG_IN,
    "unplug": Picture.UNPLUG,
    "unplug the vehicle": Picture.UNPLUG_VEHICLE,
    "unplug the station": Picture.UNPLUG_STATION,
    "suspend": Picture.STOP_CHARGING,
    "limit": None,
    "fault": Picture.SET_FAULT,
    "present": Picture.PRESENT_CARD,
    "on": Picture.MAINS_ON,
    "off": Picture.MAINS_OFF,
    "cycle": Picture.MAINS_CYCLE,
    "cut": Picture.PULL_NETWORK_CABLE,
    "cut silently": Picture.BLOCK_BEYOND,
    "delay": None,
    "throttle": None,
}


@pytest.mark.parametrize(
    ("name", "driver", "act"),
    [pytest.param(name, driver, act, id=name) for name, driver, act, *_ in PROMPTS],
)
async def test_the_picture_of_a_prompt(name: str, driver: Driver, act: Act) -> None:
    person = Person()
    await act(made(driver, person))
    assert person.last.picture is PICTURES[name]


@pytest.mark.parametrize(
    ("driver", "act"), [pytest.param(driver, act, id=name) for name, driver, act, *_ in PROMPTS]
)
async def test_what_could_not_be_done_is_unverifiable_with_the_comment(
    driver: Driver, act: Act
) -> None:
    person = Person(Answer(False, comment="cable is stuck"))
    hand = made(driver, person)
    with pytest.raises(Unverifiable, match="hand: the operator could not do it: cable is stuck"):
        await act(hand)
    await hand.make_safe()
    assert len(person.prompts) == 1, "what was not done needs no undoing"


@pytest.mark.parametrize(
    ("driver", "act"), [pytest.param(driver, act, id=name) for name, driver, act, *_ in PROMPTS]
)
async def test_nobody_answers(driver: Driver, act: Act) -> None:
    person = Person(Unverifiable)
    hand = made(driver, person)
    with pytest.raises(Unverifiable, match="not answered"):
        await act(hand)
    await hand.make_safe()
    assert len(person.prompts) == 1


MENDED = "Mend the network connection of the charging station: nothing broken, no delay, no limit."
UNDONE = {
    "plug in": "Take the charging cable out of the vehicle and out of connector 1 of the charging "
    "station.",
    "unplug the vehicle": "Take the charging cable out of connector 1 of the charging station.",
    "unplug the station": "Take the charging cable out of the vehicle.",
    "fault": "At the tester in connector 1, remove every fault.",
    "off": "Switch the supply of the charging station on.",
    "cut": MENDED,
    "cut silently": MENDED,
    "delay": MENDED,
    "throttle": MENDED,
}


@pytest.mark.parametrize(
    ("name", "driver", "act"),
    [pytest.param(name, driver, act, id=name) for name, driver, act, *_ in PROMPTS],
)
async def test_making_safe_undoes_once_what_was_done(name: str, driver: Driver, act: Act) -> None:
    person = Person()
    hand = made(driver, person)
    await hand.make_safe()
    assert person.prompts == []
    await act(hand)
    await hand.make_safe()
    await hand.make_safe()
    assert person.texts[1:] == ([UNDONE[name]] if name in UNDONE else [])


LEFT_BEHIND = pytest.mark.parametrize(
    ("name", "driver", "act"),
    [
        pytest.param(name, driver, act, id=name)
        for name, driver, act, *_ in PROMPTS
        if name in UNDONE
    ],
)


@LEFT_BEHIND
async def test_leaving_makes_safe(name: str, driver: Driver, act: Act) -> None:
    person = Person()
    async with made(driver, person) as hand:
        await act(hand)
    assert person.texts[1:] == [UNDONE[name]]


@LEFT_BEHIND
async def test_a_refusal_to_undo_is_told_once(name: str, driver: Driver, act: Act) -> None:
    person = Person(True, False)
    hand = made(driver, person)
    with pytest.raises(Unverifiable, match="hand: the operator could not do it"):
        async with hand:
            await act(hand)
    assert person.texts[1:] == [UNDONE[name]]
    await hand.make_safe()
    assert len(person.prompts) == 2, "a refused prompt is not put again"


@LEFT_BEHIND
async def test_a_refusal_does_not_hide_the_error_before_it(
    name: str, driver: Driver, act: Act, caplog: pytest.LogCaptureFixture
) -> None:
    person = Person(True, Unverifiable)
    hand = made(driver, person)
    await act(hand)
    await hand.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert "not made safe on leaving: not answered" in caplog.text


@LEFT_BEHIND
async def test_a_cancelled_prompt_to_undo_is_put_again(name: str, driver: Driver, act: Act) -> None:
    person = Person(True, asyncio.CancelledError)
    hand = made(driver, person)
    await act(hand)
    with pytest.raises(asyncio.CancelledError):
        await hand.make_safe()
    await hand.make_safe()
    await hand.make_safe()
    assert len(person.prompts) == 3


@pytest.mark.parametrize(
    ("name", "driver", "act"),
    [pytest.param(name, driver, act, id=name) for name, driver, act, *_ in PROMPTS],
)
async def test_what_was_interrupted_is_undone(name: str, driver: Driver, act: Act) -> None:
    person = Person(asyncio.CancelledError)
    hand = made(driver, person)
    with pytest.raises(asyncio.CancelledError):
        await act(hand)
    await hand.make_safe()
    harmless = {"suspend", "limit"}
    assert len(person.prompts) == (1 if name in harmless else 2)
    await hand.make_safe()
    assert len(person.prompts) <= 2


async def test_the_cable_is_remembered() -> None:
    person = Person()
    hand = made(MANUAL_COUPLER, person)
    await hand.plug_in(1)
    await hand.plug_in(1)
    assert len(person.prompts) == 1
    assert await hand.is_plugged_in(1)
    await hand.unplug(1, end=End.VEHICLE)
    await hand.unplug(1, end=End.VEHICLE)
    assert len(person.prompts) == 2
    assert not await hand.is_plugged_in(1)
    await hand.unplug(1)
    assert person.texts[2:] == [
        "Take the charging cable out of connector 1 of the charging station."
    ]
    await hand.unplug(1)
    await hand.unplug(1, end=End.STATION)
    assert len(person.prompts) == 3
    assert not await hand.is_plugged_in(1)
    await hand.plug_in(2)
    assert person.last.action == Action("VehicleCoupler", "plug_in", {"connector": 2})


async def test_two_cables_are_undone_one_by_one() -> None:
    person = Person()
    hand = made(MANUAL_COUPLER, person)
    await hand.plug_in(2)
    await hand.plug_in(1)
    await hand.make_safe()
    assert [prompt.action for prompt in person.prompts[2:]] == [
        Action("VehicleCoupler", "unplug", {"connector": 1, "end": "both"}),
        Action("VehicleCoupler", "unplug", {"connector": 2, "end": "both"}),
    ]


async def test_an_unknown_cable_is_asked_about() -> None:
    person = Person("yes", "no", "perhaps")
    hand = made(MANUAL_COUPLER, person)
    assert await hand.is_plugged_in(1)
    assert not await hand.is_plugged_in(1)
    assert not await hand.is_plugged_in(1)
    assert len(person.prompts) == 2, "a cable that is out stays out until it is plugged in"
    prompt = person.last
    assert (prompt.kind, prompt.options) == ("choose", ("yes", "no"))
    assert prompt.text == "Is a vehicle plugged in at connector 1 of the charging station?"
    assert prompt.action == Action("VehicleCoupler", "is_plugged_in", {"connector": 1})
    with pytest.raises(Unverifiable, match="hand: 'perhaps', expected yes or no"):
        await hand.is_plugged_in(2)


async def test_a_real_vehicle_asks_for_energy_by_itself() -> None:
    person = Person()
    hand = made(MANUAL_VEHICLE, person)
    await hand.draw(1)
    assert person.prompts == []
    await hand.suspend(1)
    await hand.draw(1)
    assert person.texts[1:] == [
        "Let the vehicle at connector 1 ask for energy (start charging at the vehicle)."
    ]
    await hand.draw(1)
    assert len(person.prompts) == 2


async def test_a_tester_plug_has_to_be_told() -> None:
    person = Person()
    hand = made(MANUAL_VEHICLE, person, asks_by_itself=False)
    await hand.draw(1)
    assert person.last.action == Action(
        "VehicleEmulator", "draw", {"connector": 1, "current": None, "ventilation": False}
    )
    assert ManualVehicleSettings().asks_by_itself


async def test_ventilation_is_asked_for_and_taken_back() -> None:
    person = Person()
    hand = made(MANUAL_VEHICLE, person)
    await hand.draw(1, ventilation=True)
    await hand.draw(1, ventilation=True)
    await hand.draw(1)
    await hand.draw(1)
    ask = "Let the vehicle at connector 1 ask for energy (start charging at the vehicle)."
    assert person.texts == [
        f"{ask} Let it ask for ventilation too (state D at the tester).",
        f"{ask} Let it ask for no ventilation any more (state C at the tester).",
    ]
    assert person.last.action == Action(
        "VehicleEmulator", "draw", {"connector": 1, "current": None, "ventilation": False}
    )
    person.answers.append(False)
    with pytest.raises(Unverifiable, match="could not do it"):
        await hand.draw(1, ventilation=True)
    await hand.draw(1)
    assert len(person.prompts) == 3, "the vehicle is as it was"


async def test_a_limit_is_taken_away_again() -> None:
    person = Person()
    hand = made(MANUAL_VEHICLE, person)
    await hand.draw(1, current=10.0)
    await hand.draw(1)
    await hand.draw(1)
    assert person.texts[1:] == [
        "Let the vehicle at connector 1 charge with as much current as the charging station offers."
    ]


async def test_faults_replace_each_other_and_go() -> None:
    person = Person()
    hand = made(MANUAL_VEHICLE, person)
    await hand.set_fault(1, PilotFault.NONE)
    assert person.prompts == []
    for fault in PilotFault:
        if fault is not PilotFault.NONE:
            await hand.set_fault(1, fault)
    assert len(set(person.texts)) == len(PilotFault) - 1
    await hand.set_fault(1, PilotFault.NONE)
    await hand.set_fault(1, PilotFault.NONE)
    await hand.make_safe()
    assert len(person.prompts) == len(PilotFault)


async def test_nobody_measures_a_pilot_by_hand() -> None:
    person = Person()
    with pytest.raises(Unverifiable, match="hand: an operator can't measure the control pilot"):
        await made(MANUAL_VEHICLE, person).read_pilot(1)
    assert person.prompts == []


async def test_cards_are_presented_again_and_again() -> None:
    person = Person()
    hand = made(MANUAL_CARDS, person)
    await hand.present(VALID)
    await hand.present(VALID)
    assert len(person.prompts) == 2
    await hand.withdraw()
    assert len(person.prompts) == 2, "the card is away already"


async def test_a_meter_is_read() -> None:
    person = Person("7340,5", 1234.5)
    reading = await made(MANUAL_METER, person).read()
    assert reading == MeterReading((), (), Quantity(7340.5, "W"), Quantity(1234500.0, "Wh"))
    assert [prompt.kind for prompt in person.prompts] == ["enter", "enter"]
    assert person.texts == [
        "Read the energy meter: total active power in W.",
        "Read the energy meter: imported active energy in kWh.",
    ]
    assert [prompt.action for prompt in person.prompts] == [
        Action("PowerMeter", "read", {"quantity": "power", "unit": "W"}),
        Action("PowerMeter", "read", {"quantity": "energy_import", "unit": "kWh"}),
    ]


async def test_a_meter_that_shows_watt_hours() -> None:
    person = Person(-5, "1234")
    reading = await made(MANUAL_METER, person, energy_unit="Wh").read()
    assert reading.power == Quantity(-5.0, "W")
    assert reading.energy_import == Quantity(1234.0, "Wh")
    assert ManualMeterSettings().energy_unit == "kWh"


@pytest.mark.parametrize("typo", ["12.3.4", "", "about 5", None, True, "nan", "inf"])
async def test_a_reading_that_is_no_number_is_asked_for_again_once(typo: object) -> None:
    person = Person(typo, "5", "1")
    reading = await made(MANUAL_METER, person).read()
    assert reading.power.value == 5.0
    assert person.texts[1] == (
        f"“{typo}” is not a number. Read the energy meter: total active power in W."
    )
    person = Person(typo, typo)
    with pytest.raises(Unverifiable) as caught:
        await made(MANUAL_METER, person).read()
    assert f"hand: “{typo}” is not a number." in str(caught.value)
    assert len(person.prompts) == 2


async def test_an_energy_register_is_not_negative() -> None:
    person = Person("0", "-1", "0")
    reading = await made(MANUAL_METER, person).read()
    assert reading.energy_import.value == 0.0
    assert person.texts[2].startswith("“-1” is less than 0. Read the energy meter")


async def test_the_supply_is_remembered() -> None:
    person = Person("yes")
    hand = made(MANUAL_POWER, person)
    assert await hand.is_on()
    assert person.last.action == Action("PowerSwitch", "is_on", {})
    await hand.switch_off()
    await hand.switch_off()
    assert not await hand.is_on()
    await hand.switch_on()
    await hand.switch_on()
    assert await hand.is_on()
    await hand.cycle(off_for=10.0)
    await hand.cycle(off_for=10.0)
    assert await hand.is_on()
    assert len(person.prompts) == 5


async def test_the_network_is_remembered() -> None:
    person = Person("no")
    hand = made(MANUAL_NETWORK, person)
    await hand.restore()
    await hand.delay(0.0)
    assert person.prompts == []
    assert not await hand.is_cut()
    await hand.cut(Cut.DROP)
    await hand.cut(Cut.DROP)
    assert await hand.is_cut()
    assert len(person.prompts) == 2
    await hand.restore()
    await hand.restore()
    assert not await hand.is_cut()
    assert len(person.prompts) == 3
    await hand.delay(2.0)
    await hand.delay(0.0)
    await hand.delay(0.0)
    await hand.restore()
    assert len(person.prompts) == 5
    await hand.limit(None)
    await hand.limit(100.0)
    await hand.limit(None)
    await hand.limit(None)
    await hand.restore()
    assert len(person.prompts) == 7
    assert person.texts[-1] == "Take away the limit of the charging station's network traffic."


async def test_it_says_that_it_is_a_person() -> None:
    for driver in (MANUAL_COUPLER, MANUAL_VEHICLE, MANUAL_CARDS, MANUAL_METER, MANUAL_POWER):
        assert (await made(driver, Person()).identify()).model == "operator"
