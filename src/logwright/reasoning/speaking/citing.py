"""Citations as they stand in a model's text, read against the material they cite.

Small models copy words without the escapes that were asked for, list what they were not to number,
and put quotation marks around all of it: what can be meant in one way only is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from logwright.reasoning.answer import Citation, Rival, Step
from logwright.reasoning.material import Material
from logwright.reasoning.speaking.quotes import disarmed, plain, quoted
from logwright.reasoning.task import Task

__all__ = ["MisfitError", "Reader", "cite", "confidence"]

_MARK = re.compile(r'\[(\d{1,9}): ?"((?:[^"\\\n]|\\.)*)"\]')
_LOOSE = re.compile(r'\[(\d{1,9}): ?"([^\n]*?)"\]')
_BARE = re.compile(r"(?:(?<=\s)|^)\[(\d{1,9})\](?!\w)")
_SPOKEN = re.compile(r'"[^"\n]*"')
_AT_END = re.compile(r"(?:^|\s+)\[(\d{1,9})\]$")
_ESCAPED = re.compile(r"\\([\"\\])")
_LISTED = re.compile(r"(?:\d{1,2}[.)]|[-*•])\s+")
_LINE = re.compile(r"(?:[-*•]\s+)?(?:[Ll]ine )?\[?(\d{1,9})\]?\s*[:.]\s*(.*)")
_RIVAL = re.compile(
    r"([^\s|]{1,12})\s*\|\s*(.*?)\s*(?:\|\s*for\s+(\[.*?\]))?\s*(?:\|\s*against\s+(\[.*\]))?\s*"
)


class MisfitError(ValueError):
    """A text is no answer to the task; the message says in a sentence why, for the model."""


def cite(citation: Citation) -> str:
    r"""A citation as it stands in reasoning.

    >>> cite(Citation(line=3, quote='said "no"'))
    '[3: "said \\"no\\""]'
    """
    quote = disarmed(citation.quote).replace("\\", "\\\\").replace('"', '\\"')
    return f'[{citation.line}: "{quote}"]'


def confidence(said: str) -> float:
    """A number from 0 to 1, or a percentage.

    >>> confidence("0.7"), confidence("70%")
    (0.7, 0.7)
    """
    try:
        told = float(said.strip().removesuffix("%")) / (100 if said.strip().endswith("%") else 1)
    except ValueError:
        told = -1.0
    if not 0 <= told <= 1:
        raise MisfitError(f"the confidence is {said.strip()!r:.40}: expected a number from 0 to 1")
    return told


class Reader:
    """Reads citations against the material."""

    def __init__(self, task: Task, material: Material) -> None:
        self._material = material
        # About a template, a number in brackets is as likely a word of the line.
        self._numbers_told = task is not Task.PARSE

    def told(self, text: str, found: list[Citation]) -> str:
        """The text with its citations short (`[12]`), those at the end of a line left out; they
        are added to `found`."""
        pieces: list[str] = []
        at = 0
        while mark := _LOOSE.search(text, at):
            citation, end = self._cited(text, mark)
            pieces += text[at : mark.start()], f"[{citation.line}]"
            found.append(citation)
            at = end
        pieces.append(text[at:])
        numbers = {str(citation.line) for citation in found}
        lines = "".join(pieces).split("\n")
        return "\n".join(_without(line.rstrip(), numbers) for line in lines)

    def step(self, line: str) -> Step:
        found: list[Citation] = []
        told = self.told(_unlisted(line.strip()), found)
        if self._numbers_told:
            for bare in _BARE.finditer(_SPOKEN.sub("", told)):
                self._numbered(bare[1])
        return Step(text=plain(told.strip()), citations=tuple(found))

    def lines(self, text: str) -> list[Citation]:
        """`12: words`, a line each; words may stand in quotation marks."""
        found = []
        for line in filter(None, (line.strip() for line in text.split("\n"))):
            if mark := _LOOSE.match(_unlisted(line)):
                found.append(self._cited(_unlisted(line), mark)[0])
                continue
            told = _LINE.fullmatch(line)
            if told is None:
                raise MisfitError(f"<lines> holds {line!r:.80}: expected 12: words of line 12")
            number = self._numbered(told[1])
            words = told[2].strip()
            unquoted = words[1:-1] if len(words) > 1 and words[0] == words[-1] in "\"'`" else words
            found.append(self._first(number, (words, unquoted)))
        return found

    def rivals(self, text: str) -> Iterable[Rival]:
        for line in filter(None, (line.strip() for line in text.split("\n"))):
            told = _RIVAL.fullmatch(_unlisted(line))
            if told is None:
                raise MisfitError(f"<rivals> holds {line!r:.80}: expected 0.7 | a cause")
            supporting: list[Citation] = []
            contradicting: list[Citation] = []
            name = self.told(told[2], supporting).strip()
            self.told(told[3] or "", supporting)
            self.told(told[4] or "", contradicting)
            yield Rival(
                text=plain(name),
                confidence=confidence(told[1].rstrip(":")),
                supporting=tuple(supporting),
                contradicting=tuple(contradicting),
            )

    def _cited(self, text: str, mark: re.Match[str]) -> tuple[Citation, int]:
        """The citation at a mark and where it ends. Quotes may be escaped, as we write them, or
        copied as they are, quotation marks and brackets included: then the longest that holds."""
        number = self._numbered(mark[1])
        strict = _MARK.match(text, mark.start())
        if strict is not None:
            whole = (_ESCAPED.sub(r"\1", strict[2]), strict[2])
            if (held := self._held(number, whole)) is not None:
                return held, strict.end()
        line_end = text.find("\n", mark.start())
        ends = [
            found.start()
            for found in re.finditer(r'"\]', text[: line_end if line_end >= 0 else None])
            if found.start() >= mark.start(2)
        ]
        for end in reversed(ends[:16]):
            if (held := self._held(number, (text[mark.start(2) : end],))) is not None:
                return held, end + 2
        return Citation(line=number, quote=plain(mark[2])), mark.end()

    def _first(self, number: int, quotes: tuple[str, ...]) -> Citation:
        held = self._held(number, quotes)
        return held or Citation(line=number, quote=plain(quotes[-1]))

    def _held(self, number: int, quotes: tuple[str, ...]) -> Citation | None:
        line = self._material.text(number)
        for quote in quotes:
            if (raw := quoted(quote, line)) is not None:
                return Citation(line=number, quote=raw)
        return None

    def _numbered(self, said: str) -> int:
        number = int(said)
        if not 1 <= number <= len(self._material):
            last = len(self._material)
            raise MisfitError(f"there is no line {number}: the last one is {last}")
        return number


def _unlisted(line: str) -> str:
    """The line without what numbers it or begins it in a list."""
    return _LISTED.sub("", line, count=1) if _LISTED.match(line) else line


def _without(line: str, numbers: set[str]) -> str:
    while (mark := _AT_END.search(line)) and mark[1] in numbers:
        line = line[: mark.start()]
    return line
