"""The corpus of lines with secrets and of lines that only look so, and pieces to make lines of.

It lies in `secrets/`, a line each, and `# ` begins a heading. No secret stands in it: each is made
here, from a seed, so that no scanner takes the repository for a leak. `«prefix|kind:n|end»` is a
secret whose prefix and end are public, `‹kind:n›` is filler that stays. `⏎` and `⇥` are a newline
and a tab. `held_out_*` was written before the code and first run when it was done.
"""

from __future__ import annotations

import base64
import random
import re
import string
from dataclasses import dataclass, field
from pathlib import Path

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

ORDINARY = [
    b"2024-05-01 10:00:00,123 INFO app.main: job %d of queue mail done in %d ms" % (n, n % 97)
    for n in range(5_000)
]

PIECES = (
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
