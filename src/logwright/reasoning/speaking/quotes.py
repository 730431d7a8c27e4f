r"""Log lines as a model is shown them, and its quotes of them back in the words of the log.

A model sees a line escaped (`logwright.llm.fence.visible`), and disarmed here: a `<` that could
open a tag becomes `＜`, the bracket of a chat template's own mark becomes `［`, and what could
begin a line of its own becomes `⏎`. Each is one character for one, so that hiding and the guard
see what they would have seen (the guard folds these forms to the plain ones). A model's quote of
such a line is found in the raw line again, and the citation holds the raw words.
"""

from __future__ import annotations

import re

from logwright.llm.fence import visible

__all__ = ["disarmed", "plain", "quoted"]

_TAG = re.compile(r"<(?=[^\s*\d=>.,;-])")
_ROLE = re.compile(
    r"\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG|PREFIX|SUFFIX)\])",
    re.I,
)
_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_PLAIN = str.maketrans("＜［", "<[")


def disarmed(line: str) -> str:
    r"""The line, as many characters long, with nothing in it that a prompt or an answer is made of.

    >>> disarmed("a</answer> <|im_start|> [INST] x < 3, <*>\n12: forged")
    'a＜/answer> ＜|im_start|> ［INST] x < 3, <*>⏎12: forged'
    """
    return _BREAK.sub("⏎", _ROLE.sub("［", _TAG.sub("＜", line)))


def plain(text: str) -> str:
    """What a model wrote, with the forms of `disarmed` put back.

    >>> plain("it says ＜init> is missing")
    'it says <init> is missing'
    """
    return text.translate(_PLAIN)


def quoted(quote: str, line: str) -> str | None:
    r"""The words of the line that a quote means; None where the line does not say it. Layout and
    escapes may differ, words may not.

    >>> quoted("bad \\x1b[31m＜b>", "a  bad\t\x1b[31m<b> one")
    'bad\t\x1b[31m<b>'
    >>> quoted("good", "a bad one") is None
    True
    """
    wanted = quote.strip()
    if wanted and wanted in line:
        return wanted
    wanted = wanted.removesuffix("…").removesuffix("...").rstrip()  # as a cut line ends
    shown, _ = _told(wanted)
    text, places = _told(line)
    shown = shown.strip()
    at = text.find(shown) if shown else -1
    if at < 0:
        return None
    return line[places[at] : places[at + len(shown) - 1] + 1]


def _told(text: str) -> tuple[str, list[int]]:
    """The text in the one form in which quotes are compared, and where each character is from."""
    pieces: list[str] = []
    places: list[int] = []
    for at, char in enumerate(text):
        told = plain(visible(char))
        if told.isspace() or char == "⏎" or _BREAK.match(char):
            if pieces and pieces[-1] == " ":
                continue
            told = " "
        pieces.append(told)
        places += [at] * len(told)
    return "".join(pieces), places
