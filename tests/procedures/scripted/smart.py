"""Smart charging for the scripted station, with the virtual station's calculator."""

from __future__ import annotations

from bench.ocpp.frame import CallError
from stations.charging_profiles import ChargingProfiles
from stations.clock import Clock
from stations.conduct import Behaviour
from stations.storage import Store
from stations.transactions import Transaction
from tests.procedures.scripted.station import Payload, ScriptedStation

KEYS = {
    "ChargeProfileMaxStackLevel": "1",
    "ChargingScheduleAllowedChargingRateUnit": "Power, Current",
    "ChargingScheduleMaxPeriods": "5",
    "MaxChargingProfilesInstalled": "3",
}

REJECT: Payload = {"status": "Rejected"}
VIOLATION = CallError("", "PropertyConstraintViolation")


class Smart:
    """Give the station the feature profile; `refusal` is how it refuses."""

    def __init__(self, station: ScriptedStation, *, current: float = 16.0) -> None:
        self.refusal: Payload | CallError = REJECT
        self._station = station
        self.profiles = ChargingProfiles(
            Store(),
            Clock(milliseconds=False),
            Behaviour(),
            self._running,
            current=current,
            connectors=2,
        )
        station.keys |= KEYS
        station.read_only |= set(KEYS)
        station.answers |= {
            "SetChargingProfile": self._set,
            "ClearChargingProfile": self._clear,
            "GetCompositeSchedule": self._composite,
            "RemoteStartTransaction": self._start,
        }

    def _running(self) -> list[Transaction]:
        number = self._station.running
        return [] if number is None else [Transaction(1, 1, "", None, number)]

    def _set(self, payload: Payload) -> Payload | CallError:
        profile = payload["csChargingProfiles"]
        if profile["chargingProfilePurpose"] == "TxProfile":
            if profile["transactionId"] != self._station.running:
                return self.refusal
        self.profiles.install(payload["connectorId"], profile, None)
        self.profiles.stop()
        return {"status": "Accepted"}

    def _clear(self, payload: Payload) -> Payload:
        found = self.profiles.matching(payload)
        self.profiles.remove(found)
        return {"status": "Accepted" if found else "Unknown"}

    def _composite(self, payload: Payload) -> Payload:
        number, duration = payload["connectorId"], payload["duration"]
        return {"status": "Accepted"} | self.profiles.composite(
            number, duration, payload["chargingRateUnit"]
        )

    def _start(self, payload: Payload) -> Payload | CallError:
        profile = payload.get("chargingProfile")
        if profile is not None:
            if profile["chargingProfilePurpose"] != "TxProfile":
                return self.refusal
            self.profiles.install(payload["connectorId"], profile, None)
            self.profiles.stop()
        return {"status": "Accepted"}
