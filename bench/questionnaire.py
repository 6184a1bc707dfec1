"""The PICS questionnaire: every question of Certification Document 2, Appendix A, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bench.answers import SECONDS, WHOLE, WORDS, YES_NO, AnswerKind, OneOf, SomeOf


@dataclass(frozen=True, slots=True)
class Question:
    """One question: the item's name, what is asked, what may be answered."""

    item: str
    text: str
    answer: AnswerKind = YES_NO
    only: str | None = None
    """The kind of DUT it is asked for, None: every kind."""


CS, CSMS = "charging-station", "csms"
_COMM = OneOf(("WiFi", "ethernet", "mobile"))

SECTIONS: Mapping[str, tuple[Question, ...]] = MappingProxyType(
    {
        "General information": (
            Question("GEN.mode12", "the product is of the subtype Mode 1/2-only", only=CS),
            Question("GEN.multi", "it has more than one socket or connector", only=CS),
            Question("GEN.fixed_cable", "its cable is fixed", only=CS),
            Question("GEN.ms", "its time stamps have milliseconds"),
            Question("GEN.comm", "how it is connected", _COMM),
            Question(
                "GEN.rfid",
                "which card readers it has",
                OneOf(("none", "single", "one per EVSE")),
                only=CS,
            ),
        ),
        "Optional features": (
            Question("C-02", "`AllowOfflineTxForUnknownId` is supported", only=CS),
            Question("C-03", "`MaxEnergyOnInvalidId` is supported", only=CS),
            Question("C-04", "it has an authorization cache", only=CS),
            Question("C-05", "`MinimumStatusDuration` is supported", only=CS),
            Question(
                "C-06",
                "values of `StopTransactionOnEVSideDisconnect`; Both: the key can be written",
                OneOf(("Yes", "No", "Both")),
                only=CS,
            ),
            Question("C-07", "a transaction can be started at the station", only=CS),
            Question("C-08", "a transaction can be stopped at the station", only=CS),
            Question("R-1", "the whole station can be reserved", only=CS),
            Question("SC-1", "unit of its charging rates", OneOf(("A", "W", "Both")), only=CS),
        ),
        "Questions for the lab": (
            Question("AQ-1", "the last CentralSystemRootCertificate can be removed", only=CS),
            Question("AQ-2", "the cable is blocked before the authorization", only=CS),
            Question(
                "AQ-3", "the last ChargePointCertificate can be removed by other means", only=CS
            ),
            Question("AQ-4", "firmware is downloaded during a transaction", only=CS),
            Question("AQ-5", "the EVSE must be selected before the authorization", only=CS),
            Question("AQ-6", "it charges in Mode 3 of IEC 61851-1", only=CS),
            Question("AQ-7.1", "StopTransaction comes before it goes down without mains", only=CS),
            Question("AQ-7.2", "StopTransaction comes after the mains is back", only=CS),
        ),
        "Feature profiles": (
            Question("FP.Core", "feature profile Core"),
            Question("FP.FW", "feature profile Firmware Management"),
            Question("FP.SC", "feature profile Smart Charging"),
            Question("FP.RES", "feature profile Reservation"),
            Question("FP.LAL", "feature profile Local Auth List Management"),
            Question("FP.RT", "feature profile Remote Trigger"),
        ),
        "Security": (
            Question("SEC.P1", "security profile 1"),
            Question("SEC.P2", "security profile 2"),
            Question("SEC.P3", "security profile 3"),
            Question("SEC.cert", "the security certificate is requested as well"),
            Question("SEC.ecdsa", "the two cipher suites with ECDHE and ECDSA", only=CS),
            Question("SEC.rsa", "the two cipher suites with RSA", only=CS),
        ),
        "What the vendor lets the lab provoke": (
            Question(
                "BENCH.block_lock", "the vendor gives the lab a means to block the cable lock"
            ),
            Question(
                "BENCH.lal_failure",
                "the vendor gives the lab a means to make storing the local list fail",
            ),
        ),
        "Limits and settings": (
            Question("CFG.GetConfigurationMaxKeys", "keys that one request may name", WHOLE, CS),
            Question("CFG.MeterValuesAlignedDataMaxLength", "items of that list", WHOLE, CS),
            Question("CFG.MeterValuesSampledDataMaxLength", "items of that list", WHOLE, CS),
            Question("CFG.MeterValueSampleInterval.min", "its shortest value in s", WHOLE, CS),
            Question("CFG.MeterValueSampleInterval.max", "its longest value in s", WHOLE, CS),
            Question("CFG.HeartbeatInterval.min", "its shortest value in s", WHOLE, CS),
            Question("CFG.HeartbeatInterval.max", "its longest value in s", WHOLE, CS),
            Question("CFG.StopTransactionMaxMeterValues", "meter values it can hold", WHOLE, CS),
            Question("CFG.StopTxnAlignedDataMaxLength", "items of that list", WHOLE, CS),
            Question("CFG.StopTxnSampledDataMaxLength", "items of that list", WHOLE, CS),
            Question("CFG.WebSocketPingInterval", "seconds between two pings", WHOLE, CS),
            Question(
                "CFG.StopTransactionOnEVSideDisconnect.rw", "that key can be written", only=CS
            ),
            Question("CFG.LocalAuthListMaxLength", "entries of the local list", WHOLE, CS),
            Question(
                "CFG.SendLocalListMaxLength", "entries that one SendLocalList may carry", WHOLE, CS
            ),
            Question(
                "CFG.ChargeProfileMaxStackLevel",
                "highest stack level of a charging profile",
                WHOLE,
                CS,
            ),
            Question(
                "CFG.ChargingScheduleAllowedChargingRateUnit",
                "units of a charging schedule",
                SomeOf(("Current", "Power")),
                CS,
            ),
            Question(
                "CFG.ChargingScheduleMaxPeriods",
                "periods that a charging schedule may have",
                WHOLE,
                CS,
            ),
            Question(
                "CFG.MaxChargingProfilesInstalled",
                "charging profiles that can be installed at once",
                WHOLE,
                CS,
            ),
            Question(
                "CFG.SupportedFileTransferProtocols",
                "how firmware and diagnostics are transferred",
                SomeOf(("HTTP", "HTTPS", "FTP", "FTPS")),
                CS,
            ),
        ),
        "Performance, as the vendor states it": (
            Question("PERF.comm", "technology that the measurements are made with", _COMM),
            Question("PERF.triggered", "until a message that was caused comes, in s", SECONDS, CS),
            Question("PERF.response", "until a CALL is answered, in s", SECONDS),
            Question("PERF.authorize", "until Authorize is answered, in s", SECONDS, CSMS),
            Question(
                "PERF.start", "from RemoteStartTransaction to StartTransaction, in s", SECONDS, CS
            ),
            Question(
                "PERF.stop", "from RemoteStopTransaction to StopTransaction, in s", SECONDS, CS
            ),
        ),
    }
)
"""The questions by heading, in our words; what names a configuration key is compared with it."""

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {question.item: question for asked in SECTIONS.values() for question in asked}
)
"""All questions by item."""

_OTHER_LIMIT = re.compile(r"CFG\.[A-Za-z]\w{0,49}(\.min|\.max|\.rw)?", re.ASCII)


def question_of(item: str) -> Question | None:
    """Return the question of an item; None when there is no such item.

    A limit of any other configuration key may be stated as well: its value, its least (`.min`)
    and most (`.max`), whether it can be written (`.rw`).
    """
    if item in QUESTIONS:
        return QUESTIONS[item]
    match = _OTHER_LIMIT.fullmatch(item)
    if match is None:
        return None
    kinds: dict[str | None, AnswerKind] = {None: WORDS, ".rw": YES_NO}
    return Question(item, "a limit or setting", kinds.get(match[1], WHOLE), CS)


def questions_for(kind: str) -> dict[str, list[Question]]:
    """Return the questions that are asked for a kind of DUT, by heading."""
    sections = {
        heading: [one for one in asked if one.only in (None, kind)]
        for heading, asked in SECTIONS.items()
    }
    return {heading: asked for heading, asked in sections.items() if asked}
