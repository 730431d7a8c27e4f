"""Shapes: a line in which every token that holds a digit is masked (contract 2).

This module is the definition, in plain Python for one line at a time; the C kernel and its numpy
twin (`logs.kernel`) compute the same thing for whole blocks and are tested against it.

A line's content is split into tokens at `DELIMITERS`, which are kept verbatim. A token is
*variable* when it holds a digit or a NUL byte, when it ends in a word of seven or more letters that
are all hex digits (``req-ebcfbbbc``), or when it is a long mixed-case token that looks random
(base64). Each variable token
becomes one mask byte. The shape key is a 128-bit hash of the masked bytes: not cryptographic, but
collisions between honest lines are out of reach.
"""

from __future__ import annotations

import re

__all__ = ["DELIMITERS", "MASK", "is_variable", "looks_random", "mask", "shape_key", "tokens"]

DELIMITERS = b" \t\r\n\x0b\x0c,;:=()[]{}<>\"'|?&`"
"""Bytes that end a token. `-`, `.`, `/`, `_`, `@`, `#` and `$` are part of tokens."""

MASK = b"\x00"
"""What a variable token becomes. A token holding a raw NUL is variable, so this is unambiguous."""

_SPLIT = re.compile(b"[" + re.escape(DELIMITERS) + b"]|[^" + re.escape(DELIMITERS) + b"]+")
_DIGIT = re.compile(rb"[0-9\x00]")
_HEX_WORD = re.compile(rb"(?:\A|[^A-Za-z0-9])[A-Fa-f]{7,}\Z")
_RANDOM_MIN = 16
_RARE = frozenset(b"jqxzkvwJQXZKVW")
_M64 = (1 << 64) - 1
_SEED1, _SEED2 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
_K1, _K2 = 0xFF51AFD7ED558CCD, 0x94D049BB133111EB


def tokens(content: bytes) -> list[bytes]:
    """Split into tokens and single delimiter bytes; joining them gives `content` back.

    >>> tokens(b"size=12 ok")
    [b'size', b'=', b'12', b' ', b'ok']
    """
    return _SPLIT.findall(content)


def looks_random(token: bytes) -> bool:
    """Whether a digit-free token of 16 or more bytes with both cases reads like base64.

    A sum of integer log-likelihood weights over case changes and rare letters; camel-case names
    score far below the cut. Of random 22-character base64 identifiers about 60 in a million have
    no digit and still pass as words.

    >>> looks_random(b"ContainerLauncherImpl"), looks_random(b"aGVsbkJXbvJsZFQqTWzZ")
    (False, True)
    """
    if len(token) < _RANDOM_MIN:
        return False
    total = previous = seen = 0
    for byte in token:
        case = 1 if 65 <= byte <= 90 else 2 if 97 <= byte <= 122 else 0
        seen |= case
        if case:
            total += 6 if byte in _RARE else -1
            if previous:
                total += 2 if previous != case else 7 if case == 1 else -4
        else:
            total += 8 if byte == 0x2B else -2
        previous = case
    return seen == 3 and total > -24


def is_variable(token: bytes) -> bool:
    """Whether a token is masked in the shape.

    >>> [is_variable(t) for t in (b"blk_17", b"x-deadbeef", b"decade", b"user")]
    [True, True, False, False]
    """
    return bool(_DIGIT.search(token) or _HEX_WORD.search(token) or looks_random(token))


def mask(content: bytes) -> bytes:
    """The masked bytes of a line's content.

    >>> mask(b"took 12ms for blk_7")
    b'took \\x00 for \\x00'
    """
    return b"".join(MASK if is_variable(t) else t for t in tokens(content))


def shape_key(masked: bytes) -> tuple[int, int]:
    """The 128-bit key of masked bytes, as two 64-bit numbers.

    >>> shape_key(b"") != shape_key(b"\\x00") != shape_key(b"\\x00\\x00")
    True
    """
    h1, h2 = _SEED1, _SEED2
    padded = masked + b"\x00" * (-len(masked) % 8)
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        h1 = ((h1 ^ word) * _K1) & _M64
        h1 ^= h1 >> 32
        h2 = ((h2 + word) * _K2) & _M64
        h2 ^= h2 >> 29
    h1 = ((h1 ^ len(masked)) * _K2) & _M64
    h2 = ((h2 + len(masked)) * _K1) & _M64
    return h1 ^ (h1 >> 31), h2 ^ (h2 >> 33)
