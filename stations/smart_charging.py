"""The feature profile SmartCharging: what is answered to its CALLs (clauses 5.5, 5.7, 5.16)."""

from __future__ import annotations

from collections.abc import Mapping

from stations.charging_profiles import ChargingProfiles
from stations.conduct import Behaviour
from stations.configuration import Configuration
from stations.connector import Connector
from stations.messages import Answer, Handler, Payload
from stations.schedules import well_formed
from stations.transactions import Transaction

UNITS: Mapping[str, str] = {"A": "Current", "W": "Power"}
"""How ChargingScheduleAllowedChargingRateUnit names the units (errata sheet 4.0 clause 3.86)."""


class SmartCharging:
    """Decide which charging profiles are taken, and tell what they make together."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        profiles: ChargingProfiles,
        configuration: Configuration,
        behaviour: Behaviour,
    ) -> None:
        self._connectors = connectors
        self._profiles = profiles
        self._configuration = configuration
        self._behaviour = behaviour
        self.handlers: Mapping[str, Handler] = {
            "ClearChargingProfile": self._clear,
            "GetCompositeSchedule": self._composite,
            "SetChargingProfile": self._set,
        }

    def takes_with_remote_start(self, profile: Payload) -> bool:
        """Tell whether a remote start may bring this profile (clause 5.16.2)."""
        if not self._behaviour.checks_remote_profile:
            return True
        is_for_transaction = profile["chargingProfilePurpose"] == "TxProfile"
        return is_for_transaction and "transactionId" not in profile and self._fits(profile)

    def _set(self, payload: Payload) -> Answer:
        number, profile = payload["connectorId"], payload["csChargingProfiles"]
        if number != 0 and number not in self._connectors:
            text = f"connectorId {number}, expected 0 to {len(self._connectors)}"
            return Answer(error="PropertyConstraintViolation", description=text)
        transaction = self._transaction(number)
        purpose = profile["chargingProfilePurpose"]
        fits = (
            self._fits(profile)
            and {
                "ChargePointMaxProfile": number == 0,
                "TxDefaultProfile": True,
                "TxProfile": number != 0 and self._concerns(profile, transaction),
            }[purpose]
        )
        most = self._configuration.number("MaxChargingProfilesInstalled")
        if not fits or self._profiles.count_with(number, profile) > most:
            return Answer({"status": "Rejected"})
        for_transaction = transaction if purpose == "TxProfile" else None

        def install() -> None:
            self._profiles.install(number, profile, for_transaction)
            if purpose == "TxDefaultProfile" and self._behaviour.default_stops_running:
                for connector in self._connectors.values():
                    if connector.transaction is not None:
                        connector.stop("Other")

        return Answer({"status": "Accepted"}, then=install)

    def _clear(self, payload: Payload) -> Answer:
        found = self._profiles.matching(payload)
        if not found:
            return Answer({"status": "Unknown"})
        return Answer({"status": "Accepted"}, then=lambda: self._profiles.remove(found))

    def _composite(self, payload: Payload) -> Answer:
        number, unit = payload["connectorId"], payload.get("chargingRateUnit", "A")
        known = number == 0 or number in self._connectors
        if not known or not self._allows(unit):
            return Answer({"status": "Rejected"})
        schedule = self._profiles.composite(number, payload["duration"], unit)
        return Answer({"status": "Accepted"} | schedule)

    def _transaction(self, number: int) -> Transaction | None:
        connector = self._connectors.get(number)
        return None if connector is None else connector.transaction

    def _concerns(self, profile: Payload, transaction: Transaction | None) -> bool:
        """Tell whether a TxProfile is for the transaction that runs, if one does."""
        needs = self._behaviour.tx_profile_needs
        if transaction is None:
            return "transaction" not in needs
        wanted = profile.get("transactionId", transaction.transaction_id)
        return wanted == transaction.transaction_id or "transactionId" not in needs

    def _fits(self, profile: Payload) -> bool:
        schedule = profile["chargingSchedule"]
        periods = len(schedule["chargingSchedulePeriod"])
        return (
            profile["stackLevel"] <= self._configuration.number("ChargeProfileMaxStackLevel")
            and periods <= self._configuration.number("ChargingScheduleMaxPeriods")
            and self._allows(schedule["chargingRateUnit"])
            and well_formed(profile)
        )

    def _allows(self, unit: str) -> bool:
        return UNITS[unit] in self._configuration.items("ChargingScheduleAllowedChargingRateUnit")
