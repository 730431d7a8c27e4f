"""What an endpoint answered: text, reasoning apart from it, why it ended, and tokens used.

The bytes come from a server that may be wrong in every field. What is missing or senseless is
replaced by the stated default; only an answer without any choice is no answer.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeGuard, cast

from pydantic import BaseModel, ConfigDict

from logwright.llm.request import Request

__all__ = ["Reply", "ReplyError", "Usage", "reply_of", "split_thoughts"]

_BYTES_PER_TOKEN = 3
"""Of log text with its many digits; English prose has four."""
_MOST_TOKENS = 1 << 40
_OPEN, _CLOSE = re.compile(r"\s*<think(?:ing)?>"), re.compile(r"</think(?:ing)?>")


class ReplyError(ValueError):
    """The body is not an answer of a chat-completions endpoint."""


class Usage(BaseModel):
    """Tokens of one request; `estimated` where the server did not tell them, or told nonsense."""

    model_config = ConfigDict(frozen=True)

    prompt: int
    completion: int
    estimated: bool = False


class Reply(BaseModel):
    """An answer as it came, still with placeholders; this is what journals keep."""

    model_config = ConfigDict(frozen=True)

    text: str
    thoughts: str = ""
    finish: str = "stop"
    refusal: str = ""
    usage: Usage


def split_thoughts(text: str) -> tuple[str, str]:
    """Reasoning and answer of a text that holds both. An unclosed tag has no answer behind it;
    some chat templates open the tag in the prompt, so that only its end comes.

    >>> split_thoughts("<think>well</think>\\n42")
    ('well', '42')
    >>> split_thoughts("<think>never done")
    ('never done', '')
    >>> split_thoughts("42")
    ('', '42')
    """
    opened, closed = _OPEN.match(text), _CLOSE.search(text)
    if closed is not None:
        begin = opened.end() if opened else 0
        return text[begin : closed.start()].strip(), text[closed.end() :].strip()
    if opened is not None:
        return text[opened.end() :].strip(), ""
    return "", text


def reply_of(body: bytes, request: Request) -> Reply:
    """The reply in the body of a response.

    >>> request = Request("m", (("user", "hello"),), 10)
    >>> reply_of(b'{"choices": [{"message": {"content": "hi"}}]}', request).usage.estimated
    True
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReplyError("the body is not JSON") from error
    return reply_from(told, request)


def reply_from(told: object, request: Request) -> Reply:
    """The reply in a parsed body; the same as in the answer files of batches."""
    choices = told.get("choices") if isinstance(told, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    said = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(told, dict) or not isinstance(choice, dict) or not isinstance(said, dict):
        raise ReplyError("the body holds no choice with a message")
    thoughts, text = split_thoughts(_content(said.get("content")))
    for name in ("reasoning_content", "reasoning"):
        if not thoughts and isinstance(said.get(name), str):
            thoughts = said[name]
    finish, refusal = choice.get("finish_reason"), said.get("refusal")
    return Reply(
        text=_whole(text),
        thoughts=_whole(thoughts),
        finish=finish if isinstance(finish, str) else "stop",
        refusal=_whole(refusal) if isinstance(refusal, str) else "",
        usage=_usage(told.get("usage"), text + thoughts, request),
    )


def _content(content: object) -> str:
    """A string, null, or a list of typed parts of which those of text count."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _whole(text: str) -> str:
    """JSON can spell halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _usage(told: Any, text: str, request: Request) -> Usage:
    if isinstance(told, dict):
        prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens")
        if _sensible(prompt, 1) and _sensible(completion, 1 if text else 0):
            return Usage(prompt=prompt, completion=completion)
    said = len(text.encode("utf-8", "replace"))
    return Usage(
        prompt=-(-request.prompt_bytes // _BYTES_PER_TOKEN),
        completion=-(-said // _BYTES_PER_TOKEN),
        estimated=True,
    )


def _sensible(tokens: object, least: int) -> TypeGuard[int]:
    whole = isinstance(tokens, int) and not isinstance(tokens, bool)
    return whole and least <= cast(int, tokens) <= _MOST_TOKENS
