"""Diary: what a synthesis did, step by step, as Markdown that a person reads.

What models and logs say is hidden as in prompts, stands in fences that it cannot end, and holds no
character that acts instead of being seen. Each entry is written at once: a run that is cut off
leaves what it did.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from logwright.errors import StoreError
from logwright.llm.fence import visible
from logwright.llm.placeholders import Placeholders

__all__ = ["Diary"]

_TICKS = re.compile(r"`{3,}")
_MOST = 20_000
"""Characters of one answer that are kept; the journal holds all of it."""


class Diary:
    """A file, or nothing where there is no path.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "diary.md"
    >>> with Diary(path) as diary:
    ...     diary.title("A rule")
    ...     diary.quote("x = '10.0.0.7'", Placeholders())
    >>> print(path.read_text())
    <BLANKLINE>
    ## A rule
    <BLANKLINE>
    ```text
    x = 'REDACTED_IP_1_'
    ```
    <BLANKLINE>
    """

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"The log {path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def title(self, text: str, level: int = 2) -> None:
        """A heading of our own words."""
        self._write(f"\n{'#' * level} {text}\n")

    def say(self, text: str, names: Placeholders | None = None) -> None:
        """A point; with `names` it may hold what models or logs say."""
        told = text if names is None else names.mask(names.hide(text))
        self._write("- " + visible(" ".join(told.split())) + "\n")

    def quote(self, text: str, names: Placeholders) -> None:
        """What a model or a log says, whole."""
        cut = text[:_MOST] + ("\n[cut]" if len(text) > _MOST else "")
        told = "\n".join(map(visible, names.mask(names.hide(cut)).splitlines()))
        ticks = "`" * max((len(m[0]) + 1 for m in _TICKS.finditer(told)), default=3)
        self._write(f"\n{ticks}text\n{told}\n{ticks}\n")

    def _write(self, text: str) -> None:
        if self._file is not None:
            self._file.write(text)
            self._file.flush()
