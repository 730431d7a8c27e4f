"""What endpoints send in other forms than asked for: events instead of one body, and refusals of
questions that are too long, which every server words in its own way."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["completion", "too_long"]

_TOO_LONG = re.compile(
    r"context_length_exceeded|context[ _](?:length|window|size)|maximum (?:input|prompt) length"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|too many (?:input )?tokens"
    r"|exceed\w* (?:the )?(?:available |model'?s? )?(?:maximum |max )?context"
    r"|longer than the maximum model length|reduce the length",
    re.I,
)
_MOST = re.compile(
    r"(?:maximum|available context|model length)\D{0,60}?(\d{3,8})|n_ctx\D{0,10}(\d{3,8})", re.I
)


def completion(events: bytes) -> bytes | None:
    r"""The body that a stream of events tells, as if it had come in one; None where it was cut off.

    >>> said = [b'{"choices": [{"delta": {"content": "di"}}]}',
    ...     b'{"choices": [{"delta": {"content": "sk"}, "finish_reason": "stop"}]}', b"[DONE]"]
    >>> json.loads(completion(b"".join(b"data: %s\n\n" % one for one in said)))["choices"][0]
    {'message': {'content': 'disk'}, 'finish_reason': 'stop'}
    """
    message: dict[str, list[str]] = {}
    finish: str | None = None
    told: dict[str, Any] = {}
    done = False
    for line in events.replace(b"\r\n", b"\n").split(b"\n"):
        if not line.startswith(b"data:"):
            continue
        said = line[5:].strip()
        if said == b"[DONE]":
            done = True
            break
        try:
            event = json.loads(said)
        except (ValueError, RecursionError):
            return None
        if not isinstance(event, dict):
            return None
        if isinstance(event.get("usage"), dict):
            told["usage"] = event["usage"]
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            continue
        if isinstance(choice.get("finish_reason"), str):
            finish = choice["finish_reason"]
        delta = choice.get("delta")
        for name, piece in delta.items() if isinstance(delta, dict) else ():
            if isinstance(piece, str) and name != "role":
                message.setdefault(name, []).append(piece)
    if not done and finish is None:
        return None
    whole = {name: "".join(pieces) for name, pieces in message.items()}
    told["choices"] = [{"message": whole, "finish_reason": finish or "stop"}]
    return json.dumps(told).encode()


def too_long(refusal: bytes) -> int | None:
    """Whether a refusal says that the question has too many tokens: how many there may be, 0 where
    it does not say; None where it speaks of something else.

    >>> too_long(b'{"error": {"code": "context_length_exceeded", "message": "The maximum context '
    ...     b'length is 4096 tokens, your messages have 9000"}}')
    4096
    >>> too_long(b"prompt is too long"), too_long(b"max_tokens is too large")
    (0, None)
    """
    text = refusal.decode("utf-8", "replace")
    if not _TOO_LONG.search(text):
        return None
    found = _MOST.search(text)
    return int(found[1] or found[2]) if found else 0
