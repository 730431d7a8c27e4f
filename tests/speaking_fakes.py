"""Models that a test writes: functions of the request, behind all that a real one stands behind."""

from __future__ import annotations

import re
from collections.abc import Callable

from logwright.llm.budget import Account, Budget, Charge
from logwright.llm.chat import Chat
from logwright.llm.journal import Journal
from logwright.llm.reply import Reply, Usage, split_thoughts
from logwright.llm.request import Request

__all__ = ["Said", "Written", "answered", "fake_chat", "shown_lines"]

Written = Callable[[Request], str]
Said = str | Written

_SHOWN = re.compile(r"^[|!] (\d+): (.*)$", re.M)


class _Source:
    def __init__(self, said: tuple[Said, ...]) -> None:
        self._said = list(said)
        self.requests: list[Request] = []

    def complete(self, request: Request, purpose: str) -> tuple[Reply, Charge]:
        self.requests.append(request)
        said = self._said.pop(0) if len(self._said) > 1 else self._said[0]
        thoughts, text = split_thoughts(said if isinstance(said, str) else said(request))
        usage = Usage(prompt=10, completion=7)
        return Reply(text=text, thoughts=thoughts, usage=usage), Charge(17, None)

    def close(self) -> None:
        pass


def fake_chat(*said: Said) -> tuple[Chat, list[Request]]:
    """A chat whose model says these texts one after the other, the last one for ever."""
    source = _Source(said)
    return Chat("m", source, Account(Budget(), None), Journal(None), 1), source.requests


def shown_lines(request: Request) -> dict[int, str]:
    """The numbered lines of a question."""
    return {int(m[1]): m[2] for m in _SHOWN.finditer(request.turns[-1][1])}


def answered(
    verdict: str = "abnormal",
    think: str = 'It is full [2: "disk full"].',
    lines: str = "2: disk full",
    confidence: str = "0.9",
) -> str:
    return (
        f"<plan>look</plan><think>{think}</think>\n<answer>{verdict}</answer>\n"
        f"<lines>{lines}</lines>\n<confidence>{confidence}</confidence>"
    )
