"""Redaction: well-known secret forms go, what only looks like one stays."""

from __future__ import annotations

import json
import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.redaction import redact
from secret_corpus import LOOKALIKES, MARK, ORDINARY, PIECES, SECRETS, Entry, card, filler, made


def left(entry: Entry) -> list[bytes]:
    """Pieces of the entry's secrets that redaction leaves, of 6 bytes or of the whole secret."""
    shown = re.sub(MARK, b"\0", redact(entry.line))
    pieces = [secret[i : i + 6] for secret in entry.secrets for i in range(max(len(secret) - 5, 1))]
    return [piece for piece in pieces if piece in shown and piece not in entry.rest]


def test_the_corpus_is_large_and_varied() -> None:
    for entries in (SECRETS, LOOKALIKES):
        assert len(set(entries)) == len(entries) >= 220


@pytest.mark.parametrize("source", SECRETS)
def test_secrets_go_and_the_rest_of_the_line_stays(source: str) -> None:
    for seed in range(5):
        entry = made(source, seed)
        shown = redact(entry.line)
        assert left(entry) == [], shown
        assert re.fullmatch(entry.shape, shown), shown
        assert redact(shown) == shown


@pytest.mark.parametrize("source", LOOKALIKES)
def test_what_only_looks_like_a_secret_stays(source: str) -> None:
    for seed in range(5):
        line = made(source, seed).line
        assert redact(line) == line


def test_lines_of_several_records_are_read_whole() -> None:
    entries = [made(source, 9) for source in SECRETS if "BEGIN" not in source]
    shown = redact(b"\n".join(entry.line for entry in entries)).split(b"\n")
    for entry, line in zip(entries, shown, strict=True):
        assert re.fullmatch(entry.shape, line), line


def test_the_rest_of_the_line_stays() -> None:
    line = b"2024-05-01 ann login password=hunter2 from http://ann:s3cret@db/x?token=abcd&page=2 ok"
    assert redact(line) == (
        b"2024-05-01 ann login password=[redacted secret] from "
        b"http://ann:[redacted url password]@db/x?token=[redacted secret]&page=2 ok"
    )


def test_a_json_record_stays_one() -> None:
    record = {"msg": "up", "password": 'a"b\\c', "nested": {"api_key": "k-1234567890"}, "n": 4}
    shown = json.loads(redact(json.dumps(record).encode()))
    assert shown == {
        **record,
        "password": "[redacted secret]",
        "nested": {"api_key": "[redacted secret]"},
    }


def test_addresses_of_people_go_on_request_only() -> None:
    line = b"from=<ann.lee+x@mail.example.com> to bob@example.org; git@v1 a@b user@host"
    assert redact(line) == line
    assert redact(line, emails=True) == (
        b"from=<[redacted email]> to [redacted email]; git@v1 a@b user@host"
    )


def test_long_secrets_go_whole() -> None:
    for line in (b"password=%s end", b"Authorization: Bearer %s end", b"x://a:%s@h end"):
        secret = filler("a", 5_000, random.Random(1)).encode()
        assert re.fullmatch(re.escape(line) % MARK, redact(line % secret)), line


def test_issuers_tell_numbers_from_cards() -> None:
    """Numbers of no issuer stay although they pass the Luhn check: times of 13 to 19 digits."""
    rng = random.Random(3)
    for start, size in (("17", 13), ("17", 16), ("17", 19), ("2024", 14), ("2024", 16), ("9", 16)):
        line = b"at %s done" % card(start, size, "", rng).encode()
        assert redact(line) == line


@given(
    st.binary(max_size=30).map(lambda b: b.translate(None, b"abcdefgh")),
    st.text("abcdefgh", min_size=8, max_size=12),
)
def test_a_password_goes_whatever_stands_before_it(before: bytes, secret: str) -> None:
    assert secret.encode() not in redact(before + b" password=" + secret.encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_taken(line: bytes) -> None:
    assert isinstance(redact(line), bytes)


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_what_was_redacted_stays_as_it_is(line: str) -> None:
    shown = redact(line.encode(), emails=True)
    assert redact(shown, emails=True) == shown


@pytest.mark.slow
@pytest.mark.parametrize("piece", [*PIECES, "a-", "-eyJ", "token=token", "cookie=a; ", "4111-"])
def test_the_time_is_linear_in_the_line(piece: str) -> None:
    line = (piece.encode() * (64 << 10))[: 64 << 10]
    started = time.process_time()
    redact(line, emails=True)
    assert time.process_time() - started < 1.0  # what is quadratic takes minutes


def test_ordinary_lines_are_quick() -> None:
    best = min(_seconds(ORDINARY) for _ in range(5))
    assert best < 5_000 / 30_000  # 100,000 a second and more on a machine that does nothing else


def _seconds(lines: list[bytes]) -> float:
    started = time.process_time()
    for line in lines:
        redact(line)
    return time.process_time() - started
