"""Redaction of well-known secret forms in text that is kept or shown (contract 11).

Lines that stay in a model, a report or a finding go through `redact`; scoring and shapes see the
lines as they are. Four things are looked for, each behind a cheap check that most lines end at:
tokens that their prefix tells, values that their place tells (`password=`, `Authorization:`,
`://user:...@`, `mysql -p...`), private keys, and card numbers. Every place is found in the line as
it came, then all are replaced together, so that the order of forms does not matter. The modules
`secret_...` hold the forms; those of cards and of people's addresses are here.

Input is hostile: every expression takes time linear in the line. A repetition without bound begins
where its run begins, or nothing that can fail comes after it.

Left out: secrets in no such form (leave example lines out with `--no-exemplars`), names in other
languages, IBANs, and keys whose lines come as records of their own behind `-----BEGIN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from logwright.logs.secret_names import named
from logwright.logs.secret_places import placed
from logwright.logs.secret_tokens import private_keys, tokens
from logwright.logs.secret_values import MARK, Span

__all__ = ["redact"]

_PASSES = 4
"""What is hidden may free what abuts it: lines that hold secrets are looked at again."""

# Literals alone, which `re` looks for quickly; what they find, the next expression looks at again.
_HINT = re.compile(
    rb"pass|pwd|secret|token|key|cred|auth|sess|sig|pin|otp|cvv|cvc|code|cookie|psk|sid|bearer"
    rb"|identified|webhook|hooks\.s|://|%3a%2f|@tcp\(|@unix\(|jdbc:o|-- ?begin|\$1\$|\$2|\$5\$"
    rb"|\$6\$|\$y\$|\$7\$|\$argon|\$scrypt|\$pbkdf|\.\.\.\.|mysql|mariadb|curl|wget|redis-cli|login|ldap"
)
_TELLING = re.compile(
    rb"(?:pass|pwd|secret|token|key|cred|auth|sess|sig|pin|otp|cvv|cvc|code|cookie|psk|sid)"
    rb"[\w.-]{0,28}(?: id)?(?:\\{0,3}[\"'`]|&\w{4};|&#\d\d;|%22)?(?:\]|%5d)?\s{0,8}(?:[:=>,(]|%3)"
    rb"|(?:key|token) [\w-]{20}|-(?<=[\s\"']-)-?[a-z]|bearer(?:\s|%20)|identified "
    rb"|password \\?['\"]|\"auth\" \"|://[^/\s]*@|%3a%2f%2f|@(?:tcp|unix)\(|jdbc:oracle"
    rb"|-- ?begin |\$(?:2[abxy]|[1567y]|argon|scrypt|pbkdf)|webhook|hooks\.slack|\.{4}"
)

_CARD = re.compile(
    rb"[2-6](?<![\w.-].)(?<!\d\d[ -].)\d{3}([ -]?)(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{4,5})"
    rb"(?![\w]|[ -]\d{4}(?!\d)|\.\d)"
)
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


def _found(text: bytes, emails: bool) -> list[Span]:
    found = list(tokens(text))
    lower = text.lower()
    if _HINT.search(lower) and _TELLING.search(lower):
        found += private_keys(text)
        found += named(text)
        found += placed(text)
    found += _cards(text)
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


def _cards(text: bytes) -> Iterator[Span]:
    """Numbers of an issuer's form that pass the Luhn check and are not called an id or a time."""
    for m in _CARD.finditer(text):
        number = m[0].translate(None, b" -")
        digits = [b - 48 for b in number]
        doubled = (d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits)))
        if not _ISSUERS[len(number)].match(number) or sum(doubled) % 10 or len(set(digits)) < 2:
            continue
        whole = number == m[0]
        if not (whole and _COUNTER.search(text, max(m.start() - 32, 0), m.start())):
            yield (*m.span(), b"card")
