"""Secrets behind telling names: `name=value`, `"name": "value"`, `--name value` and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logwright.logs.secret_values import BARE, MARK, PROSE, QUOTE, Span, end_of, is_secret, value_at

__all__ = ["kind_of", "named"]

_NAME = re.compile(
    rb"(?<![\w.-])(?<!\[redacted )(?<!\[redacted url )(?:([\w.-]++)"
    + QUOTE
    + rb"?(?:\]|%5[Dd])?[ \t]{0,8}(=>|:=|::|==?|:|%3[DdAa])([ \t]{0,8})"
    rb"|(--?[A-Za-z][\w-]*+)(?:[ \t]{1,4}|[\"'](?:,| a\d{1,2}=)[ \t]?(?=[\"'])))"
)


def _names(text: bytes, end: bytes = b"") -> tuple[bytes, ...]:
    return tuple(name + end for name in text.split())


# Ends of names in lower case, without signs.
_STRONG = _names(
    b"password passwd passwort passphrase passcode pwd secret psk secretkey accesskeysecret"
    b" secretaccesskey privatekey accountkey sharedaccesskey encryptionkey decryptionkey signingkey"
    b" clientkeydata passwordconfirmation passwordhash passworddigest passwordagain"
)
_NOT_STRONG = _names(b"pull is no tls", b"secret")
_PASS = re.compile(
    rb"(?i:(?:^|[._-])pass$)|[a-z]Pass$|(?i:(?:db|user|smtp|mysql|ftp|http|proxy)pass$)"
)
_TOKENS = _names(
    b"access auth api refresh id session bearer csrf xsrf security bot user device oauth jwt vault"
    b" private personal deploy job registry reset invite verification admin service account login",
    b"token",
)
_NO_TOKENS = _names(b"next page continuation sync", b"token")
_KEYS = _names(
    b"api app application access shared client auth master license subscription storage admin"
    b" deploy webhook hmac symmetric service functions session secret",
    b"key",
)
_SESSIONS = _names(b"sessionid sessid connectsid")
_PIN = re.compile(
    rb"(?i:(?:^|[._-])(?:pin|otp|totp|cvv2?|cvc2?|cvn)$)|[a-z](?:Pin|PIN|Otp|OTP|Cvv|CVV|Cvc|CVC)$"
)
_CODES = _names(b"verification security otp mfa 2fa onetime sms login", b"code")
_LONG = _names(b"sig xamzsignature xgoogsignature auth credential credentials")
_ASKED = _names(b"code key signature hmac assertion")
_SPLIT_NAMES = _names(b"key token code id")
_BEFORE = re.compile(rb"([A-Za-z]+[ -])?([A-Za-z]+) $")


def named(text: bytes) -> Iterator[Span]:
    """Values behind telling names.

    >>> list(named(b"login password=hunter2 sort_key=date"))
    [(15, 22, b'secret')]
    """
    at = 0
    while name := _NAME.search(text, at):
        at = name.end()
        before = text[name.start() - 1 : name.start()]
        if name[2] == b":" and not name[3] and before in (b"/", b"\\", b":"):
            continue  # a part of a path or of a name such as `arn:...:secret:db`
        kind = kind_of(name[1] or name[4], text[max(name.start() - 32, 0) : name.start()], before)
        if kind is None:
            continue
        begin, end, quoted = value_at(text, at, name[2] or b"")
        spaced = not quoted and bool(name[4] or name[3])
        if spaced and not (kind == "strong" and b"_" in (name[1] or name[4])):
            spaced = bool(PROSE.match(text, begin))  # nobody writes `client_secret: ` in prose
        else:
            spaced = False
        if begin == end or text.startswith(MARK, begin) or spaced:
            continue
        if is_secret(kind, text[begin:end], quoted):
            at = end if quoted else end_of(BARE, text, begin, end)
            yield begin, at, b"code" if kind == "pin" else b"secret"


def kind_of(raw: bytes, before: bytes, sign: bytes) -> str | None:
    """What a name promises: a kind for `is_secret`, or None if nothing.

    >>> kind_of(b"DB_PASSWORD", b"", b""), kind_of(b"sort_key", b"", b"")
    ('strong', None)
    >>> kind_of(b"key", b"API ", b" ")
    'key'
    """
    name = raw[-64:].lower().translate(None, b"._-")
    if name in _SPLIT_NAMES and (words := _BEFORE.search(before)):
        name = (words[1] or b"").strip(b" -").lower() + words[2].lower() + name
    if name.endswith(_STRONG) or name.rstrip(b"0123456789").endswith(_STRONG):
        return None if name.endswith(_NOT_STRONG) else "strong"
    if _PASS.search(raw):
        return "pass"
    if name.endswith(b"token"):
        if name.endswith(_NO_TOKENS):
            return None
        return "strong token" if name.endswith(_TOKENS) or sign in (b"?", b"&") else "token"
    if name.endswith(_KEYS):
        return "key"
    if name.endswith(_SESSIONS):
        return "session"
    if _PIN.search(raw) or name.endswith(_CODES):
        return "pin"
    if name in _LONG:
        return "account" if name.startswith(b"credential") else "long"
    return "asked" if name in _ASKED and sign in (b"?", b"&") else None
