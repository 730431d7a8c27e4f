"""Redaction: well-known secret forms go, what only looks like one stays.

The corpus lies in `secrets/`, a line each, and `# ` begins a heading. No secret stands in it: each
is made here, from a seed, so that no scanner takes the repository for a leak. `«prefix|kind:n|end»`
is a secret whose prefix and end are public, `‹kind:n›` is filler that stays. `⏎` and `⇥` are a
newline and a tab. `held_out_*` was written before the code and first run when it was done.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.redaction import redact

CORPUS = Path(__file__).parent / "secrets"
MARK = rb"\[redacted [a-z ]+\]"

_HOLE = re.compile(r"«(?:([^|»]*)\|)?(\w+):([^|»]*)(?:\|([^»]*))?»|‹(\w):(\d+)›")
_KINDS = {
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "u": string.ascii_uppercase + "234567",
    "n": string.ascii_lowercase + string.digits,
    "a": string.ascii_letters + string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "w": string.ascii_letters + string.digits + "-_",
    "p": string.ascii_letters + string.digits + "!#$%*+-_",
}


def filler(kind: str, size: int, rng: random.Random) -> str:
    """Text of a kind, with digits and letters as long random text has them, no sign at an end."""
    while True:
        text = "".join(rng.choices(_KINDS[kind], k=size))
        both = kind == "d" or size < 6 or (re.search(r"\d", text) and re.search(r"[a-zA-Z]", text))
        if both and (text[0] + text[-1]).isalnum():
            return text


def card(prefix: str, size: int, separator: str, rng: random.Random) -> str:
    """A number of an issuer that passes the Luhn check, in groups of four if separated."""
    digits = prefix + filler("d", size - len(prefix) - 1, rng)
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits))]
    digits += str(-sum(d - 9 * (d > 9) for d in doubled) % 10)
    return separator.join(re.findall("....", digits)) if separator else digits


def jwt(rng: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(b'{"sub":"%d"}' % rng.getrandbits(60)).decode().rstrip("=")
    return f"{head}.{body}.{filler('w', 43, rng)}"


@dataclass
class Entry:
    """A line, what of it must go, what may stay, and an expression that fits what must be left."""

    line: bytes = b""
    rest: bytes = b""
    secrets: list[bytes] = field(default_factory=list)
    shape: bytes = b""

    def add(self, text: str) -> None:
        self.line += text.encode()
        self.rest += text.encode()
        self.shape += re.escape(text.encode())


def made(source: str, seed: int = 0) -> Entry:
    """The line that an entry of the corpus stands for."""
    rng, entry, at = random.Random(f"{seed} {source}"), Entry(), 0
    source = source.replace("⏎", "\n").replace("⇥", "\t")
    for hole in _HOLE.finditer(source):
        before, at = source[at : hole.start()], hole.end()
        prefix, kind, value, end, plain_kind, plain_size = hole.groups(default="")
        # Parts of one secret, such as those of a token with dots, may go as one.
        parts = bool(entry.secrets) and not plain_kind and re.fullmatch(r"[^\s,;]{0,9}", before)
        entry.shape += b"(?:" * bool(parts)
        entry.add(before)
        if plain_kind:
            entry.add(filler(plain_kind, int(plain_size), rng))
            continue
        if kind == "t":
            secret = value
        elif kind == "jwt":
            secret = jwt(rng)
        elif kind == "luhn":
            issuer, size, separator = (*value.split(":"), "")[:3]
            secret = card(issuer, int(size), separator, rng)
        else:
            secret = filler(kind, int(value), rng)
        entry.line += f"{prefix}{secret}{end}".encode()
        entry.rest += f"{prefix}\0{end}".encode()
        entry.secrets.append(secret.encode())
        public = [b"(?:%s)?" % re.escape(x.encode()) for x in (prefix, end)]
        entry.shape += MARK.join(public) + b")?" * bool(parts)
    entry.add(source[at:])
    return entry


def corpus(name: str) -> list[str]:
    lines = (CORPUS / name).read_text("utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("# ")]


SECRETS = [*corpus("secrets.txt"), *corpus("held_out_secrets.txt")]
LOOKALIKES = [*corpus("lookalikes.txt"), *corpus("held_out_lookalikes.txt")]


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


_PIECES = (
    *(
        "password",
        "token",
        "secret",
        "api_key",
        "pin",
        "Authorization",
        "Bearer",
        "Basic",
        "cookie",
    ),
    *(
        "=",
        ": ",
        ":",
        "=>",
        '"',
        "'",
        "\\",
        '\\"',
        " ",
        ", ",
        ";",
        "&",
        "?",
        "%3D",
        "[",
        "]",
        "{",
        "<",
    ),
    *(
        "--password ",
        "mysql -p",
        "curl -u a:",
        "://",
        "@",
        "a",
        "hunter2",
        "4111111111111111",
        "\n",
    ),
    *(
        "[redacted secret]",
        "[redacted ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
    ),
    *(
        "x" * 30,
        "A1b2" * 9,
        "eyJ" + "a1" * 9 + ".",
        "/",
        ".",
        "-",
        "sk-",
        "....",
        "@tcp(",
        ">",
        "</",
    ),
)


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_what_was_redacted_stays_as_it_is(line: str) -> None:
    shown = redact(line.encode(), emails=True)
    assert redact(shown, emails=True) == shown


@pytest.mark.parametrize("piece", [*_PIECES, "a-", "-eyJ", "token=token", "cookie=a; ", "4111-"])
def test_the_time_is_linear_in_the_line(piece: str) -> None:
    line = (piece.encode() * (64 << 10))[: 64 << 10]
    started = time.process_time()
    redact(line, emails=True)
    assert time.process_time() - started < 1.0  # what is quadratic takes minutes


def test_ordinary_lines_are_quick() -> None:
    lines = [
        b"2024-05-01 10:00:00,123 INFO app.main: job %d of queue mail done in %d ms" % (n, n % 97)
        for n in range(5_000)
    ]
    best = min(_seconds(lines) for _ in range(5))
    assert best < 5_000 / 30_000  # 100,000 a second and more on a machine that does nothing else


def _seconds(lines: list[bytes]) -> float:
    started = time.process_time()
    for line in lines:
        redact(line)
    return time.process_time() - started
