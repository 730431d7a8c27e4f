"""Facts: what the evidence reasoner's answer is made of, ready to be told along any strategy.

Where the label is a text, the words that stand in it and in a line alike are a fact too: they are
what in the line the text is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.building.labelled import Labelled
from logwright.reasoning.building.trajectories import divided, mark
from logwright.reasoning.material import Material

__all__ = ["CALM", "facts_of", "lines_named", "numbered_anew", "telling"]

CALM = "Nothing goes wrong"
"""How an interpretation begins that finds no trouble."""

_RIVALS = 3
_POINTED = 3
_LEAST_LETTERS = 8
_LEAST_QUOTE = 3
_WORD = re.compile(r"[^\s\[\]()\"'`,;=]+")
_EDGE = ".:!?*<>"
_ONE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_LINE = re.compile(rf"\b[Ll]ine {_ONE}|\b[Ll]ines {_ONE}(?:, {_ONE})*(?: and {_ONE})?")
_NAMED = re.compile(r'" \(line (\d+)((?:, [^)]*)?)\)')
_NUMBER = re.compile(_ONE)


def facts_of(answer: Answer) -> list[Step]:
    """The steps of an answer, and its hypotheses with what speaks for and against each."""
    facts = list(answer.steps)
    for rival in answer.rivals[: _RIVALS if len(answer.rivals) > 1 else 0]:
        speaks = [mark(one) for one in rival.supporting[:1]]
        against = [mark(one) for one in rival.contradicting[:1] if mark(one) not in speaks]
        if speaks:
            text = f"Rival: {rival.text.partition(':')[0]}, for which speaks {speaks[0]}"
            text += f", against it {against[0]}" if against else ""
            facts.append(Step(text=text, citations=(*rival.supporting[:1],)))
    return facts


def telling(item: Labelled) -> Step | None:
    """The words of lines that the label takes up, where it takes up any that are not everyday
    words.

    >>> from logwright.reasoning.task import Task
    >>> item = Labelled(Task.SOLUTION, "web", 1, Material.of_lines(["GET /a: responsecode 403"]),
    ...     "Allow /a: the responsecode 403 means that it is forbidden.", "text")
    >>> telling(item).citations
    (Citation(line=1, quote='responsecode 403'),)
    """
    known = {word.strip(_EDGE).lower() for word in _WORD.findall(item.truth)}
    runs: dict[str, tuple[int, Citation]] = {}
    for number, line in enumerate(item.material.lines, 1):
        for begin, end in _runs(line, known):
            quote = line[begin:end]
            letters = sum(map(len, (w for w in _WORD.findall(quote) if _special(w))))
            if letters and len(quote) >= _LEAST_QUOTE:
                runs.setdefault(quote, (letters + len(quote), Citation(line=number, quote=quote)))
    best = sorted(runs.values(), key=lambda run: (-run[0], run[1].line))[:_POINTED]
    if sum(len(cited.quote) for _, cited in best) < _LEAST_LETTERS:
        return None
    cited = tuple(citation for _, citation in best)
    return Step(text=f"Telling: {' and '.join(mark(one) for one in cited)}", citations=cited)


def _runs(line: str, known: set[str]) -> Iterator[tuple[int, int]]:
    """Where words of the line stand together that are known."""
    begin = end = -1
    for match in _WORD.finditer(line):
        word = match[0].strip(_EDGE)
        if word.lower() in known and (begin < 0 or match.start() - end <= 1):
            begin = match.start() + match[0].find(word) if begin < 0 else begin
            end = match.start() + match[0].find(word) + len(word)
            continue
        if begin >= 0:
            yield begin, end
        begin = -1
        if word and word.lower() in known:
            begin = match.start() + match[0].find(word)
            end = begin + len(word)
    if begin >= 0:
        yield begin, end


def _special(word: str) -> bool:
    """Whether a word is a name, a code or a long word, not one of everyday.

    >>> [_special(word) for word in ("the", "403", "RewriteMap", "target.html", "permission")]
    [False, True, True, True, True]
    """
    mixed = any(c.isdigit() for c in word) or any(c.isupper() for c in word[1:])
    return len(word) > 6 or (len(word) > 2 and (mixed or any(c in "._/-" for c in word)))


def lines_named(facts: Sequence[Step]) -> list[int]:
    """The lines that facts cite or speak of, in order."""
    told: list[int] = []
    for fact in facts:
        told += [citation.line for citation in fact.citations]
        for text, citation in divided(fact.text):
            told += [] if citation is None else [citation.line]
            for match in _LINE.finditer(text):
                told += [int(one.replace(",", "")) for one in _NUMBER.findall(match[0])]
    return list(dict.fromkeys(told))


def numbered_anew(fact: Step, number: dict[int, int], material: Material) -> Step | None:
    """The same about an excerpt; None where it speaks of a line that is not in it. Quotes that
    name their line become citations."""
    if any(line not in number for line in lines_named([fact])):
        return None
    cited = tuple(Citation(line=number[one.line], quote=one.quote) for one in fact.citations)
    parts = []
    for text, citation in divided(fact.text):
        parts.append(_said_anew(text, number, material))
        if citation is not None:
            parts.append(mark(Citation(line=number[citation.line], quote=citation.quote)))
    return Step(text="".join(parts), citations=cited)


def _said_anew(text: str, number: dict[int, int], material: Material) -> str:
    def named(match: re.Match[str]) -> str:
        return _NUMBER.sub(lambda one: str(number[int(one[0].replace(",", ""))]), match[0])

    parts = []
    at = 0
    for match in _NAMED.finditer(text):
        line = int(match[1])
        begin = _quote_before(text, at, match.start(), material.text(line))
        if begin >= 0:
            told = mark(Citation(line=number[line], quote=text[begin + 1 : match.start()]))
            parts += [_LINE.sub(named, text[at:begin]), told + match[2]]
            at = match.end()
    return "".join([*parts, _LINE.sub(named, text[at:])])


def _quote_before(text: str, begin: int, end: int, line: str) -> int:
    """Where the quotation mark stands from which on the text says what is in the line, up to the
    closing mark at `end`; -1 if nowhere. Quotes may hold quotation marks.

    >>> text = 'It says "a "b" c" (line 1)'
    >>> _quote_before(text, 0, 16, 'a "b" c')
    8
    """
    at = text.find('"', begin, end)
    while at >= 0:
        if end - at > _LEAST_QUOTE and text[at + 1 : end] in line:
            return at
        at = text.find('"', at + 1, end)
    return -1
