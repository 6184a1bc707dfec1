"""Read the accessibility tree of the programs on a display, for Debian's Python with pyatspi.

One question per line of standard input, one answer per line of standard output, both JSON:
`{"ask": "tree"}` lists what is shown, `{"ask": "press", "path": [0, 3, 1]}` presses a control.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pyatspi  # type: ignore[import-not-found]


def nodes(node: Any, path: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
    """List a node and what is in it, as far as it is shown."""
    try:
        states = node.getState()
        if path and node.getRole() != pyatspi.ROLE_APPLICATION:
            if not states.contains(pyatspi.STATE_VISIBLE):
                return
        found = {
            "path": path,
            "role": node.getRoleName(),
            "name": node.name,
            "description": node.description,
            "text": text_of(node),
            "focusable": states.contains(pyatspi.STATE_FOCUSABLE),
            "focused": states.contains(pyatspi.STATE_FOCUSED),
            "showing": states.contains(pyatspi.STATE_SHOWING),
            "enabled": states.contains(pyatspi.STATE_ENABLED),
            "actions": actions_of(node),
        }
        many = states.contains(pyatspi.STATE_MANAGES_DESCENDANTS)
        children = [] if many else [node.getChildAtIndex(n) for n in range(node.childCount)]
    except Exception:  # noqa: BLE001 - a widget that went while it was read
        return
    yield found
    for number, child in enumerate(children):
        if child is not None:
            yield from nodes(child, (*path, number))


def text_of(node: Any) -> str:
    """Return what a field holds."""
    if "Text" not in pyatspi.listInterfaces(node):
        return ""
    text = node.queryText()
    return str(text.getText(0, text.characterCount))


def actions_of(node: Any) -> list[str]:
    """List what can be done with a node."""
    if "Action" not in pyatspi.listInterfaces(node):
        return []
    action = node.queryAction()
    return [action.getName(number) for number in range(action.nActions)]


def press(path: list[int]) -> bool:
    """Do the first action of a node."""
    node = pyatspi.Registry.getDesktop(0)
    for number in path:
        node = node.getChildAtIndex(number)
        if node is None:
            return False
    return bool(node.queryAction().doAction(0))


def main() -> None:
    """Answer until standard input ends."""
    desktop = pyatspi.Registry.getDesktop(0)
    for line in sys.stdin:
        question = json.loads(line)
        answer: object
        if question["ask"] == "press":
            try:
                answer = press(question["path"])
            except Exception:  # noqa: BLE001 - it went before it was pressed
                answer = False
        else:
            answer = [node for node in nodes(desktop) if node["path"]]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
