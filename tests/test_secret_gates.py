"""The gates of redaction: among many texts they let through at least what holds a secret."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logwright.logs import secret_gates, secret_places, secret_tokens
from logwright.logs.redaction import redact, redact_all
from logwright.logs.secret_cards import CARD
from logwright.logs.secret_gates import has_place, suspects
from secret_corpus import LOOKALIKES, ORDINARY, PIECES, SECRETS, card, filler, made

pytestmark = pytest.mark.slow


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Lines of the corpus, as they are or spoilt: cut, cased, with bytes put in, put together."""
    source = st.sampled_from([*SECRETS, *LOOKALIKES]).map(lambda s: made(s).line)
    pieces = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda p: "".join(p).encode())
    text = b"".join(draw(st.lists(source | pieces | st.binary(max_size=8), max_size=3)))
    at, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    put = draw(st.sampled_from((b"", b"", b"\n", b"\0", b" ", b"-", b"1", "ü".encode(), b"\xff")))
    fold = draw(st.sampled_from((bytes, bytes, bytes.upper, bytes.lower)))
    return fold(draw(st.sampled_from((text, text[at:end], text[:at] + put + text[at:]))))


@given(st.lists(texts(), max_size=40), st.booleans(), st.sampled_from((1, 100, 1 << 20)))
def test_of_many_texts_the_same_goes_as_of_each(
    lines: list[bytes], emails: bool, block: int
) -> None:
    lines += [b""] * (20 - len(lines))  # enough to be looked at together
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret_gates, "_BLOCK", block)
        assert redact_all(lines, emails) == [redact(line, emails) for line in lines]


@pytest.mark.parametrize("emails", [False, True])
def test_of_the_corpus_at_once_the_same_goes_as_of_each_line(emails: bool) -> None:
    lines = [made(source, seed).line for seed in range(5) for source in (*SECRETS, *LOOKALIKES)]
    for several in (lines, [piece for line in lines for piece in line.split()]):
        assert redact_all(several, emails) == [redact(line, emails) for line in several]


@pytest.mark.parametrize("around", [b"", b" ", b"\n", b"a", b"1", b"-", b"\0", b"\xc3\xbc"])
def test_gates_let_the_least_through_that_is_a_secret(around: bytes) -> None:
    """Runs and numbers just long enough to be one, at both ends of a text and of the block."""
    rng = random.Random(7)
    for secret in (
        *(f"xox{kind}-{filler('n', 10, rng)}" for kind in "abp"),
        f"hf_{'abcdefgh' * 4}",
        f"ya29.{filler('w', 20, rng)}",
        "sk-" + filler("a", 20, rng),
        *(card("4", 16, separator, rng) for separator in ("", "-", " ")),
        *(card(issuer, size, "", rng) for issuer, size in (("37", 15), ("36", 14))),
        "ann@example.com",
    ):
        line = around + secret.encode() + around
        for lines in ([line] * 16, [*ORDINARY[:20], line], [line, *ORDINARY[:20]]):
            assert redact_all(lines, True) == [redact(each, True) for each in lines]


@st.composite
def let_through(draw: st.DrawFn) -> bytes:
    """Texts that a check of one text lets through, with something around."""
    checks = (secret_gates._TELLING, secret_tokens._MIXED_RUN, CARD)
    check = draw(st.sampled_from(checks))
    text = draw(st.from_regex(check))
    around = draw(st.sampled_from((b"", b" ", b"\n", b"xy", b"password", b"\0\xff")))
    text = around + text + around
    assume(check.search(text.lower() if check is secret_gates._TELLING else text))
    return text


@settings(max_examples=300)
@given(let_through())
def test_what_is_let_through_alone_is_let_through_among_many(text: bytes) -> None:
    for lines, at in (([text], 0), ([b"up", b"", text, b"down"], 2)):
        assert at in list(suspects(lines))


def test_each_beginning_of_a_place_is_let_through_among_many() -> None:
    places = [b"%c-p" % sign for sign in b" \t\n\r\f\v\"'"]
    places += [b"$2a", b"$2b", b"$2x", b"$2y", b"$argon", b"$scrypt", b"$pbkdf"]
    places += [b"$%c" % kind for kind in b"1567y"]
    places += [b"bearer ", b"identified ", b'"auth" "', b"://x@", b"%3a%2f%2f", b"@tcp(", b"@unix("]
    places += [b"jdbc:oracle", b"-- begin ", b"--begin ", b"webhook", b"hooks.slack", b"...."]
    places += [name + b"=" for name in secret_gates._NAMES.split(b"|")]
    for place in places:
        assert secret_gates._TELLING.search(place), place
        assert list(suspects([b"up", place, b"down"])).count(1) == 1, place


_READ = [form for _, form in secret_places._PLACED] + [
    getattr(secret_places, name)
    for name in ("_SQL", "_LEADER", "_XML", "_AUTHORIZATION", "_BEARER", "_COOKIE")
]


@pytest.mark.parametrize("form", _READ, ids=range(len(_READ)))
@given(data=st.data())
def test_what_stands_in_a_place_has_a_sign_of_one(
    form: re.Pattern[bytes], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(form))
    assert has_place(text.lower()) or not form.search(text)


def test_ordinary_lines_are_not_looked_at_one_by_one() -> None:
    assert list(suspects(ORDINARY)) == []
    lines = [*ORDINARY, b"login pwd=hunter2", *ORDINARY]
    assert list(suspects(lines)) == [len(ORDINARY)]


@pytest.mark.parametrize("piece", [*PIECES, "a-", "://://", "pass"])
def test_the_time_of_many_is_linear_too(piece: str) -> None:
    line = (piece.encode() * (64 << 10))[: 64 << 10]
    started = time.process_time()
    list(suspects([line] * 4, emails=True))
    assert time.process_time() - started < 1.0  # what is quadratic takes minutes


def test_nothing_and_nothing_much_is_redacted() -> None:
    assert redact_all([]) == []
    assert redact_all([b""] * 100) == [b""] * 100
