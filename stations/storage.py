"""What a station remembers when its power goes away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.ocpp.frame import dumps, loads

_log = logging.getLogger(__name__)


class Store:
    """Named JSON documents in a folder, each replaced as a whole or not at all.

    Without a folder they live as long as the store. With one, they survive the death of the
    process at any moment; that of the operating system may cost the last of them.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._texts: dict[str, str] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob("*.json")):
                self._texts[path.stem] = path.read_text("utf-8", "replace")

    def read(self, name: str) -> Any:
        """Return a document, None when there is none or it can't be read."""
        text = self._texts.get(name)
        if text is None:
            return None
        try:
            return loads(text)
        except ValueError as error:
            _log.warning("%s.json is damaged and ignored: %s", name, error)
            return None

    def write(self, name: str, document: Any) -> None:
        """Replace a document."""
        text = dumps(document)
        if self._folder is not None:
            fresh = self._folder / f"{name}.new"
            fresh.write_text(text, "utf-8")
            fresh.replace(self._folder / f"{name}.json")
        self._texts[name] = text

    def remove(self, name: str) -> None:
        """Forget a document, if there is one."""
        if self._texts.pop(name, None) is not None and self._folder is not None:
            (self._folder / f"{name}.json").unlink(missing_ok=True)

    def names(self, prefix: str) -> Iterator[str]:
        """List the documents whose name begins with `prefix`, in alphabetical order."""
        return iter(sorted(name for name in self._texts if name.startswith(prefix)))
