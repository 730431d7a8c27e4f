"""Redaction: well-known secret forms go, what only looks like one stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.redaction import redact

# (line, the part that must go). Built from parts, so that no scanner takes this file for a leak.
A36 = "a1B2c3D4e5" * 3 + "a1B2c3"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
SECRETS = [
    ("login password=hunter2 ok", "hunter2"),
    ("Password: hunter2", "hunter2"),
    ('{"user": "ann", "password": "hun ter2"}', "hun ter2"),
    ("{'password': 'hun ter2'}", "hun ter2"),
    ("passwd=hunter2 user=ann", "hunter2"),
    ("pwd='hunter2'", "hunter2"),
    ("MYSQL_PWD=hunter2", "hunter2"),
    ("PGPASSWORD=hunter2 psql", "hunter2"),
    ("PASSPHRASE=correct-horse", "correct-horse"),
    ("password\t=\thunter2", "hunter2"),
    ("url ?user=ann&password=hunter2&page=1", "hunter2"),
    ("client_secret: abcdef123", "abcdef123"),
    ("token=abc123def456", "abc123def456"),
    ("refresh_token: 1//0gabcd", "1//0gabcd"),
    ("GET /x?access_token=ya29.a0AfH6 HTTP/1.1", "ya29.a0AfH6"),
    ('{"api_key":"k-123456"}', "k-123456"),
    ("apikey=0123456789", "0123456789"),
    ("X-Api-Key: 12345678", "12345678"),
    ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"),
    ("credentials=user:pw12", "pw12"),
    ("private_key: MIIEabc", "MIIEabc"),
    ("using AKIA" + "IOSFODNN7EXAMPLE now", "IOSFODNN7EXAMPLE"),
    ("using ASIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("push with ghp_" + A36, A36),
    ("push with gho_" + A36, A36),
    ("github_pat_" + A36, A36),
    ("glpat-" + A36[:20], A36[:20]),
    ("xoxb-" + "123456789012-abcdefghij", "123456789012-abcdefghij"),
    ("maps AIza" + A36[:35], A36[:35]),
    ("sk_live_" + A36[:24], A36[:24]),
    ("rk_test_" + A36[:24], A36[:24]),
    ("npm_" + A36, A36),
    ("pypi-" + A36 + A36, A36),
    ("sk-" + "proj-abcdefghij0123456789", "abcdefghij0123456789"),
    ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ('"Authorization":"Token 0123456789abcdef"', "0123456789abcdef"),
    ("sent Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    (f"cookie {JWT} end", JWT.split(".")[2]),
    ("postgres://ann:s3cret@db:5432/x", "s3cret"),
    ("https://user:pa%40ss@host/", "pa%40ss"),
    ("redis://:s3cret@cache:6379", "s3cret"),
    ("-----BEGIN RSA PRIVATE KEY-----MIIEow", "MIIEow"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow", "MIIEow"),
    ("-----BEGIN OPENSSH PRIVATE KEY----- b3Bl", "b3Bl"),
    ("card 4111 1111 1111 1111 charged", "1111 1111"),
    ("card=4111-1111-1111-1111", "1111-1111"),
    ("paid by 5500005555555559", "5500005555555559"),
    ("amex 378282246310005", "378282246310005"),
]


@pytest.mark.parametrize(("line", "secret"), SECRETS, ids=[line[:30] for line, _ in SECRETS])
def test_secrets_are_removed(line: str, secret: str) -> None:
    shown = redact(line.encode()).decode()
    assert secret not in shown
    assert "[redacted " in shown
    # What tells where it stood is left.
    begin = line.index(secret)
    kept = line[: min(begin, 3)]
    assert shown.startswith((kept, "[redacted "))


@pytest.mark.parametrize(
    "line",
    [
        "Received block blk_4111111111111111 of size 67108864",
        "blk_-4111111111111111 is added",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "d41d8cd98f00b204e9800998ecf8427e",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872",
        "1700000000000 up",
        "1700000000000000000 up",
        "check pass; user unknown",
        "token bucket is full",
        "password changed for user root",
        "Failed password for invalid user admin from 1.2.3.4 port 22 ssh2",
        "Accepted password for fztu from 119.137.62.142 port 49116 ssh2",
        "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=1.2.3.4",
        "PasswordAuthentication no",
        "secretary=ann",
        "http://example.com:8080/path",
        "http://a/b@c",
        "s3://bucket/key@v1",
        "user@host.example",
        "mailto:a@b.c",
        "bearer of news",
        "authorization failed for user 12",
        "task-scheduler-thread-pool-executor-1",
        "risk-assessment-service-backend-01",
        "max_tokens=4096",
        "tokens: 512",
        "order 4111 1111 1111 1112",
        "serial 1111111111111111",
        "pid 1234 5678",
        "192.168.100.100:50010",
        "0xdeadbeefdeadbeef",
        "AKIA is a prefix, and so is ghp_short",
        "keyboard=de",
        "passing: 12 tests",
        "pass 3 of 5",
        "passed=12",
        "reset token sent",
        "no credentials found",
        "00:11:22:33:44:55",
        "password=",
        "",
        "café \\xff",
    ],
)
def test_what_only_looks_like_a_secret_stays(line: str) -> None:
    assert redact(line.encode()).decode() == line


def test_the_rest_of_the_line_stays() -> None:
    line = b"2024-05-01 ann login password=hunter2 from http://ann:s3cret@db/x?token=abcd&page=2 ok"
    assert redact(line) == (
        b"2024-05-01 ann login password=[redacted secret] from "
        b"http://ann:[redacted url password]@db/x?token=[redacted secret]&page=2 ok"
    )


@given(
    st.binary(max_size=30).map(lambda b: b.translate(None, b"abcdefgh")),
    st.text("abcdefgh", min_size=8, max_size=12),
)
def test_a_password_goes_whatever_stands_before_it(before: bytes, secret: str) -> None:
    assert secret.encode() not in redact(before + b" password=" + secret.encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_taken(line: bytes) -> None:
    assert isinstance(redact(line), bytes)
