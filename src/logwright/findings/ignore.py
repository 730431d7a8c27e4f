"""The ignore file: findings that somebody has looked at and does not want to see again.

One entry a line; ``#`` begins a comment. An entry is the id of a pattern (``p-...``), of a template
(``t-...``; 8 digits of either are enough), or a text in which ``*`` stands for anything, such as
``*cache miss for key <*>``. A text is compared with the whole text of a finding's template and of
its cited message; a finding about several templates is ignored only where all of them are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from logwright.errors import SettingsError
from logwright.findings.finding import Finding
from logwright.findings.run import many

__all__ = ["Ignored", "wildcard"]

_ID = re.compile(r"[pt]-[0-9a-f]{8,16}")
_ID_LIKE = re.compile(r"[pt]-[0-9a-f]+", re.I)
_PARAMETER = re.compile(r"<\*(?::[\w-]+)?>")
_MOST_ENTRIES, _MOST_BYTES = 10_000, 1 << 20


def wildcard(pattern: str, text: str) -> bool:
    """Whether `pattern`, in which ``*`` and ``<*>`` stand for anything, is the whole of `text`.

    The time is linear in the text, whatever the pattern.

    >>> wildcard("disk full on <*>", "disk full on /var"), wildcard("disk", "disk full")
    (True, False)
    """
    first, *parts = _PARAMETER.sub("*", pattern).split("*")
    if not parts:
        return first == text
    *middle, last = parts
    stop = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or stop < len(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at, stop)
        if found < 0:
            return False
        at = found + len(part)
    return True


@dataclass(slots=True)
class Ignored:
    """The entries of an ignore file; counts what they leave out.

    >>> Ignored("", ("p-0123456789abcdef",)).told()
    ' (1 entry; 1 entry matched nothing)'
    """

    name: str
    entries: tuple[str, ...]
    findings: int = 0
    _used: set[str] = field(default_factory=set)

    @staticmethod
    def read(path: str) -> Ignored:
        """The entries of a file; `SettingsError` where it cannot be read or holds no such thing."""
        try:
            raw = Path(path).read_bytes()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise SettingsError(f"ignore file {path} cannot be read: {why}") from None
        if len(raw) > _MOST_BYTES:
            raise SettingsError(f"ignore file {path} is larger than {_MOST_BYTES:,} bytes")
        if b"\0" in raw:
            raise SettingsError(f"ignore file {path} is no UTF-8 text: it holds NUL bytes")
        entries: dict[str, None] = {}
        for number, line in enumerate(raw.decode("utf-8-sig", "replace").splitlines(), start=1):
            entry = re.sub(r"(^|\s)#.*", "", line).strip()
            if _ID_LIKE.fullmatch(entry) and not _ID.fullmatch(entry):
                raise SettingsError(
                    f"ignore file {path}, line {number}: {entry!r:.40} is no id: expected 'p-' or "
                    "'t-' and 8 to 16 hexadecimal digits"
                )
            if entry:
                entries[entry] = None
        if len(entries) > _MOST_ENTRIES:
            raise SettingsError(f"ignore file {path} holds over {_MOST_ENTRIES:,} entries")
        return Ignored(path, tuple(entries))

    def sift(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no entry leaves out."""
        kept = []
        for finding in findings:
            used = self._matching(finding)
            if used:
                self._used |= used
                self.findings += 1
            else:
                kept.append(finding)
        return kept

    def _matching(self, finding: Finding) -> set[str]:
        """The entries by which a finding is ignored; empty where it is not."""
        found = set()
        templates: set[str] = set()
        lines = [line for line in finding.lines if line.highlight] or list(finding.lines)
        messages = {line.text[line.message_at :].strip() for line in lines}
        said: set[str] = set()
        for entry in self.entries:
            if _ID.fullmatch(entry):
                if finding.pattern.startswith(entry):
                    found.add(entry)
                covered = {t.id for t in finding.templates if t.id.startswith(entry)}
                new = set[str]()
            else:
                covered = {t.id for t in finding.templates if wildcard(entry, t.text)}
                new = {m for m in messages if wildcard(entry, m)}
            if covered or new:
                templates |= covered
                said |= new
                found.add(entry)
        by_pattern = any(finding.pattern.startswith(e) for e in found)
        by_template = bool(finding.templates) and templates == {t.id for t in finding.templates}
        by_message = bool(messages) and said == messages
        return found if by_pattern or by_template or by_message else set()

    def told(self) -> str:
        """How many entries there are, and how many matched nothing."""
        unused = len(self.entries) - len(self._used)
        entries = _entries(len(self.entries))
        return f" ({entries}; {_entries(unused)} matched nothing)" if unused else f" ({entries})"

    def note(self) -> str:
        """What was ignored, as a sentence."""
        return f"{many(self.findings, 'finding')} ignored by {self.name}{self.told()}"


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"
