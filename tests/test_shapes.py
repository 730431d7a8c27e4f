"""Shapes: what is masked, what is kept, and that few of them come of many lines."""

from __future__ import annotations

import random
import uuid
from base64 import b64encode
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.kernel import Table, lines
from logwright.logs.shapes import DELIMITERS, MASK, is_variable, mask, shape_key, tokens

content = st.lists(
    st.one_of(
        st.binary(max_size=10),
        st.sampled_from([b"blk_17", b"deadbeef", b"user", b" ", b"=", b"10.0.0.1:80", b"\x00"]),
    ),
    max_size=12,
).map(b"".join)


@given(content)
def test_tokens_join_to_the_line(line: bytes) -> None:
    found = tokens(line)
    assert b"".join(found) == line
    for token in found:
        assert len(token) == 1 or not set(token) & set(DELIMITERS)


@given(content)
def test_masking_twice_changes_nothing(line: bytes) -> None:
    assert mask(mask(line)) == mask(line)


@given(content, st.permutations(list(b"0123456789")))
def test_other_digits_are_the_same_shape(line: bytes, digits: list[int]) -> None:
    assert mask(line.translate(bytes.maketrans(b"0123456789", bytes(digits)))) == mask(line)


@given(content)
def test_delimiters_are_kept_verbatim(line: bytes) -> None:
    kept = set(DELIMITERS)
    assert [b for b in mask(line) if b in kept] == [b for b in line if b in kept]


@pytest.mark.parametrize(
    "token",
    [
        b"7",
        b"blk_-1608999687919862906",
        b"6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        b"deadbeef",
        b"DEADBEEF",
        b"0x7fff",
        b"a\x00b",
        b"aGVsbkJXbvJsZFQqTWzZ",
    ],
)
def test_variable_tokens(token: bytes) -> None:
    assert is_variable(token)
    assert mask(b"id " + token + b" ok") == b"id " + MASK + b" ok"


@pytest.mark.parametrize(
    "token",
    [
        b"user",
        b"decade",  # six hex letters: a word
        b"facade",
        b"ERROR",
        b"ContainerLauncherImpl",
        b"org_apache_hadoop",
        b"QuorumCnxManagerSendWorker",
        b"AbstractAnnotationConfigDispatcherServletInitializer",
        "Größe".encode(),
        b"",
    ],
)
def test_words_are_kept(token: bytes) -> None:
    assert not is_variable(token)


def test_keys_tell_masked_texts_apart() -> None:
    # Texts that differ in padding, in NULs and by one bit only.
    texts = {b"\x00" * n for n in range(40)} | {b"a" * n for n in range(40)}
    texts |= {bytes([i, j]) for i in range(256) for j in range(0, 256, 7)}
    texts |= {b"x" * 20 + bytes([i]) + b"y" * 20 for i in range(256)}
    assert len({shape_key(t) for t in texts}) == len(texts)
    halves = {half for t in texts for half in shape_key(t)}
    assert len(halves) == 2 * len(texts)


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128))).encode(),
    "hex": lambda rng: rng.randbytes(16).hex().encode(),
    "HEX": lambda rng: rng.randbytes(8).hex().upper().encode(),
    "base64": lambda rng: b64encode(rng.randbytes(16)),
    "base64 without padding": lambda rng: b64encode(rng.randbytes(16)).rstrip(b"="),
}
WORDS = b"open close read write send block packet session user task done failed".split()


@pytest.mark.parametrize("kind", MAKERS)
def test_fresh_identifiers_make_few_shapes(kind: str) -> None:
    rng = random.Random(7)
    templates = [b" ".join(rng.sample(WORDS, 5)) + b" id " for _ in range(20)]
    number = 20_000
    text = b"".join(
        rng.choice(templates) + MAKERS[kind](rng) + b" from %d\n" % rng.randrange(9999)
        for _ in range(number)
    )
    table = Table()
    start, end = lines(text)
    codes, _ = table.encode(text, start, end)
    assert len(codes) == number
    used = len(np.unique(codes))
    # 500 in a million lines of one set of 80 templates leaves 420 strays.
    assert len(templates) <= used <= len(templates) + number * 420 / 1e6
