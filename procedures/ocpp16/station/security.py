"""Security (Certification Document 2, Appendix C, security certificate): announced."""

from __future__ import annotations

from bench.pics import Applicability, pics
from bench.procedure import Mark, Procedure, announced

P1, P2, P3 = pics("SEC.P1"), pics("SEC.P2"), pics("SEC.P3")
CERTIFICATE = pics("SEC.cert")
TWO_PROFILES = P1 & P2 | P1 & P3 | P2 & P3


def _security(
    case_id: str, title: str, mark: Mark, applies: Applicability, clause: str, purpose: str
) -> Procedure:
    return announced(
        case_id,
        title=title,
        mark=mark,
        group="security",
        refs=[
            "Certification Document 2, App. C after no. 98",
            f"Security whitepaper ed. 2 clause {clause}",
        ],
        applies=applies,
        purpose=purpose,
    )


PASSWORD_CHANGED = _security(
    "TC_073_CS",
    "Change Basic-Auth password",
    "C",
    P1 | P2,
    "2 (A01)",
    "The station connects with the password that it was given, and no longer with the old one.",
)
CERTIFICATE_RENEWED = _security(
    "TC_074_CS",
    "Renew charge point certificate",
    "C",
    P3,
    "2 (A02)",
    "The station asks for a certificate of its own, and connects with the one it is given.",
)
MANUFACTURER_ROOT_INSTALLED = _security(
    "TC_075_1_CS",
    "Install manufacturer root",
    "C",
    P2 | P3,
    "2 (M05)",
    "A manufacturer root certificate can be installed and is listed.",
)
CENTRAL_ROOT_INSTALLED = _security(
    "TC_075_2_CS",
    "Install central system root",
    "C",
    P2 | P3,
    "2 (M05)",
    "A central system root certificate can be installed and is listed.",
)
CERTIFICATE_DELETED = _security(
    "TC_076_CS",
    "Delete certificate",
    "C",
    P2 | P3,
    "2 (M04)",
    "A certificate can be deleted by its hash data and is listed no more.",
)
BAD_STATION_CERTIFICATE_REPORTED = _security(
    "TC_077_CS",
    "Invalid charge point certificate event",
    "C",
    P3,
    "2 (A02), 3",
    "The station refuses a certificate of its own that is not valid, and says so.",
)
BAD_CENTRAL_CERTIFICATE_REPORTED = _security(
    "TC_078_CS",
    "Invalid central system certificate event",
    "C",
    P2 | P3,
    "2.4, 3",
    "The station does not talk to a CSMS whose certificate is not valid, and says so.",
)
SECURITY_LOG_UPLOADED = _security(
    "TC_079_CS",
    "Get security log",
    "M",
    CERTIFICATE,
    "3 (N01)",
    "The station uploads its security log.",
)
FIRMWARE_UPDATED_SECURELY = _security(
    "TC_080_CS",
    "Secure firmware update",
    "M",
    CERTIFICATE,
    "4 (L01)",
    "The station checks the signature of a firmware before it installs it.",
)
BAD_SIGNATURE_REFUSED = _security(
    "TC_081_CS",
    "Secure firmware update – invalid signature",
    "M",
    CERTIFICATE,
    "4 (L01)",
    "The station does not install a firmware whose signature is not valid.",
)
PROFILE_UPGRADED = _security(
    "TC_083_CS",
    "Upgrade security profile",
    "M",
    TWO_PROFILES,
    "2 (A05)",
    "The station goes over to a higher security profile when it is told to.",
)
DOWNGRADE_REFUSED = _security(
    "TC_084_CS",
    "Downgrade security profile – rejected",
    "M",
    TWO_PROFILES,
    "2 (A05)",
    "The station refuses to go back to a lower security profile.",
)
BASIC_AUTHENTICATION_USED = _security(
    "TC_085_CS",
    "Basic authentication – valid credentials",
    "C",
    P1,
    "2.3",
    "The station authenticates itself with its id and its password.",
)
SERVER_CERTIFICATE_CHECKED = _security(
    "TC_086_CS",
    "TLS server certificate – valid",
    "C",
    P2,
    "2.4",
    "The station connects over TLS to a CSMS whose certificate is valid.",
)
CLIENT_CERTIFICATE_USED = _security(
    "TC_087_CS",
    "TLS client certificate – valid",
    "C",
    P3,
    "2.5",
    "The station authenticates itself with its certificate.",
)
