"""Twin of an E3372h in HiLink personality: XML over HTTP, with sessions and single-use tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from drivers.sim.faults import Faults
from drivers.sim.hilink_sessions import Refused, Session, Sessions, cookie
from drivers.sim.radio import OPERATOR, PLMN, Cell, Radio
from drivers.sim.twin import Wired
from drivers.sim.web import Request, Response, serve
from drivers.sim.wire import Line

IMEI = "866123050000011"
FIRMWARE = "22.329.07.00.00"

_MODES = {
    "00": ("4G", "3G", "2G"),
    "01": ("2G",),
    "02": ("3G",),
    "03": ("4G",),
    "0201": ("3G", "2G"),
    "0301": ("4G", "2G"),
    "0302": ("4G", "3G"),
}
_NETWORK_TYPE = {"2G": (3, 3), "3G": (9, 45), "4G": (19, 101)}
"""CurrentNetworkType and its Ex form."""
_RAT = {"2G": 0, "3G": 2, "4G": 7}
_LOGIN_STATE = "/api/user/state-login"
_OPEN = ("/api/webserver/SesTokInfo", "/api/device/basic_information")
"""What is read without a session."""
_READ_WITHOUT_LOGIN = (
    "/api/device/signal",
    "/api/net/net-mode",
    "/api/net/net-mode-list",
    "/api/net/signal-para",
    "/api/net/current-plmn",
    "/api/monitoring/status",
    "/api/dialup/mobile-dataswitch",
)


class E3372Hilink(Wired):
    """The dongle; with a `password` everything but a few readings wants a login, user `admin`."""

    def __init__(self, radio: Radio, *, password: str | None = None, login: str = "4") -> None:
        self.radio = radio
        self.mode = "00"
        self.modes = tuple(_MODES)
        """What its firmware lets net-mode set."""
        self.bands = ("3FFFFFFF", "7FFFFFFFFFFFFFFF")
        self.busy = 0
        """So many requests are answered with 100004."""
        self.sim = True
        self.wants_data_off = False
        """Whether the mode can only be set while data is off."""
        self.signs = False
        """Levels stand with a relation, `&gt;=-71dBm`."""
        self.empty_signal = False
        """Levels are in net/signal-para alone."""
        self.stuck = False
        """It says that it has set the mode, and has not."""
        self.restarting = asyncio.Event()
        """Set by the command to restart; whoever has the wire then takes it away and back."""
        self.heard: list[str] = []
        """Method, path and body of each request."""
        self.sessions = Sessions(password, login)
        self._pages: Mapping[str, Callable[[], str]] = {
            "/api/webserver/SesTokInfo": self._session,
            "/api/device/information": self._information,
            "/api/device/basic_information": self._basic,
            "/api/device/signal": self._signal,
            "/api/net/signal-para": self._signal_parameters,
            "/api/net/net-mode": self._net_mode,
            "/api/net/net-mode-list": self._net_mode_list,
            "/api/net/current-plmn": self._plmn,
            "/api/monitoring/status": self._status,
            "/api/dialup/mobile-dataswitch": lambda: _xml(dataswitch=int(self.radio.data)),
        }
        self._commands: Mapping[str, Callable[[Mapping[str, str]], None]] = {
            "/api/net/net-mode": self._set_mode,
            "/api/dialup/mobile-dataswitch": self._set_data,
            "/api/device/control": self._control,
        }

    def power_up(self) -> None:
        """Start without sessions, and look for a network."""
        self.expire_sessions()
        self.restarting.clear()
        self.radio.use(_MODES[self.mode])

    def expire_sessions(self) -> None:
        """Forget every session, as after 5 min."""
        self.sessions.clear()

    async def converse(self, line: Line) -> None:
        """Serve one HTTP connection."""
        await serve(line, partial(self._handle, line.faults))

    def _handle(self, faults: Faults, request: Request) -> Response:
        self.heard.append(f"{request.method} {request.path} {request.body.decode()}".rstrip())
        session = self.sessions.of(request)
        if request.method == "GET" and request.path in ("/", "/html/home.html"):
            return self._home()
        headers: dict[str, str] = {}
        try:
            if request.method == "POST":
                body = self._post(request, session, headers)
            else:
                body = self._get(request.path, session)
        except Refused as error:
            body = f"<error><code>{error.code}</code><message></message></error>"
        if faults.wrong_identity:
            body = body.replace("E3372", "B315")
        content = f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
        return Response(HTTPStatus.OK, content, "text/html", headers)

    def _get(self, path: str, session: Session | None) -> str:
        if path == _LOGIN_STATE:
            return self._login_state(session)
        if path not in self._pages:
            raise Refused(100002)
        if path not in _OPEN:
            if session is None:
                raise Refused(125002)
            if path not in _READ_WITHOUT_LOGIN:
                self.sessions.check_right(session)
        self._check_busy()
        return self._pages[path]()

    def _post(self, request: Request, session: Session | None, headers: dict[str, str]) -> str:
        if session is None:
            raise Refused(125002)
        token = self.sessions.spend(request, session, headers)
        fields = _fields(request.body)
        if request.path == "/api/user/login":
            self.sessions.log_in(fields, token, headers)
            return "<response>OK</response>"
        if request.path == "/api/user/logout":
            session.logged_in = False
            return "<response>OK</response>"
        self.sessions.check_right(session)
        self._check_busy()
        if request.path not in self._commands:
            raise Refused(100002)
        self._commands[request.path](fields)
        return "<response>OK</response>"

    def _check_busy(self) -> None:
        if self.busy:
            self.busy -= 1
            raise Refused(100004)

    def _home(self) -> Response:
        """Show the web page, which brings a session and two tokens."""
        name, session = self.sessions.begin()
        self.sessions.new_token(session)
        metas = "".join(f'<meta name="csrf_token" content="{token}"/>' for token in session.tokens)
        page = f"<html><head>{metas}</head></html>".encode()
        return Response(HTTPStatus.OK, page, "text/html", {"Set-Cookie": cookie(name)})

    def _session(self) -> str:
        name, session = self.sessions.begin()
        return _xml(SesInfo=f"SessionID={name}", TokInfo=session.tokens[0])

    def _login_state(self, session: Session | None) -> str:
        if session is not None and session.logged_in:
            return _xml(State=0, Username="admin", password_type=self.sessions.login)
        return _xml(State=-1, Username="", password_type=self.sessions.login)

    def _information(self) -> str:
        return _xml(
            DeviceName="E3372",
            SerialNumber="G4PDW16623000001",
            Imei=IMEI,
            HardwareVersion="CL2E3372HM",
            SoftwareVersion=FIRMWARE,
            Classify="hilink",
        )

    @staticmethod
    def _basic() -> str:
        return _xml(devicename="E3372", SoftwareVersion=FIRMWARE, classify="hilink")

    def _signal(self) -> str:
        cell = None if self.empty_signal else self.radio.cell
        return _xml(pci="", cell_id="", **self._levels(cell), mode=self._rat())

    def _signal_parameters(self) -> str:
        if not self.empty_signal:
            raise Refused(100002)
        levels = self._levels(self.radio.cell)
        return _xml(**{name.capitalize(): text for name, text in levels.items()})

    def _levels(self, cell: Cell | None) -> dict[str, str]:
        sign = ">=" if self.signs else ""
        units = {"rsrq": "dB", "rsrp": "dBm", "rssi": "dBm", "sinr": "dB"}
        levels = {name: None if cell is None else getattr(cell, name) for name in units}
        return {
            name: "" if value is None else f"{sign}{value:g}{units[name]}"
            for name, value in levels.items()
        }

    def _net_mode(self) -> str:
        return _xml(NetworkMode=self.mode, NetworkBand=self.bands[0], LTEBand=self.bands[1])

    def _net_mode_list(self) -> str:
        access = "".join(f"<Access>{mode}</Access>" for mode in self.modes)
        return f"<response><AccessList>{access}</AccessList></response>"

    def _plmn(self) -> str:
        if self.radio.cell is None:
            return _xml(State=0, FullName="", ShortName="", Numeric="", Rat="")
        return _xml(State=0, FullName=OPERATOR, ShortName="Pilot", Numeric=PLMN, Rat=self._rat())

    def _status(self) -> str:
        technology = self.radio.technology if self.radio.cell is not None else None
        kind, extended = _NETWORK_TYPE[technology] if technology else (0, 0)
        return _xml(
            ConnectionStatus=901 if self.radio.connected else 902,
            SignalStrength="",
            SignalIcon=4 if technology else 0,
            CurrentNetworkType=kind,
            CurrentNetworkTypeEx=extended,
            SimStatus=1 if self.sim else 255,
            ServiceStatus=2 if technology else 0,
            WanIPAddress="",
        )

    def _rat(self) -> int | str:
        technology = self.radio.technology if self.radio.cell is not None else None
        return _RAT[technology] if technology else ""

    def _set_mode(self, fields: Mapping[str, str]) -> None:
        if list(fields) != ["NetworkMode", "NetworkBand", "LTEBand"]:
            raise Refused(100005)
        if fields["NetworkMode"] not in self.modes:
            raise Refused(112003)
        if self.wants_data_off and self.radio.data:
            raise Refused(112001)
        if self.stuck:
            return
        self.mode = fields["NetworkMode"]
        self.bands = (fields["NetworkBand"], fields["LTEBand"])
        self.radio.use(_MODES[self.mode])

    def _set_data(self, fields: Mapping[str, str]) -> None:
        if fields.get("dataswitch") not in ("0", "1"):
            raise Refused(100006)
        self.radio.dial(fields["dataswitch"] == "1")

    def _control(self, fields: Mapping[str, str]) -> None:
        if fields.get("Control") != "1":
            raise Refused(100006)
        self.restarting.set()


def _xml(**fields: object) -> str:
    inside = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    return f"<response>{inside}</response>"


def _fields(body: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(100005) from None
    if root.tag != "request":
        raise Refused(100005)
    return {child.tag: child.text or "" for child in root}
