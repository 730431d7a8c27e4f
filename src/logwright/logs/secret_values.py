"""Values in places where secrets stand: where one begins and ends, and whether it is a secret."""

from __future__ import annotations

import re

__all__ = [
    "BARE",
    "DIGIT",
    "LETTER",
    "LOOK",
    "MARK",
    "PROSE",
    "QUOTE",
    "WORDS",
    "Span",
    "end_of",
    "is_secret",
    "value_at",
]

MARK = b"[redacted "
"""How what stands for a secret begins; expressions that must not match it again spell it out."""

Span = tuple[int, int, bytes]
"""Where a secret begins and ends, and what it is called."""

QUOTE = rb"(?:\\{0,3}[\"'`]|&quot;|&#3[49];|%22|\\u0022)"
_OPEN = re.compile(rb"\[?[bru]?(" + QUOTE + rb")|\[?")
_CLOSED = {
    quote: re.compile(rb"(?:[^\\\n" + quote + rb"]|\\.){0,512}(?=" + quote + rb")")
    for quote in (b'"', b"'", b"`")
}
BARE = re.compile(
    rb"(?:(?!\[redacted )(?:[^\s\"'`&;,)\]}|<\\?]"
    rb"|&(?!amp;|quot;|#\d|[\w.%\[\]-]{1,64}=|\s|$)|[;|](?![\s\"']|$|[\w. -]{1,64}=)"
    rb"|[?](?![\w.-]{1,64}=)|[,)\]}](?![\s,;|)\]}\"']|$|[\w.-]{1,64}[=:])|<(?!/)|\\(?![\"'nrtu\\])))+"
)
# In an address within an address.
_ENCODED_BARE = re.compile(rb"(?:(?!\[redacted )(?:[^\s\"'&<>%]|%(?!26)))+")
LOOK = 256
"""Bytes of a value that are looked at; a longer one goes whole."""
WORDS = frozenset(
    b"true false yes no on off none null nil undefined unset set empty missing present absent "
    b"required optional expired invalid valid ok okay failed failure error unknown incorrect wrong "
    b"bad changed updated created deleted removed rotated revoked denied accepted rejected sent "
    b"hidden masked redacted filtered encrypted disabled enabled not n/a na eof string str bytes "
    b"integer prompt chauthtok option flag instead and or default file env include omit same-origin"
    b" {} [] void".split()
)
PROSE = re.compile(rb"(?:[A-Za-z']+|\d{1,2})[,.:;]? (?![\w.-]+[=:])[A-Za-z(\"']")
_SENTENCE = re.compile(
    rb"(?i)\S+ .*\b(?:must|is|are|not|be|been|cannot|can't|should|required|too|at least|invalid"
    rb"|incorrect|expired|match)\b"
)
_NO_VALUE = re.compile(
    rb"(?:~|\.{1,2})?/(?:[a-z][a-z0-9_.-]{1,20}|Users|Library)(?:/|$)|[A-Za-z]:\\|file:"
    rb"|\$\{|\$\(|\{\{|%\(|%[sdv]$|\$[A-Z_]+$|<[\w |/-]+>|.*\*\*\*|[A-Za-z_][\w.]*\($"
    rb"|(?:arn:|vault:|op://|ssm:|projects/|env:)|[\w./-]+/[\w.-]+\.[a-z]{2,4}$"
    rb"|\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?$"
)
DIGIT, LETTER = re.compile(rb"\d"), re.compile(rb"[A-Za-z]")


def value_at(text: bytes, at: int, sign: bytes) -> tuple[int, int, bool]:
    """Where the value at `at` begins and ends, and whether quotes tell; `sign` is what led to it.

    >>> value_at(b'password="a b", user=x', 9, b"="), value_at(b"password=a b", 9, b"=")
    ((10, 13, True), (9, 10, False))
    """
    opened = _OPEN.match(text, at)
    assert opened is not None
    begin, quote = opened.end(), opened[1]
    if quote:
        if quote in _CLOSED:
            closed = _CLOSED[quote].match(text, begin)
            end = closed.end() if closed else -1
        else:
            end = text.find(quote, begin, begin + 600)
        if end >= 0:
            return begin, end, True
    bare = (_ENCODED_BARE if sign.startswith(b"%") else BARE).match(text, begin, begin + LOOK)
    return begin, bare.end() if bare else begin, False


def end_of(form: re.Pattern[bytes], text: bytes, begin: int, end: int) -> int:
    """Where a value ends of which the first `LOOK` bytes were looked at."""
    whole = form.match(text, begin) if end - begin == LOOK else None
    return whole.end() if whole else end


def is_secret(kind: str, value: bytes, quoted: bool) -> bool:
    """Whether what stands behind a name of this kind is a secret, and not a word about one.

    >>> is_secret("strong", b"hunter2", False), is_secret("strong", b"required", False)
    (True, False)
    """
    word = value.strip(b".,;:!?()'\"\\ ")
    if word.lower() in WORDS or _NO_VALUE.match(value):
        return False
    digit, letter, size = bool(DIGIT.search(word)), bool(LETTER.search(word)), len(word)
    if not (digit or letter or word.strip(b"*.-_#x[]{}()<>/ ") or max(word, default=0) > 127):
        return False
    if quoted and b" " in value and _SENTENCE.match(value):
        return False
    if kind == "strong":
        return not re.fullmatch(rb"[a-z][a-z-]*/[a-z.-]+", value)
    if kind == "pin":
        return bool(re.fullmatch(rb"\d{3,8}|\d{3}[ -]\d{3}", word))
    if b" " in value or word.startswith(b"0x"):
        return False
    if kind == "pass":
        return letter and size >= 4 and not re.fullmatch(rb"[\d.,/%]+\w{0,2}", word)
    if kind == "strong token":
        return size >= 4 and (letter or size >= 6)
    mixed = word.lower() != word and word.upper() != word and word.isalnum()
    if kind == "token":
        return letter and ((digit and size >= 8) or (mixed and size >= 16))
    if kind == "key":
        return (digit and size >= 6) or (mixed and size >= 16)
    if kind == "session":
        return letter and digit and size >= 16
    if kind == "account" and re.fullmatch(rb"[\w.-]+:[^/].+", word):
        return True
    if kind == "asked" and not re.fullmatch(rb"(?:\d/)?[\w%~-]*[A-Za-z0-9_%]{12}[\w%~-]*", word):
        return False
    return digit and letter and size >= 16 and word.count(b"/") < 4
