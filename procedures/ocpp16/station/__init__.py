"""The cases for a charging station under test, one module per chapter of Appendix C."""

from bench.procedure import Suite, collect
from procedures.ocpp16 import restore
from procedures.ocpp16.station import (
    core_basic_non_happy,
    core_cold_boot,
    core_configuration,
    core_configuration_non_happy,
    core_offline,
    core_power_failure,
    core_remote_happy,
    core_reset,
    core_start_session,
    core_stop_session,
    core_unlock_non_happy,
    local_authorization_list,
    remote_trigger,
    reservation,
    smart_charging,
)

SUITE = Suite(
    name="OCPP 1.6 charging station",
    dut="charging-station",
    procedures=collect(
        restore,
        core_cold_boot,
        core_start_session,
        core_stop_session,
        core_remote_happy,
        core_reset,
        core_configuration,
        core_basic_non_happy,
        core_unlock_non_happy,
        core_power_failure,
        core_offline,
        core_configuration_non_happy,
        local_authorization_list,
        reservation,
        remote_trigger,
        smart_charging,
    ),
    reset=restore.basic_state_is_restored,
    first=("TC_019_CS",),
)
