"""Core: configuration keys, non-happy flow (Certification Document 2, Appendix C no. 54, 55)."""

from __future__ import annotations

from bench.case import Case
from bench.errors import Unverifiable
from bench.ocpp import v16
from bench.ocpp.match import error, result
from bench.ocpp.predicate import ABSENT
from bench.ocpp.station import Station
from bench.procedure import procedure
from procedures.ocpp16 import states
from procedures.ocpp16.configuration_keys import number


@procedure(
    "TC_040_1_CS",
    title="Unknown configuration key",
    mark="M",
    refs=["Certification Document 2, App. C no. 54", "OCPP 1.6 ed. 2 clause 5.3"],
)
async def unknown_key_is_not_supported(case: Case, station: Station) -> None:
    """The station says of a configuration key that it does not have that it is not supported."""
    key = "Testing"

    async with case.preamble(), case.step(f"The station has no key named {key}"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        if answer.field(f"configurationKey[key={key}]").value is not ABSENT:
            raise Unverifiable(f"the station has a configuration key named {key}")

    async with case.step(f"Set {key} to true"):
        request = v16.ChangeConfiguration(key=key, value="true")
        await station.call(request, result(status="NotSupported"))


@procedure(
    "TC_040_2_CS",
    title="Invalid value",
    mark="M",
    refs=["Certification Document 2, App. C no. 55", "OCPP 1.6 ed. 2 clause 5.3"],
)
async def invalid_value_changes_nothing(case: Case, station: Station) -> None:
    """The station refuses a negative interval and keeps the value that it had."""
    key, value = "MeterValueSampleInterval", case.pixit.timing.meter_interval

    async with case.preamble():
        await states.configured(case, station, key, value)

    async with case.step(f"Set {key} to -1"):
        refusal = result(status="Rejected") | error("PropertyConstraintViolation")
        await station.call(v16.ChangeConfiguration(key=key, value="-1"), refusal)

    async with case.step(f"{key} still is {value}"):
        answer = await station.call(v16.GetConfiguration(key=[key]))
        read = answer.field(f"configurationKey[key={key}].value")
        case.check(f"GetConfiguration answer, value of {key}", read, number(value))
