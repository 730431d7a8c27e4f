"""Cheap checks for whether a text may hold a secret: of one text, and of many at once.

Most lines hold none, and looking for each form in each line costs more than all else that is done
with a new shape. A gate may let through too much, as `redact` looks again, and never too little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.logs.secret_cards import CARD

__all__ = ["has_place", "suspects", "tells"]

_NAMES = rb"pass|pwd|secret|token|key|cred|auth|sess|sig|pin|otp|cvv|cvc|code|cookie|psk|sid"
# Literals alone, which `re` looks for quickly; what they find, the next expression looks at again.
# One is in every text that the next expression finds something in worth looking at.
_LITERALS = (
    *_NAMES.split(b"|"),
    *(b"bearer", b"identified", b"webhook", b"hooks.s", b"://", b"%3a%2f", b"@tcp(", b"@unix("),
    *(b"jdbc:o", b"-- begin", b"--begin", b"$1$", b"$2", b"$5$", b"$6$", b"$y$", b"$7$", b"$argon"),
    *(b"$scrypt", b"$pbkdf", b"....", b"mysql", b"mariadb", b"curl", b"wget", b"redis-cli"),
    *(b"login", b"ldap"),
)
_HINT = re.compile(b"|".join(map(re.escape, _LITERALS)))
_FORMS = (
    rb"(?:" + _NAMES + rb")"
    rb"[\w.-]{0,28}+(?: id)?(?:\\{0,3}[\"'`]|&\w{4};|&#\d\d;|%22)?(?:\]|%5d)?\s{0,8}(?:[:=>,(]|%3)"
    rb"|(?:key|token) [\w-]{20}|-(?<=[\s\"']-)-?[a-z]|bearer(?:\s|%20)|identified "
    rb"|password \\?['\"]|\"auth\" \"|://[^/\s]*@|%3a%2f%2f|@(?:tcp|unix)\(|jdbc:oracle"
    rb"|-- ?begin |\$(?:2[abxy]|[1567y]|argon|scrypt|pbkdf)|webhook|hooks\.slack|\.{4}"
)
_TELLING = re.compile(_FORMS)
# One is in every text that a form of `secret_places` fits.
_SIGNS = (
    *(b"authorization", b"bearer", b"cookie", b"identified", b"password", b"....", b"</", b"key"),
    *(b"token", b'"auth"', b"mysql", b"mariadb", b"curl", b"wget", b"http", b"sshpass", b"login"),
    *(b"redis-cli", b"ldap", b"://", b"%3a%2f%2f", b"@tcp(", b"@unix(", b"jdbc:oracle"),
    *(b"hooks.slack", b"webhook", b"$"),
)

# What `_FORMS`, and the tokens that need no digit beside a letter, begin with. An option begins
# with what stands before its dash, which is not part of its form: these come last.
_OPTIONS = tuple(b"%c-" % before for before in b" \t\n\r\f\v\"'")
_LEADS = (
    *_NAMES.split(b"|"),
    *(b"bearer", b"identified", b'"auth" "', b"://", b"%3a%2f%2f", b"@tcp(", b"@unix("),
    *(b"jdbc:oracle", b"-- begin ", b"--begin ", b"$2", b"$1", b"$5", b"$6", b"$7", b"$y"),
    *(b"$argon", b"$scrypt", b"$pbkdf", b"webhook", b"hooks.slack", b"....", b"hf_", b"xox"),
    *_OPTIONS,
)
_LED = re.compile(_FORMS + rb"|hf_|xox")

_CARD_DIGITS, _CARD_SPREAD = 14, 16
_BLOCK = 1 << 18
"""Bytes looked at together: more of them gain nothing and take memory, most in lines of dots."""
_WORD, _DIGIT, _LETTER = 1, 2, 4
_CLASSES = bytes(
    (_WORD if chr(b).isalnum() or b in b"_-" else 0)
    | (_DIGIT if chr(b).isdigit() else 0)
    | (_LETTER if chr(b).isalpha() else 0)
    if b < 128
    else 0
    for b in range(256)
)


def tells(lower: bytes) -> bool:
    """Whether a place, a name or a heading in the text, in lower case, may tell a secret.

    >>> tells(b"password: hunter2"), tells(b"password changed")
    (True, False)
    """
    return bool(_HINT.search(lower) and _TELLING.search(lower))


def has_place(lower: bytes) -> bool:
    """Whether the text, in lower case, has one of the places that `secret_places` reads.

    >>> has_place(b"://ann:s3cret@db"), has_place(b"auth_code=1234")
    (True, False)
    """
    return any(sign in lower for sign in _SIGNS)


def suspects(contents: Sequence[bytes], emails: bool = False) -> Iterator[int]:
    """Which of the texts may hold a secret or, if asked for, an e-mail address: rising numbers.

    >>> list(suspects([b"user ann", b"pwd=hunter2", b"card 4111 1111 1111 1111", b"took 12 ms"]))
    [1, 2]
    """
    ends = np.cumsum([len(content) + 1 for content in contents])
    at = 0
    while at < len(contents):
        begun = int(ends[at - 1]) if at else 0
        stop = max(int(np.searchsorted(ends, begun + _BLOCK, side="right")), at + 1)
        # A newline is in no lead and in no run: nothing that is found crosses from text to text,
        # but for what a form holds behind its lead, which lets through too much.
        block = b"\n".join(contents[at:stop])
        places = np.concatenate(list(_places(block, emails)))
        which = np.searchsorted(ends[at:stop] - begun, places, side="right")
        yield from (at + np.unique(which)).tolist()
        at = stop


def _places(block: bytes, emails: bool) -> Iterator[Int64s]:
    """Places in a block near which something may be a secret, gate by gate."""
    lower, options = block.lower(), len(_LEADS) - len(_OPTIONS)
    led, found = _LED.match, _leads()(lower, overlapping=True)
    yield np.array([at for lead, at, _ in found if led(lower, at + (lead >= options))], np.int64)
    classes = np.frombuffer(block.translate(_CLASSES), np.uint8)
    yield _mixed_runs(classes)
    yield _cards(block, classes)
    if emails:
        yield np.flatnonzero(np.frombuffer(block, np.uint8) == ord("@"))


@cache
def _leads() -> Callable[..., list[tuple[int, int, int]]]:
    # Only a log of many shapes needs it, which is why it is loaded here and no sooner.
    from ahocorasick_rs import BytesAhoCorasick

    return BytesAhoCorasick(_LEADS).find_matches_as_indexes


def _mixed_runs(classes: NDArray[np.uint8]) -> Int64s:
    """Where a letter meets a digit in a run of 15 signs of a word and more."""
    meets = (classes[1:] ^ classes[:-1]) == _DIGIT | _LETTER
    long = classes != 0
    for step in (1, 2, 4, 7):  # whether 2, 4, 8, 15 signs of a word begin here
        long = long[:-step] & long[step:]
    near = np.zeros(len(meets), bool)
    near[: len(long)] = long[: len(meets)]
    for step in (1, 2, 4, 6):  # whether they begin up to 1, 3, 7, 13 places before
        near[step:] |= near[:-step]
    return np.flatnonzero(near & meets)


def _cards(block: bytes, classes: NDArray[np.uint8]) -> Int64s:
    """Where what has the form of a card's number begins: 14 digits in 17 bytes and less."""
    digits = np.flatnonzero((classes & _DIGIT) != 0)
    first, last = digits[: 1 - _CARD_DIGITS], digits[_CARD_DIGITS - 1 :]
    near = first[last - first <= _CARD_SPREAD].tolist()
    return np.array([at for at in near if CARD.match(block, at)], np.int64)
