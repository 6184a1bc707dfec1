"""Core: configuration, happy flow (Certification Document 2, Appendix C no. 28 to 31)."""

from __future__ import annotations

from bench.case import Case
from bench.ocpp import v16
from bench.ocpp.match import result
from bench.ocpp.message import Received
from bench.ocpp.predicate import ABSENT, absent, any_of, matching, present
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import claims, states
from procedures.ocpp16.configuration_keys import KEYS, PROFILES, number

NONE_UNKNOWN = any_of(absent, [])


@procedure(
    "TC_019_CS",
    title="Retrieve configuration",
    mark="M",
    refs=["Certification Document 2, App. C no. 28", "OCPP 1.6 ed. 2 clauses 5.8, 9"],
)
async def every_configuration_key_can_be_read(case: Case, station: Station) -> None:
    """The station has the keys of its feature profiles, with the access rights they must have.

    It lists them all, as the product's PICS states them, and it knows every key that it lists when
    it is asked by name. All keys are looked at before the verdict, so that one run shows all
    defects.
    """
    async with case.step("Ask for the feature profiles"):
        key = "SupportedFeatureProfiles"
        alone = result(configurationKey=[{"key": key, "value": present}], unknownKey=NONE_UNKNOWN)
        answer = await station.call(v16.GetConfiguration(key=[key]), alone)
        _check_profiles(case, answer)

    async with case.step("Ask for all keys"):
        answer = await station.call(v16.GetConfiguration(), result(configurationKey=present))
        _check_keys(case, answer)
        claims.compare(case, answer)
        names = [str(key.get("key")) for key in claims.listed(answer)]

    async with case.step("Ask how many keys one request may name"):
        key = "GetConfigurationMaxKeys"
        answer = await station.call(v16.GetConfiguration(key=[key]))
        most = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", most, matching(r"[1-9]\d{0,8}"))

    async with case.step(f"Ask for every key by name, {most.value} at a time"):
        size = int(most.value)
        for first in range(0, len(names), size):
            await _ask_by_name(case, station, names[first : first + size])


def _check_profiles(case: Case, answer: Received) -> None:
    value = answer.field("configurationKey[0].value")
    for item, profile in PROFILES.items():
        claimed = case.pics.get(item)
        if claimed is None:
            continue
        verb = "has" if claimed else "lacks"
        wanted = rf"(.*,)?\s*{profile}\s*(,.*)?"
        text = f"GetConfiguration answer, SupportedFeatureProfiles {verb} {profile} as claimed"
        case.check(text, value, matching(wanted if claimed else rf"(?!{wanted}$).*"), fatal=False)


def _check_keys(case: Case, answer: Received) -> None:
    claimed = {PROFILES[item] for item in PROFILES if case.pics.get(item)} | {"Core"}
    for key in KEYS:
        path = f"configurationKey[key={key.name}]"
        if answer.field(path).value is not ABSENT:
            text = f"GetConfiguration answer, value of {key.name}"
            case.check(text, answer.field(f"{path}.value"), key.value, fatal=False)
        elif not key.required or key.profile not in claimed:
            continue
        text = f"GetConfiguration answer, readonly of {key.name}"
        case.check(text, answer.field(f"{path}.readonly"), key.readonly, fatal=False)


async def _ask_by_name(case: Case, station: Station, names: list[str]) -> None:
    answer = await station.call(v16.GetConfiguration(key=names))
    unknown = answer.field("unknownKey")
    case.check("GetConfiguration answer, unknownKey", unknown, NONE_UNKNOWN, fatal=False)
    for name in names:
        key = answer.field(f"configurationKey[key={name}].key")
        case.check(f"GetConfiguration answer, key {name}", key, name, fatal=False)


@procedure(
    "TC_021_CS",
    title="Change configuration",
    mark="M",
    refs=["Certification Document 2, App. C no. 31", "OCPP 1.6 ed. 2 clauses 5.3, 5.8"],
)
async def changed_configuration_is_read_back(case: Case, station: Station) -> None:
    """A configuration key that was changed has its new value at once."""
    key, value = "MeterValueSampleInterval", case.pixit.timing.meter_interval

    async with case.preamble():
        await states.configured(case, station, key, 0)

    async with case.step(f"Set {key} to {value}"):
        await states.written(station, key, value)

    async with case.step(f"Read {key} back"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        read = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", read, number(value))
