"""Card numbers: an issuer's form, the Luhn check, and no name in front that says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logwright.logs.secret_values import Span

__all__ = ["CARD", "cards"]

CARD = re.compile(
    rb"[2-6](?<![\w.-].)(?<!\d\d[ -].)\d{3}([ -]?)(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{4,5})"
    rb"(?![\w]|[ -]\d{4}(?!\d)|\.\d)"
)
"""The form of a number: 14 to 16 digits, at most three signs between them. It reads over no end of
a line, neither in front of the number nor behind."""

_ISSUERS = {
    16: re.compile(
        rb"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|6011|64[4-9]|65|62|352[89]|35[3-8]"
    ),
    15: re.compile(rb"3[47]"),
    14: re.compile(rb"30[0-5]|3[689]"),
}
_COUNTER = re.compile(
    rb"(?:(?<![A-Za-z])(?:[a-z]{0,8}_|job|tx|trace|span|request|msg|message|block|[pctuszxo])?(?i:id)"
    rb"|[a-z]I[dD]|(?<![A-Za-z])(?i:offset|seq|ts|time|timestamp|nanos|bytes|size|blk|block|zxid|lsn|pos"
    rb"|position))[\"']?[ :=#]{1,3}[\"']?$"
)


def cards(text: bytes) -> Iterator[Span]:
    """Numbers of an issuer's form that pass the Luhn check and are not called an id or a time.

    >>> list(cards(b"card 4111 1111 1111 1111, order_id=4111111111111111"))
    [(5, 24, b'card')]
    """
    for m in CARD.finditer(text):
        number = m[0].translate(None, b" -")
        digits = [b - 48 for b in number]
        doubled = (d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits)))
        if not _ISSUERS[len(number)].match(number) or sum(doubled) % 10 or len(set(digits)) < 2:
            continue
        whole = number == m[0]
        if not (whole and _COUNTER.search(text, max(m.start() - 32, 0), m.start())):
            yield (*m.span(), b"card")
