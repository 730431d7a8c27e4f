"""Diary: what a synthesis did, step by step, as Markdown that a person reads.

What models and logs say is hidden as in prompts, stands in fences that it cannot end, and holds no
character that acts instead of being seen. Each entry is written at once: a run that is cut off
leaves what it did, and the next one writes below it.
"""

from __future__ import annotations

import re
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

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
        self._path = path
        self._file: FileIO | None = None
        self._said: set[str] = set()
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what could not be written must not come back when the file is closed.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error

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

    def say_once(self, text: str, names: Placeholders) -> None:
        """A point that was not made before in this run."""
        if text not in self._said:
            self._said.add(text)
            self.say(text, names)

    def quote(self, text: str, names: Placeholders) -> None:
        """What a model or a log says, whole."""
        cut = text[:_MOST] + ("\n[cut]" if len(text) > _MOST else "")
        told = "\n".join(map(visible, names.mask(names.hide(cut)).splitlines()))
        ticks = "`" * max((len(m[0]) + 1 for m in _TICKS.finditer(told)), default=3)
        self._write(f"\n{ticks}text\n{told}\n{ticks}\n")

    def _write(self, text: str) -> None:
        if self._file is None:
            return
        left = text.encode("utf-8", "replace")
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"The log {self._path} cannot be written: {error.strerror}.")
