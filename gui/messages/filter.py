"""The words of the filter bar: what they mean, and which messages they let through."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from bench.ocpp.frame import dumps
from bench.verdict import Verdict
from gui.messages.happenings import Message

Test = Callable[[Message], bool]

KINDS = {"call": "CALL", "result": "CALLRESULT", "error": "CALLERROR", "broken": "broken"}
VERDICTS = tuple(str(verdict) for verdict in Verdict)
IS = ("unanswered", "unexpected", "lost", "checked")
HELP = """\
word            anywhere in the text, letter case aside; "two words" in quotes
action:boot     the action begins so; also of the CALL that an answer answers
from:station    from station or csms
kind:error      call, result, error or broken
verdict:fail    judged so by a check; verdict:!pass for all that is not
is:unanswered   unanswered, unexpected, lost or checked
id:m17          the message id begins so
case:TC_003     the case begins so; step:2 by number or by words of its title
idTag=BAD       a field has this value, at any depth; idTag= for any value
-word           without it, before any of these
a b             both; a | b  either"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the words of the filter bar let through."""

    words: str
    test: Test | None

    def of(self, messages: Iterable[Message]) -> list[Message]:
        """List the messages that pass, in order."""
        test = self.test
        return list(messages) if test is None else [one for one in messages if test(one)]

    def passes(self, message: Message) -> bool:
        """Tell whether a message passes."""
        return self.test is None or self.test(message)


def read(words: str) -> Filter:
    """Understand the words; raises ValueError that says which word is wrong and what would do."""
    lexer = shlex.shlex(words, posix=True, punctuation_chars="|")
    lexer.whitespace_split, lexer.commenters, lexer.escape, lexer.quotes = True, "", "", '"'
    try:
        parts = list(lexer)
    except ValueError:
        raise ValueError('a quotation mark " is missing') from None
    groups: list[list[Test]] = [[]]
    for part in parts:
        if set(part) == {"|"}:
            groups.append([])
        else:
            groups[-1].append(_term(part))
    tests = [_all(group) for group in groups if group]
    if not tests:
        return Filter(words, None)
    return Filter(words, _any(tests))


def _all(tests: list[Test]) -> Test:
    # Pair by pair: `all` would make a generator for each message, which takes longer than the test.
    return reduce(lambda first, then: lambda message: first(message) and then(message), tests)


def _any(tests: list[Test]) -> Test:
    return reduce(lambda first, then: lambda message: first(message) or then(message), tests)


def _term(word: str) -> Test:
    if len(word) > 1 and word[0] in "-!":
        inner = _term(word[1:])
        return lambda message: not inner(message)
    key, colon, value = word.partition(":")
    if colon and key.lower() in _KEYS:
        return _KEYS[key.lower()](value.lower())
    if field := re.fullmatch(r"([A-Za-z_][\w.]*)=(.*)", word):
        return _field(*field.groups())
    wanted = word.lower()
    return lambda message: wanted in message.searched


def _action(value: str) -> Test:
    return lambda message: message.view.action.lower().startswith(value)


def _from(value: str) -> Test:
    station = _one_of("from", value, ("station", "csms")) == "station"
    return lambda message: message.view.from_station is station


def _kind(value: str) -> Test:
    wanted = KINDS[_one_of("kind", value, tuple(KINDS))]
    return lambda message: message.kind == wanted


def _verdict(value: str) -> Test:
    wanted = _one_of("verdict", value.removeprefix("!"), VERDICTS)
    if value.startswith("!"):
        return lambda message: message.verdict not in ("none", wanted)
    return lambda message: message.verdict == wanted


def _is(value: str) -> Test:
    match _one_of("is", value, IS):
        case "unanswered":
            return lambda message: message.is_unanswered
        case "unexpected":
            return lambda message: message.is_unclaimed
        case "lost":
            return lambda message: message.view.lost is not None
        case _:
            return lambda message: bool(message.view.checks)


def _id(value: str) -> Test:
    return lambda message: message.message_id.lower().startswith(value)


def _case(value: str) -> Test:
    return lambda message: message.step is not None and message.step.case.lower().startswith(value)


def _step(value: str) -> Test:
    def test(message: Message) -> bool:
        step = message.step
        return step is not None and (str(step.number) == value or value in step.title.lower())

    return test


_KEYS: dict[str, Callable[[str], Test]] = {
    "action": _action,
    "from": _from,
    "kind": _kind,
    "verdict": _verdict,
    "is": _is,
    "id": _id,
    "case": _case,
    "step": _step,
}


def _one_of(key: str, value: str, options: tuple[str, ...]) -> str:
    """Complete a value that is one of several, as soon as its beginning is unmistakable."""
    fits = [option for option in options if option.startswith(value)] if value else []
    if value in options:
        return value
    if len(fits) != 1:
        raise ValueError(f"{key}:{value} expected {', '.join(options)}")
    return fits[0]


def _field(path: str, value: str) -> Test:
    """Test a field by its name or the end of its path, its value as JSON or as bare text."""
    names = tuple(path.lower().split("."))
    wanted = value.casefold()
    plain = re.fullmatch(r"[\w .:+/-]*", wanted, re.ASCII) is not None
    # What the text shows already is not looked for in the parsed payload.
    ending = rf'\s*"?{re.escape(wanted)}"?\s*[,}}\]]' if wanted and plain else ""
    shown = re.compile(rf'"{re.escape(names[-1])}"\s*:{ending}').search

    name = f'"{names[-1]}"'

    def test(message: Message) -> bool:
        # To look for the name alone takes a fraction of the time.
        if name not in message.searched or shown(message.searched) is None:
            return False
        if len(names) == 1 and plain:
            return True
        payload = getattr(message.view.frame, "payload", None)
        return payload is not None and _has(payload, names, wanted, ())

    return test


def _has(node: Any, names: tuple[str, ...], wanted: str, path: tuple[str, ...]) -> bool:
    if isinstance(node, list):
        return any(_has(part, names, wanted, path) for part in node)
    if not isinstance(node, dict):
        return False
    for key, part in node.items():
        here = (*path, key.lower())
        fits = here[-len(names) :] == names
        if fits and (not wanted or _as_text(part) == wanted):
            return True
        if _has(part, names, wanted, here):
            return True
    return False


def _as_text(value: Any) -> str:
    return (value if isinstance(value, str) else dumps(value)).casefold()
