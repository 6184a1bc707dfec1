"""The PICS questionnaire asks all of Appendix A, and reads answers as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from bench.intake import items_of
from bench.plan import load_suites
from bench.questionnaire import QUESTIONS, SECTIONS, question_of, questions_for

APPENDIX_A = {
    *("GEN.mode12", "GEN.multi", "GEN.fixed_cable", "GEN.ms", "GEN.comm", "GEN.rfid"),
    *("C-02", "C-03", "C-04", "C-05", "C-06", "C-07", "C-08", "R-1", "SC-1"),
    *("AQ-1", "AQ-2", "AQ-3", "AQ-4", "AQ-5", "AQ-6", "AQ-7.1", "AQ-7.2"),
    *("FP.Core", "FP.FW", "FP.SC", "FP.RES", "FP.LAL", "FP.RT"),
    *("SEC.P1", "SEC.P2", "SEC.P3", "SEC.ecdsa", "SEC.rsa"),
    *("PERF.comm", "PERF.triggered", "PERF.response", "PERF.authorize", "PERF.start", "PERF.stop"),
    *(
        f"CFG.{limit}"
        for limit in (
            *("GetConfigurationMaxKeys", "MeterValuesAlignedDataMaxLength"),
            *("MeterValuesSampledDataMaxLength", "StopTransactionMaxMeterValues"),
            *("MeterValueSampleInterval.min", "MeterValueSampleInterval.max"),
            *("HeartbeatInterval.min", "HeartbeatInterval.max"),
            *("StopTxnAlignedDataMaxLength", "StopTxnSampledDataMaxLength"),
            *("WebSocketPingInterval", "LocalAuthListMaxLength", "SendLocalListMaxLength"),
            *("ChargeProfileMaxStackLevel", "ChargingScheduleAllowedChargingRateUnit"),
            *("ChargingScheduleMaxPeriods", "SupportedFileTransferProtocols"),
        )
    ),
}


def test_every_field_of_appendix_a_is_asked_once() -> None:
    items = [question.item for asked in SECTIONS.values() for question in asked]
    assert set(items) >= APPENDIX_A
    assert len(items) == len(set(items))


def test_every_condition_of_a_case_asks_for_a_known_item() -> None:
    words = {"always", "and", "or", "not", "=", ">=", "Yes", "No", "Both", "A", "W"}
    for suite in load_suites():
        for one in suite.procedures:
            unknown = items_of(one) - words - set(QUESTIONS)
            assert {word for word in unknown if not word.isdigit()} == set(), one.id


@pytest.mark.parametrize(
    ("item", "cell", "answer"),
    [
        ("C-07", "Yes", True),
        ("C-07", " x ", True),
        ("C-07", "no", False),
        ("C-06", "both", "Both"),
        ("GEN.rfid", "One per EVSE", "one per EVSE"),
        ("CFG.SendLocalListMaxLength", "5.0", 5),
        ("CFG.SupportedFileTransferProtocols", "{ftp, http}", ["FTP", "HTTP"]),
        ("PERF.start", "2.5 s", 2.5),
        ("CFG.LightIntensity.max", "100", 100),
        ("CFG.LightIntensity.rw", "yes", True),
        ("CFG.CpoName", " Ada ", "Ada"),
    ],
)
def test_answers_are_read_as_people_write_them(item: str, cell: str, answer: Any) -> None:
    question = question_of(item)
    assert question is not None
    assert question.answer.read(cell) == answer
    assert question.answer.accepts(answer)


@pytest.mark.parametrize(
    ("item", "cell"),
    [
        ("C-07", "perhaps"),
        ("C-06", "Maybe"),
        ("CFG.SendLocalListMaxLength", "5.5"),
        ("CFG.SendLocalListMaxLength", "-1"),
        ("CFG.SupportedFileTransferProtocols", "SCP"),
        ("PERF.start", "0"),
        ("PERF.start", "soon"),
    ],
)
def test_other_words_are_no_answer(item: str, cell: str) -> None:
    with pytest.raises(ValueError):
        QUESTIONS[item].answer.read(cell)


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("C-07", 1),
        ("C-07", "yes"),
        ("CFG.SendLocalListMaxLength", True),
        ("CFG.SupportedFileTransferProtocols", ["FTP", "FTP"]),
        ("CFG.SupportedFileTransferProtocols", "FTP"),
        ("PERF.start", True),
        ("CFG.CpoName", " "),
    ],
)
def test_a_value_of_another_type_is_refused(item: str, value: Any) -> None:
    question = question_of(item)
    assert question is not None
    assert not question.answer.accepts(value)


@pytest.mark.parametrize("item", ["CFG.", "CFG.a-b", "CFG.Key.least", "XYZ", "cfg.Key"])
def test_other_items_do_not_exist(item: str) -> None:
    assert question_of(item) is None


def test_a_csms_is_not_asked_about_sockets() -> None:
    items = {question.item for asked in questions_for("csms").values() for question in asked}
    assert "PERF.authorize" in items
    assert not {"GEN.fixed_cable", "C-07", "CFG.HeartbeatInterval.min", "PERF.start"} & items
    assert "PERF.authorize" not in {
        question.item for asked in questions_for("charging-station").values() for question in asked
    }
