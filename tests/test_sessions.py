"""Session keys: found where identifiers recur, absent where they do not, coded as the lines say."""

from __future__ import annotations

import random
import re
import uuid

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.logs.kernel import Table
from logwright.logs.sessions import SessionKey, find_key
from logwright.logs.shapes import mask

VERBS = ("accept %s from client", "parsing body of %s", "%s: stored", "reply to %s sent")


def flows(ids: list[str], verbs: tuple[str, ...] = VERBS) -> list[bytes]:
    """Interleaved lines of several requests."""
    rows = [(10 * i + 7 * j, v % key) for i, key in enumerate(ids) for j, v in enumerate(verbs)]
    return [text.encode() for _, text in sorted(rows)]


def hexes(number: int, size: int) -> list[str]:
    rng = random.Random(3)
    return [f"a{rng.getrandbits(4 * size - 4):0{size - 1}x}" for _ in range(number)]


def uuids(number: int) -> list[str]:
    rng = random.Random(5)
    return [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(number)]


FOUND = {
    "blk_": [f"blk_{38865049 * n - 10**9}" for n in range(60)],
    "uuid": uuids(60),
    "req-uuid": [f"req-{u}" for u in uuids(60)],
    "hex": hexes(60, 16),
    "application_": [f"application_1445062781478_{n:04}" for n in range(60)],
    "order-": [f"order-{n:04}" for n in range(60)],
}


@pytest.mark.parametrize("name", FOUND)
def test_recurring_identifiers_are_found_and_told(name: str) -> None:
    ids = FOUND[name]
    lines = flows(ids)
    key = find_key(lines)
    assert key is not None
    assert "60 values in 240 of 240 sampled lines" in key.reason
    assert {key.key_of(line) for line in lines} == {i.encode() for i in ids}
    assert key.key_of(b"idle") is None


rng = random.Random(11)
NONE = {
    "empty": [],
    "words": [b"cache flushed", b"disk full"] * 100,
    "numbers": [b"took %d ms for %d rows" % (n, n * 7) for n in range(300)],
    "times": [b"at 2024-05-01T10:%02d:00 up" % (n % 60) for n in range(300)],
    "addresses": [b"from 10.0.0.%d port %d" % (n % 250, 1024 + n) for n in range(300)],
    # Every value comes once: an identifier, but of nothing that lines share.
    "never twice": [b"%s %s" % (rng.choice([b"open", b"shut"]), u.encode()) for u in uuids(300)],
    # Values recur, but always in the same statement: workers, not requests.
    "one statement": [b"heartbeat of node-%04d" % (n % 40) for n in range(400)],
    # Few values: hosts.
    "few": flows([f"host-{n:03}" for n in range(5)] * 20),
    "rare": flows(FOUND["blk_"]) + [b"idle"] * 1000,
}


@pytest.mark.parametrize("name", NONE)
def test_logs_without_sessions_give_none(name: str) -> None:
    assert find_key(NONE[name]) is None


def rows(lines: list[bytes]) -> tuple[bytes, np.ndarray, np.ndarray]:
    length = np.array([len(x) for x in lines], np.int64)
    end = np.cumsum(length + 1) - 1
    return b"\n".join(lines), end - length, end


def coded(key: SessionKey, lines: list[bytes]) -> list[bytes | None]:
    """The session of each line, by the bulk path, as the bytes of its key."""
    buf, start, end = rows(lines)
    table = Table()
    shape, fresh = table.encode(buf, start, end)
    key.learn(shape[fresh], [lines[i] for i in fresh.tolist()])
    codes = key.codes(buf, start, end, shape)
    names: dict[int, bytes] = {}
    out: list[bytes | None] = []
    for code, line in zip(codes.tolist(), lines, strict=True):
        found = key.key_of(line)
        # One code stands for one key, whatever path gave it.
        if code >= 0:
            assert found is not None
            assert names.setdefault(code, found) == found
        out.append(names[code] if code >= 0 else None)
    assert len(set(names.values())) == len(names)
    return out


MIXED = [
    b"got blk_17 ok",
    b"got blk_18 ok",
    b"got 17 ok",  # the same shape, no key in that token
    b"got xblk_19x ok",  # the token holds more than the key
    b"blk_17",
    b"path /data/blk_17/meta",
    b"path /data/blk_99/meta",
    b"idle",
    b"got blk_17 ok",
    b"put blk_18 and blk_17",  # the first counts
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (
            rb"blk_\d+",
            [
                b"blk_17",
                b"blk_18",
                None,
                b"blk_19",
                b"blk_17",
                b"blk_17",
                b"blk_99",
                None,
                b"blk_17",
                b"blk_18",
            ],
        ),
        (rb"blk_(\d+)", [b"17", b"18", None, b"19", b"17", b"17", b"99", None, b"17", b"18"]),
        (
            rb"got (\S+) ok",
            [b"blk_17", b"blk_18", b"17", b"xblk_19x", *[None] * 4, b"blk_17", None],
        ),
        (rb"nothing", [None] * 10),
    ],
)
def test_a_line_gets_the_key_that_the_expression_finds_in_it(
    pattern: bytes, expected: list[bytes | None]
) -> None:
    assert coded(SessionKey(pattern, "as asked"), MIXED) == expected


word = st.sampled_from([b"blk_1", b"blk_22", b"blk_", b"7", b"x", b"ablk_3", b"blk_4b", b"go", b""])
line = st.lists(st.one_of(word, st.sampled_from([b" ", b"=", b"/", b":"])), max_size=7).map(
    b"".join
)


@settings(deadline=None)
@given(
    lines=st.lists(line, max_size=12),
    pattern=st.sampled_from([rb"blk_\d+", rb"blk_(\d+)", rb"\bblk_\w*\d\w*", rb"\d+"]),
)
def test_bulk_codes_agree_with_the_expression_wherever_both_have_a_key(
    lines: list[bytes], pattern: bytes
) -> None:
    # A shape whose first line has no key is not asked again (contract 3); all others agree, where
    # a line holds one thing that can be a key (of several, the one at the shape's place is taken).
    assume(all(len(re.findall(pattern, text)) < 2 for text in lines))
    key = SessionKey(pattern, "as asked")
    first: dict[bytes, bytes] = {}
    for text in lines:
        first.setdefault(mask(text), text)
    found = coded(key, lines)
    for text, session in zip(lines, found, strict=True):
        if key.key_of(first[mask(text)]) is not None:
            assert session == key.key_of(text)
        else:
            assert session is None


def test_new_batches_keep_the_codes_of_old_ones() -> None:
    key = SessionKey(rb"blk_\d+", "as asked")
    lines = [b"got blk_%d ok" % (n % 50) for n in range(500)]
    buf, start, end = rows(lines)
    shape = np.zeros(500, np.int32)
    key.learn(np.array([0], np.int32), lines[:1])
    whole = key.codes(buf, start, end, shape).tolist()
    parts = [
        c
        for a in range(0, 500, 7)
        for c in key.codes(buf, start[a : a + 7], end[a : a + 7], shape[a : a + 7]).tolist()
    ]
    assert whole == parts == [n % 50 for n in range(500)]


@pytest.mark.parametrize("pattern", [b"blk_(", b"[", b"*"])
def test_a_bad_expression_is_a_settings_error(pattern: bytes) -> None:
    with pytest.raises(SettingsError, match="is not a regular expression") as error:
        SessionKey(pattern, "as asked")
    assert pattern.decode() in str(error.value)
