"""Hides secrets and identities before text leaves the house, and puts them back in the answer.

Secrets are those of `logwright.logs.redaction`; besides them addresses (IP, MAC, mail), host names
and user names. The same value has the same placeholder within a conversation, so that a model sees
that two lines speak of the same host. Placeholders are made of letters, digits and `_` alone, so
that they stay whole in code, JSON and regular expressions, and end in `_`, so that a digit behind
one does not belong to it.

Nothing leaks through a wrong guess: what is shown are pieces of what `redact` shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from logwright.logs.redaction import redact

__all__ = ["Placeholders"]

Kind = str
Span = tuple[int, int, Kind]

_REDACTED = re.compile(rb"\[redacted [a-z ]{1,32}\]")
_PLACEHOLDER = re.compile(r"REDACTED_[A-Z]{1,8}_\d{1,9}_")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_TOP = "(?:com|net|org|edu|gov|mil|biz|local|internal|lan|corp|intra|localdomain|localnet)"
_PACKAGE = r"(?!(?:com|org|net|io|edu|java|javax|sun|kernel|vm|fs)\.)"
"""How names of code and of settings begin that could pass for hosts: org.apache.net."""
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Every alternative begins at the start of a run of its characters, so that time stays linear.
_IDENTITY = re.compile(
    rf"(?<![\w.%+-])(?P<MAIL>[\w.%+-]{{1,64}}@(?:{_LABEL}\.){{1,6}}[A-Za-z]{{2,24}})(?![\w-])"
    rf"|(?<![\w.])(?P<IP>{_OCTET}(?:\.{_OCTET}){{3}})(?![\w]|\.\d)"
    r"|(?<![\w:.])(?P<MAC>[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})(?![\w:-])"
    r"|(?<![\w:.])(?P<IPV>(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
    r"|(?:[0-9A-Fa-f]{1,4}:){0,6}(?:[0-9A-Fa-f]{1,4})?::(?:[0-9A-Fa-f]{1,4}:){0,6}"
    r"[0-9A-Fa-f]{0,4})(?![\w:])"
    rf"|(?<![\w.-])(?P<HOST>{_PACKAGE}(?:{_LABEL}\.){{1,6}}{_TOP})(?![\w-]|\.\w)"
    rf"|(?<![\w-])(?:host|hostname|server|rhost|node)=[\"']?(?P<NAMED>{_LABEL}(?:\.{_LABEL}){{0,6}})"
    r"|(?<![\w-])(?:user|username|login|ruser|logname|account)=[\"']?(?P<USER>[A-Za-z_][\w.-]{0,31})"
    r"|(?:[Ii]nvalid |[Ii]llegal |for |by )user (?P<LOGIN>[A-Za-z_][\w.-]{0,31})(?![\w-])"
    r"|password for (?P<SSHD>[A-Za-z_][\w.-]{0,31})(?= from)"
    r"|/(?:home|Users)/(?P<FOLDER>[A-Za-z_][\w.-]{0,31})"
)
_KINDS = {"IPV": "IP", "NAMED": "HOST", "LOGIN": "USER", "SSHD": "USER", "FOLDER": "USER"}
_NOBODY = frozenset(
    {"root", "admin", "nobody", "daemon", "system", "unknown", "none", "null", "true", "false"}
    | {"anonymous", "guest", "localhost", "127.0.0.1", "0.0.0.0", "255.255.255.255"}
    | {"::", "::1", "invalid", "user"}
)
"""Names that tell a role, not a person or a machine: a model needs them to judge."""
_LEAST_IPV6 = 6
_LEAST_KNOWN = 4
"""Shorter values are looked for only in the places that tell them, not in all text."""


class Placeholders:
    """The values hidden in one conversation.

    >>> names = Placeholders()
    >>> names.hide("login from 10.0.0.7 to db1.example.com, password=hunter2")
    'login from REDACTED_IP_1_ to REDACTED_HOST_1_, password=REDACTED_SECRET_1_'
    >>> names.hide("10.0.0.7 again")
    'REDACTED_IP_1_ again'
    >>> names.restore("block REDACTED_IP_1_, not REDACTED_IP_9_")
    'block 10.0.0.7, not REDACTED_IP_9_'
    """

    def __init__(self) -> None:
        self._of: dict[tuple[Kind, str], str] = {}
        self._value: dict[str, str] = {}
        self._counts: dict[Kind, int] = {}

    def __len__(self) -> int:
        return len(self._value)

    def hide(self, text: str) -> str:
        """The text with all that is to be hidden replaced; new values get new placeholders."""
        pieces: list[str] = []
        at = 0
        for begin, end, kind in _merged([*_spelled(text), *_secrets(text), *_identities(text)]):
            pieces += text[at:begin], self._named(kind, text[begin:end])
            at = end
        return "".join((*pieces, text[at:]))

    def mask(self, text: str) -> str:
        """The text without values that are hidden elsewhere in the conversation.

        >>> names = Placeholders()
        >>> _ = names.hide("host=web1 down")
        >>> names.mask("is web1 near web12?")
        'is REDACTED_HOST_1_ near web12?'
        """
        known = {v: p for p, v in self._value.items() if len(v) >= _LEAST_KNOWN}
        if not known:
            return text
        longest = sorted(known, key=lambda value: (-len(value), value))
        either = "|".join(re.escape(value) for value in longest)
        return _outside(text, lambda piece: _masked(piece, either, known))

    def restore(self, text: str) -> str:
        """The text with the values put back; placeholders nobody gave stay."""
        return _PLACEHOLDER.sub(lambda m: self._value.get(m[0], m[0]), text)

    def restore_in(self, data: object) -> object:
        """The same in all strings of parsed JSON, keys included."""
        if isinstance(data, str):
            return self.restore(data)
        if isinstance(data, list):
            return [self.restore_in(item) for item in data]
        if isinstance(data, dict):
            return {self.restore_in(k): self.restore_in(v) for k, v in data.items()}
        return data

    def _named(self, kind: Kind, value: str) -> str:
        name = self._of.get((kind, value))
        if name is None:
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            name = self._of[kind, value] = f"REDACTED_{kind}_{number}_"
            self._value[name] = value
        return name


def _merged(spans: list[Span]) -> list[Span]:
    """The spans in order, those that overlap as one: it hides the more."""
    found: list[Span] = []
    for begin, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if found and begin < found[-1][1]:
            first, last, other = found[-1]
            found[-1] = (first, max(last, end), "SECRET" if kind == "SECRET" else other)
        else:
            found.append((begin, end, kind))
    return found


def _spelled(text: str) -> Iterator[Span]:
    """What looks like a placeholder already is a value like any other."""
    return ((*m.span(), "TEXT") for m in _PLACEHOLDER.finditer(text))


def _secrets(text: str) -> Iterator[Span]:
    """Where `redact` hides something: the pieces it keeps, found again in the text one after the
    other. A value may be cut at another place than `redact` cut it; what is shown stays the same.
    """
    raw = text.encode("utf-8", "surrogatepass")
    kept = _REDACTED.split(redact(raw))
    if len(kept) == 1:
        return
    begin, chars, last = len(kept[0]), 0, 0
    for n, piece in enumerate(kept[1:], 1):
        end = len(raw) - len(piece) if n == len(kept) - 1 else raw.find(piece, begin)
        next_begin = end + len(piece)
        begin, end = _snapped(raw, begin, -1, last), _snapped(raw, end, 1, len(raw))
        if begin < end:
            chars += len(raw[last:begin].decode("utf-8", "surrogatepass"))
            value = raw[begin:end].decode("utf-8", "surrogatepass")
            yield chars, chars + len(value), "SECRET"
            chars, last = chars + len(value), end
        begin = max(next_begin, last)


def _snapped(raw: bytes, at: int, step: int, limit: int) -> int:
    """The next place between two characters, outwards."""
    while at != limit and at < len(raw) and raw[at] & 0xC0 == 0x80:
        at += step
    return at


def _identities(text: str) -> Iterator[Span]:
    for m in _IDENTITY.finditer(text):
        kind = str(m.lastgroup)
        value = m[kind]
        if kind == "IPV" and len(value) < _LEAST_IPV6:  # a slice of code, or a scope
            continue
        if value.lower() not in _NOBODY:
            yield (*m.span(kind), _KINDS.get(kind, kind))


def _masked(text: str, either: str, known: dict[str, str]) -> str:
    return re.sub(rf"(?<![\w-])(?:{either})(?![\w-])", lambda m: known[m[0]], text)


def _outside(text: str, change: Callable[[str], str]) -> str:
    """Changes what lies between placeholders."""
    pieces: list[str] = []
    at = 0
    for m in _PLACEHOLDER.finditer(text):
        pieces += change(text[at : m.start()]), m[0]
        at = m.end()
    return "".join((*pieces, change(text[at:])))
