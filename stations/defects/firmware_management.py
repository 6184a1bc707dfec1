"""Defects that the cases on firmware and diagnostics catch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stations.conduct import Defect, Replacement, Retort
from stations.defects.edits import drop, edit, follow, has, precede, put
from stations.messages import Answer, Payload


def _told(before: str, after: str) -> Replacement:
    """Tell one status in place of another."""
    return put(has(status=before), status=after)


def _swapped(one: str, other: str) -> Replacement:
    return edit("status", lambda status: {one: other, other: one}.get(status, status))


def _named(name: Any) -> Retort:
    """Answer with another file name; None: with none."""

    def answer(request: Payload, good: Answer) -> Answer:
        return replace(good, payload={} if name is None else good.payload | {"fileName": name})

    return answer


_FIRMWARE, _DIAGNOSTICS = "FirmwareStatusNotification", "DiagnosticsStatusNotification"

DEFECTS = (
    Defect(
        "firmware-not-fetched",
        "Tells all stages of an update without fetching the firmware.",
        "TC_044_1_CS",
        ("Firmware", "fetched"),
        behaviour={"fetches_firmware": False},
    ),
    Defect(
        "downloading-not-reported",
        "Does not report that it fetches a firmware.",
        "TC_044_1_CS",
        (_FIRMWARE, "Downloading"),
        calls={_FIRMWARE: drop(has(status="Downloading"))},
    ),
    Defect(
        "firmware-stages-swapped",
        "Reports Installing first and Downloading last.",
        "TC_044_1_CS",
        (_FIRMWARE, "Downloaded"),
        calls={_FIRMWARE: _swapped("Downloading", "Installing")},
    ),
    Defect(
        "installed-forgotten-over-boot",
        "Does not report after the boot that a firmware was installed.",
        "TC_044_1_CS",
        (_FIRMWARE, "Installed"),
        behaviour={"reports_installation": False},
    ),
    Defect(
        "old-firmware-booted",
        "Boots with the old firmware after an update.",
        "TC_044_1_CS",
        ("BootNotification", "firmwareVersion"),
        behaviour={"keeps_firmware": True},
    ),
    Defect(
        "download-fails-at-first",
        "Reports DownloadFailed of a download that then succeeds.",
        "TC_044_1_CS",
        (_FIRMWARE, "DownloadFailed"),
        calls={_FIRMWARE: precede(has(status="Downloaded"), status="DownloadFailed")},
    ),
    Defect(
        "failed-download-tried-again",
        "Begins to download again though it was told to try once.",
        "TC_044_2_CS",
        (_FIRMWARE, "Downloading"),
        calls={_FIRMWARE: follow(has(status="DownloadFailed"), status="Downloading")},
    ),
    Defect(
        "failed-download-called-installation-failure",
        "Reports InstallationFailed when a firmware can't be fetched.",
        "TC_044_2_CS",
        (_FIRMWARE, "InstallationFailed"),
        calls={_FIRMWARE: _told("DownloadFailed", "InstallationFailed")},
    ),
    Defect(
        "failed-download-not-reported",
        "Reports nothing when a firmware can't be fetched.",
        "TC_044_2_CS",
        (_FIRMWARE, "DownloadFailed"),
        calls={_FIRMWARE: drop(has(status="DownloadFailed"))},
    ),
    Defect(
        "failed-download-called-downloaded",
        "Reports Downloaded when a firmware can't be fetched.",
        "TC_044_2_CS",
        (_FIRMWARE, "Downloaded"),
        calls={_FIRMWARE: _told("DownloadFailed", "Downloaded")},
    ),
    Defect(
        "bad-firmware-installed",
        "Installs a firmware without verifying it.",
        "TC_044_3_CS",
        (_FIRMWARE, "Installed"),
        behaviour={"verifies_firmware": False},
    ),
    Defect(
        "bad-firmware-called-download-failure",
        "Reports DownloadFailed when a firmware can't be installed.",
        "TC_044_3_CS",
        (_FIRMWARE, "DownloadFailed"),
        calls={_FIRMWARE: _told("InstallationFailed", "DownloadFailed")},
    ),
    Defect(
        "bad-firmware-not-reported",
        "Reports nothing when a firmware can't be installed.",
        "TC_044_3_CS",
        (_FIRMWARE, "InstallationFailed"),
        calls={_FIRMWARE: drop(has(status="InstallationFailed"))},
    ),
    Defect(
        "bad-firmware-installed-at-last",
        "Reports InstallationFailed of a bad firmware, and then that it is installed.",
        "TC_044_3_CS",
        (_FIRMWARE, "Installed"),
        calls={_FIRMWARE: follow(has(status="InstallationFailed"), status="Installed")},
    ),
    Defect(
        "upload-fails-at-first",
        "Reports UploadFailed of an upload that then succeeds.",
        "TC_045_1_CS",
        (_DIAGNOSTICS, "UploadFailed"),
        calls={_DIAGNOSTICS: precede(has(status="Uploaded"), status="UploadFailed")},
    ),
    Defect(
        "failed-upload-tried-again",
        "Begins to deliver diagnostics again though it was told to try once.",
        "TC_045_2_CS",
        (_DIAGNOSTICS, "Uploading"),
        calls={_DIAGNOSTICS: follow(has(status="UploadFailed"), status="Uploading")},
    ),
    Defect(
        "diagnostics-not-delivered",
        "Reports that diagnostics were uploaded and delivers none.",
        "TC_045_1_CS",
        ("Bytes", "nothing"),
        behaviour={"delivers_diagnostics": False},
    ),
    Defect(
        "diagnostics-under-another-name",
        "Delivers diagnostics under another name than it has answered.",
        "TC_045_1_CS",
        ("Bytes", "nothing"),
        answers={"GetDiagnostics": _named("diagnostics.zip")},
    ),
    Defect(
        "diagnostics-without-name",
        "Does not answer how the diagnostics are called that it delivers.",
        "TC_045_1_CS",
        ("GetDiagnostics", "fileName"),
        answers={"GetDiagnostics": _named(None)},
    ),
    Defect(
        "uploading-not-reported",
        "Does not report that it delivers diagnostics.",
        "TC_045_1_CS",
        (_DIAGNOSTICS, "Uploading"),
        calls={_DIAGNOSTICS: drop(has(status="Uploading"))},
    ),
    Defect(
        "diagnostics-name-as-list",
        "Answers the name of the diagnostics in a list.",
        "TC_045_1_CS",
        ("GetDiagnostics", "fileName"),
        answers={"GetDiagnostics": _named(["diagnostics.zip"])},
    ),
    Defect(
        "failed-upload-called-uploaded",
        "Reports Uploaded when diagnostics can't be delivered.",
        "TC_045_2_CS",
        (_DIAGNOSTICS, "Uploaded"),
        calls={_DIAGNOSTICS: _told("UploadFailed", "Uploaded")},
    ),
    Defect(
        "failed-upload-not-reported",
        "Reports nothing when diagnostics can't be delivered.",
        "TC_045_2_CS",
        (_DIAGNOSTICS, "UploadFailed"),
        calls={_DIAGNOSTICS: drop(has(status="UploadFailed"))},
    ),
    Defect(
        "upload-stages-swapped",
        "Reports UploadFailed before Uploading.",
        "TC_045_2_CS",
        (_DIAGNOSTICS, "UploadFailed"),
        calls={_DIAGNOSTICS: _swapped("Uploading", "UploadFailed")},
    ),
)
