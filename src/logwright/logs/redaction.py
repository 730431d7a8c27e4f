"""Redaction of well-known secret forms in text that is kept or shown (contract 11).

Lines that stay in a model, a report or a finding go through `redact`; scoring and shapes see the
lines as they are. Four things are looked for, each behind a cheap check that most lines end at:
tokens that their prefix tells, values that their place tells (`password=`, `Authorization:`,
`://user:...@`, `mysql -p...`), private keys, and card numbers. Every place is found in the line as
it came, then all are replaced together, so that the order of forms does not matter. The modules
`secret_...` hold the forms and the checks; the form of people's addresses is here.

Input is hostile: every expression takes time linear in the line. A repetition without bound begins
where its run begins, or nothing that can fail comes after it.

Left out: secrets in no such form (leave example lines out with `--no-exemplars`), names in other
languages, IBANs, and keys whose lines come as records of their own behind `-----BEGIN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from logwright.logs.secret_cards import cards
from logwright.logs.secret_gates import has_place, suspects, tells
from logwright.logs.secret_names import named
from logwright.logs.secret_places import placed
from logwright.logs.secret_tokens import private_keys, tokens
from logwright.logs.secret_values import MARK, Span

__all__ = ["redact", "redact_all"]

_PASSES = 4
"""What is hidden may free what abuts it: lines that hold secrets are looked at again."""
_MANY = 16
"""Texts from which on it pays to look for suspects in all of them at once."""

_EMAIL = re.compile(
    rb"(?<![\w.%+-])[\w.%+\x80-\xff-]{1,64}@(?:[A-Za-z0-9\x80-\xff-]{1,63}\.){1,8}[A-Za-z]{2,24}"
    rb"(?![\w-])"
)


def redact(text: bytes, emails: bool = False) -> bytes:
    """The text with secrets replaced by `[redacted ...]`; with `emails`, addresses as well.

    >>> redact(b"login password=hunter2 from http://ann:s3cret@db/x")
    b'login password=[redacted secret] from http://ann:[redacted url password]@db/x'
    >>> redact(b"card 4111 1111 1111 1111, order 4111 1111 1111 1112")
    b'card [redacted card], order 4111 1111 1111 1112'
    >>> redact(b"mail to ann@example.com", emails=True)
    b'mail to [redacted email]'
    """
    for _ in range(_PASSES):
        found = _found(text, emails)
        if not found:
            break
        text = _without(text, found)
    return text


def redact_all(texts: Sequence[bytes], emails: bool = False) -> list[bytes]:
    """`redact` of each text; of many texts, only those are looked at that may hold a secret.

    >>> redact_all([b"started", b"pin=1234"])
    [b'started', b'pin=[redacted code]']
    """
    shown = list(texts)
    for i in suspects(texts, emails) if len(texts) >= _MANY else range(len(texts)):
        shown[i] = redact(shown[i], emails)
    return shown


def _found(text: bytes, emails: bool) -> list[Span]:
    found = list(tokens(text))
    lower = text.lower()
    if tells(lower):
        found += private_keys(text)
        found += named(text)
        if has_place(lower):
            found += placed(text)
    found += cards(text)
    if emails and b"@" in text:
        found += ((*m.span(), b"email") for m in _EMAIL.finditer(text))
    return found


def _without(text: bytes, found: Iterable[Span]) -> bytes:
    pieces: list[bytes] = []
    at, end = 0, -1
    for begin, stop, name in sorted(found, key=lambda span: (span[0], -span[1])):
        if begin >= end:
            pieces += text[at:begin], MARK, name, b"]"
        end = at = max(end, stop)
    return b"".join((*pieces, text[at:]))
