"""What is asked: messages of a conversation, and the request that is made of them.

Text from logs goes into a message as `LogText`, never as a plain string: it is hidden
(`placeholders.py`), looked through (`guard.py`) and fenced (`fence.py`) before it leaves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

__all__ = [
    "LogText",
    "Message",
    "Prompt",
    "Request",
    "Role",
    "assistant",
    "message",
    "system",
    "user",
]

Role = Literal["system", "user", "assistant"]

_PER_MESSAGE = 16
"""Tokens at most that chat templates put around a message (role, separators)."""
_PER_REQUEST = 64
"""Tokens at most that a server puts before the first message: a date, a line of its own."""


@dataclass(frozen=True)
class LogText:
    """Lines of a log, as they are: decoded with surrogateescape, without line ends."""

    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Message:
    """One turn. The parts are joined by line ends; a `system` text is trusted and stays as it is
    but for values that were hidden elsewhere, all others are hidden in the same way."""

    role: Role
    parts: tuple[str | LogText, ...]


Prompt = Message | Mapping[str, str]
"""A message, or the dict of the wire format: `{"role": ..., "content": ...}`."""


def system(*parts: str | LogText) -> Message:
    """Instructions, written by us.

    >>> system("Answer shortly.").role
    'system'
    """
    return Message("system", parts)


def user(*parts: str | LogText) -> Message:
    """A question, with log text as `LogText`.

    >>> user("What is wrong?", LogText(("disk full",))).parts[1].text
    'disk full'
    """
    return Message("user", parts)


def assistant(*parts: str | LogText) -> Message:
    """What the model answered before; the caller's `Answer.text` can be given back as it is."""
    return Message("assistant", parts)


def message(prompt: Prompt) -> Message:
    """The message of a prompt in either form.

    >>> message({"role": "user", "content": "hello"})
    Message(role='user', parts=('hello',))
    """
    if isinstance(prompt, Message):
        return prompt
    role, content = prompt.get("role"), prompt.get("content")
    if role not in ("system", "user", "assistant") or not isinstance(content, str):
        raise ValueError(f"no message: a role and a content are needed, not {sorted(prompt)}")
    return Message(cast(Role, role), (content,))


@dataclass(frozen=True)
class Request:
    """What leaves the house: finished text, in pairs of role and content."""

    model: str
    turns: tuple[tuple[Role, str], ...]
    max_tokens: int
    stop: tuple[str, ...] = ()
    """Texts at the first of which the answer ends; it does not hold them."""

    @property
    def key(self) -> str:
        """The name of this request in journals and batches: a hash of all that shapes its answer.

        >>> a = Request("m", (("user", "hello"),), 10)
        >>> a.key == Request("m", (("user", "hello"),), 10).key
        True
        >>> a.key == Request("m", (("user", "hello"),), 11).key
        False
        """
        shaping: list[object] = [self.model, self.turns, self.max_tokens]
        if self.stop:  # so that requests without it keep their names in journals
            shaping.append(self.stop)
        told = json.dumps(shaping, ensure_ascii=True)
        return "lw-" + hashlib.sha256(told.encode()).hexdigest()[:40]

    @property
    def prompt_bytes(self) -> int:
        return sum(len(content.encode("utf-8", "replace")) for _, content in self.turns)

    @property
    def most_tokens(self) -> tuple[int, int]:
        """Most tokens in and out. A token of a byte-level vocabulary is at least one byte, so the
        bytes of the prompt are a bound that holds for every model.

        >>> Request("m", (("user", "hello"),), 10).most_tokens
        (85, 10)
        """
        around = _PER_REQUEST + _PER_MESSAGE * len(self.turns)
        return self.prompt_bytes + around, self.max_tokens

    def body(self, limit: str) -> dict[str, object]:
        """The JSON of the chat-completions endpoint; `limit` is its name for `max_tokens`."""
        turns: Sequence[Mapping[str, str]] = [
            {"role": role, "content": content} for role, content in self.turns
        ]
        body: dict[str, object] = {"model": self.model, "messages": turns, limit: self.max_tokens}
        if self.stop:
            body["stop"] = list(self.stop)
        return body
