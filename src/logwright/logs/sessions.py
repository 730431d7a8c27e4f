"""Session keys: which token of a line says what it belongs to (contract 3).

A key is a regular expression. It runs once per shape, on the shape's first line, to find the token
it means; from then on that token's bytes are coded in bulk by the kernel. Each token value that
is new is checked against the expression once; what does not fit, and shapes where the key is only a
part of a token, fall back to the expression on that line alone.

`find_key` looks for an identifier by itself: a kind of token (a prefix such as ``blk_`` and an
alphanumeric rest, a UUID, a long hex number) whose values recur across different shapes.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from logwright.errors import SettingsError
from logwright.logs.batch import Int32s, Int64s
from logwright.logs.kernel import Table, token_spans
from logwright.logs.shapes import DELIMITERS, tokens
from logwright.snapshot import State, join, part

__all__ = ["SessionKey", "find_key", "identifiers"]

_NONE, _BY_LINE = -1, -2
_SHOWN = 200
_IS_DELIMITER = frozenset(DELIMITERS)


@dataclass(slots=True)
class SessionKey:
    """Codes the session key of every line; see the module's text.

    >>> key = SessionKey(rb"blk_-?[0-9]+", "example")
    >>> buf = b"got blk_1\\nput blk_1 x\\nidle"
    >>> key.learn(np.array([0, 1, 2]), [b"got blk_1", b"put blk_1 x", b"idle"])
    >>> start, end = np.array([0, 10, 22]), np.array([9, 21, 26])
    >>> key.codes(buf, start, end, np.array([0, 1, 2], np.int32)).tolist()
    [0, 0, -1]
    """

    pattern: bytes
    reason: str
    table: Table = field(default_factory=Table)
    _regex: re.Pattern[bytes] = field(init=False)
    _ordinal: Int32s = field(default_factory=lambda: np.empty(0, np.int32))
    _unfit: set[int] = field(default_factory=set)
    _names: dict[int, bytes] | None = None

    def __post_init__(self) -> None:
        try:
            with warnings.catch_warnings(action="ignore"):  # what may change in a later Python
                self._regex = re.compile(self.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            shown = self.pattern.decode("utf-8", "backslashreplace")
            shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
            why = "nested too deep" if isinstance(error, RecursionError) else error
            raise SettingsError(f"session: '{shown}' is not a regular expression: {why}") from None

    def key_of(self, content: bytes) -> bytes | None:
        """The session key of one line: the first group of the match, or all of it."""
        match = self._regex.search(content)
        return None if match is None else match[1 if self._regex.groups else 0]

    def learn(self, codes: Int32s, contents: Sequence[bytes]) -> None:
        """Find, for new shapes, the token that holds the key."""
        if not len(codes):
            return
        self._grow(int(np.max(codes)) + 1)
        for code, content in zip(codes.tolist(), contents, strict=True):
            self._ordinal[code] = self._token(content)

    def _grow(self, room: int) -> None:
        if room > len(self._ordinal):
            grown = np.full(max(room, 2 * len(self._ordinal)), _NONE, np.int32)
            grown[: len(self._ordinal)] = self._ordinal
            self._ordinal = grown

    def _token(self, content: bytes) -> int:
        match = self._regex.search(content)
        if match is None:
            return _NONE
        begin, stop = match.span(1 if self._regex.groups else 0)
        at = ordinal = 0
        for token in tokens(content):
            if token[0] not in _IS_DELIMITER:
                if at == begin and at + len(token) == stop:
                    return ordinal
                ordinal += 1
            at += len(token)
        return _BY_LINE

    def codes(self, buf: bytes, start: Int64s, end: Int64s, shape: Int32s) -> Int32s:
        """Session codes of lines (their contents' positions in `buf`), -1 where there is no key."""
        self._grow(int(shape.max()) + 1 if len(shape) else 0)
        ordinal = self._ordinal[shape]
        out = np.full(len(shape), -1, np.int32)
        direct = np.flatnonzero(ordinal >= 0)
        by_line = np.flatnonzero(ordinal == _BY_LINE)
        if len(direct):
            begin, stop = token_spans(buf, start[direct], end[direct], ordinal[direct])
            codes, fresh = self.table.intern(buf, begin, stop)
            for row in fresh.tolist():
                value = buf[int(begin[row]) : int(stop[row])]
                if self.key_of(value) != value:
                    self._unfit.add(int(codes[row]))
                elif self._names is not None:
                    self._names[int(codes[row])] = value
            out[direct] = codes
            if self._unfit:
                unfit = np.isin(codes, np.fromiter(self._unfit, np.int32))
                by_line = np.concatenate((by_line, direct[unfit]))
        for row in by_line.tolist():
            key = self.key_of(buf[int(start[row]) : int(end[row])])
            out[row] = -1
            if key is not None:
                out[row] = self._interned(key)
        return out

    def _interned(self, key: bytes) -> int:
        code, _ = self.table.intern(key, np.zeros(1, np.int64), np.array([len(key)]))
        if self._names is not None:
            self._names[int(code[0])] = key
        return int(code[0])

    def remember(self) -> None:
        """Keep the names of keys from now on, so that one may pause, and `drop` keys."""
        self._names = {}

    def name_of(self, code: int) -> bytes | None:
        """The key that a code stands for, where names are kept."""
        return None if self._names is None else self._names.get(code)

    def drop(self, wanted: Int64s) -> None:
        """Forget all keys but those with these codes, whose numbers are given out again."""
        assert self._names is not None
        keeps = np.zeros(self.table.span, bool)
        keeps[wanted] = True
        held = self._names.keys() | self._unfit if self._unfit else self._names
        gone = np.fromiter(held, np.int32, len(held))
        gone = np.sort(gone[~keeps[gone]])
        self.table.evict(gone)
        for code in gone.tolist():
            self._names.pop(code, None)
        self._unfit.difference_update(gone.tolist())

    def tokens(self, codes: Int32s) -> Int32s:
        """Which token of a shape holds the key, by shape code, as `learn` found."""
        self._grow(int(codes.max(initial=-1)) + 1)
        return self._ordinal[codes]

    def know(self, codes: Int32s, tokens: Int32s) -> None:
        """Take what `tokens` gave for these shapes."""
        self._grow(int(codes.max(initial=-1)) + 1)
        self._ordinal[codes] = tokens

    def paused(self) -> State:
        """The keys that are known, by code."""
        assert self._names is not None
        sizes, names = join(list(self._names.values()))
        codes = np.array(list(self._names), np.int32)
        return State({}, {"keys": {"code": codes, "size": sizes}}, {"names": names})

    def resume(self, state: State) -> Int32s:
        """Know these keys again: today's code of each one then, -1 for others, and last."""
        table = state.tables["keys"]
        order = np.argsort(table["code"], kind="stable")  # what is in order of codes remains so
        names = part(table["size"], state.files["names"])
        moved = np.full(int(table["code"].max(initial=-1)) + 2, -1, np.int32)
        for at in order.tolist():
            moved[table["code"][at]] = self._interned(names[at])
        return moved


_UUID = re.compile(rb"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")
_HEX = re.compile(rb"[0-9a-f]{12,64}\Z")
# Without backtracking, as a lookahead is not entered again: a line that is one long token costs as
# much as its length. (A possessive group would say it shorter; Python before 3.11.5 gets it wrong.)
_PREFIXED = re.compile(rb"(?=((?:[A-Za-z]++[_-])+))\1[\w-]*+\Z")
_LEAST_TOKEN, _LONGEST_TOKEN = 5, 128
_DIGIT = re.compile(rb"[0-9]")
_LEAST_KEYS = 20
_LEAST_COVERAGE = 0.5


def _kind(token: bytes) -> bytes | None:
    """The expression for tokens of this token's kind, None where it is no identifier."""
    if not _LEAST_TOKEN <= len(token) <= _LONGEST_TOKEN:
        return None
    if _UUID.search(token):
        prefix = token[:-36]
        if all(b in b"-_." or 65 <= b <= 90 or 97 <= b <= 122 for b in prefix):
            return re.escape(prefix) + rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    if _HEX.match(token) and not token.isdigit():
        return rb"\b[0-9a-f]{12,64}\b"
    match = _PREFIXED.match(token)
    if match and sum(48 <= b <= 57 for b in token) >= 3:
        # A hex identifier may happen to hold no digit. The first digit is looked for within a
        # token's length, so that a long line of prefixes costs no more than others.
        rest = rb"(?:[A-Za-z_-]{0,%d}[0-9][\w-]*|[A-Fa-f]{7,}\b)" % _LONGEST_TOKEN
        return rb"\b" + re.escape(match[1]) + rest
    return None


def identifiers(text: str) -> set[str]:
    """Identifiers in a line: UUIDs, long hex numbers, prefixed ones such as ``blk_123``.

    >>> sorted(identifiers("req-12ab7 got blk_4711 in 12 ms"))
    ['blk_4711', 'req-12ab7']
    """
    found = tokens(text.encode("utf-8", "replace"))
    return {t.decode("utf-8", "replace") for t in found if _kind(t) is not None}


def _shapes(contents: Sequence[bytes]) -> list[int]:
    """A number per line that is the same for lines of one shape."""
    length = np.array([len(content) for content in contents], np.int64)
    end = np.cumsum(length)
    codes: list[int] = Table().encode(b"".join(contents), end - length, end)[0].tolist()
    return codes


def find_key(contents: Sequence[bytes]) -> SessionKey | None:
    """The session key of a log, judged by a sample of consecutive lines' contents; None if none.

    A kind of identifier is taken when at least half of the lines hold one, its values come back
    (two lines a value or more), and most values that come back do so in different shapes.

    >>> lines = [b"%s blk_%d" % (verb, 100 + n) for n in range(20) for verb in (b"put", b"got")]
    >>> find_key(lines).reason
    "'blk_...' recurs across templates: 20 values in 40 of 40 sampled lines"
    """
    held: dict[bytes, int] = defaultdict(int)
    where: dict[bytes, dict[bytes, set[int]]] = defaultdict(lambda: defaultdict(set))
    times: dict[bytes, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
    example: dict[bytes, bytes] = {}
    for content, shape in zip(contents, _shapes(contents), strict=True):
        seen: set[bytes] = set()
        for token in tokens(content):
            if len(token) < _LEAST_TOKEN or not _DIGIT.search(token, 0, _LONGEST_TOKEN):
                continue
            kind = _kind(token)
            if kind is None or kind in seen:
                continue
            seen.add(kind)
            held[kind] += 1
            where[kind][token].add(shape)
            times[kind][token] += 1
            example[kind] = token
    best: tuple[float, bytes] | None = None
    for kind, lines in held.items():
        values = where[kind]
        again = [v for v, n in times[kind].items() if n >= 2]
        across = sum(len(values[v]) >= 2 for v in again)
        if (
            lines < _LEAST_COVERAGE * len(contents)
            or len(values) < _LEAST_KEYS
            or lines < 2 * len(again)
            or len(again) < 0.3 * len(values)
            or across < 0.5 * len(again)
        ):
            continue
        # The finest key that covers about as much wins: more values, more lines.
        rank = lines / len(contents) + 0.1 * np.log10(len(values))
        if best is None or (rank, kind) > best:
            best = (float(rank), kind)
    if best is None:
        return None
    kind = best[1]
    match = _PREFIXED.match(example[kind])
    if match:
        shown = f"'{match[1].decode('ascii', 'backslashreplace')}...'"
    else:  # not the example itself, which may be somebody's
        shown = "a UUID" if b"-" in example[kind] else "a hex number"
    reason = (
        f"{shown} recurs across templates: {len(where[kind]):,} values in {held[kind]:,} of "
        f"{len(contents):,} sampled lines"
    )
    return SessionKey(kind, reason)
