"""Redaction of well-known secret forms in text that is kept or shown (contract 11).

Lines that stay in a model, a report or a finding go through `redact`; scoring and shapes see the
lines as they are. What is known: private keys, tokens with a telling prefix (AWS, GitHub, GitLab,
Slack, Google, Stripe, npm, PyPI, JWT), `Authorization` headers, passwords in URLs, values behind
names such as password, secret, token or api_key, and card numbers that pass the Luhn check. A
secret in no such form is not found: leave example lines out altogether with `--no-exemplars`.
"""

from __future__ import annotations

import re

__all__ = ["redact"]

_NAMES = (
    rb"(?:password|passwd|passphrase|(?<![A-Za-z_])pass|pwd|secret|credentials?|sessionid"
    rb"|(?:api|access|private|account|shared|client|auth)[_-]?(?:key|token)"
    rb"|(?<![A-Za-z] )token)"
)
_VALUE = rb"(?!\[redacted )(?:\"[^\"]{1,256}\"|'[^']{1,256}'|[^\s\"',;&)\]}]{3,})"
_FORMS: tuple[tuple[bytes, re.Pattern[bytes]], ...] = (
    (b"private key", re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.S)),
    (b"jwt", re.compile(rb"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}")),
    (
        b"key",
        re.compile(
            rb"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[oprsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}"
            rb"|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{35}|[sr]k_(?:live|test)_\w{16,}|npm_\w{36}"
            rb"|pypi-[\w-]{50,}|sk-[\w-]{20,})"
        ),
    ),
    (
        b"authorization",
        re.compile(
            rb"(?i)(?<=authorization)([\"']?\s*[:=]\s*[\"']?(?!(?:\w+ )?\[redacted )(?:\w+ )?)"
            rb"[^\s\"',;]+"
        ),
    ),
    (b"bearer", re.compile(rb"(?i)(?<=\bbearer )()[\w.~+/=-]{12,}")),
    (b"url password", re.compile(rb"(?<=://)([^/\s:@]{0,64}:)[^/\s@]{1,128}(?=@)")),
    (b"secret", re.compile(rb"(?i)(" + _NAMES + rb"[\"']?\s?(?:=>|[=:])\s?)" + _VALUE)),
    (b"secret", re.compile(rb"(?i)(--?" + _NAMES + rb"\s+)" + _VALUE)),
    # After a word, as in "unexpected token: EOF", only what looks like one.
    (b"secret", re.compile(rb"(?i)(\btoken[=:]\s?)(?!\[redacted )(?=\S*\d)[\w.~+/-]{8,}")),
)
_CARD = re.compile(rb"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_HINT = re.compile(
    rb"(?i)-----BEGIN|eyJ|AKIA|ASIA|gh[oprsu]_|github_pat_|glpat-|xox[abeoprs]-|AIza|[sr]k_|npm_"
    rb"|pypi-|sk-|authorization|bearer|token|://[^/\s]*@|" + _NAMES + rb"|\d(?:[ -]?\d){12}"
)


def redact(text: bytes) -> bytes:
    """The text with secrets replaced by `[redacted ...]`.

    >>> redact(b"login password=hunter2 from http://ann:s3cret@db/x")
    b'login password=[redacted secret] from http://ann:[redacted url password]@db/x'
    >>> redact(b"card 4111 1111 1111 1111, order 4111 1111 1111 1112")
    b'card [redacted card], order 4111 1111 1111 1112'
    """
    if not _HINT.search(text):
        return text
    for name, form in _FORMS:
        keep = rb"\1" if form.groups else b""
        text = form.sub(keep + b"[redacted " + name + b"]", text)
    return _CARD.sub(_card, text)


def _card(match: re.Match[bytes]) -> bytes:
    digits = [b - 48 for b in match[0] if 48 <= b <= 57]
    if not 13 <= len(digits) <= 19 or digits[0] not in (3, 4, 5, 6) or len(set(digits)) < 2:
        return match[0]
    doubled = (d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits)))
    return match[0] if sum(doubled) % 10 else b"[redacted card]"
