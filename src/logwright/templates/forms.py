"""Piecess: the constant parts and parameter types of a template, from its members' lines.

Constant words come from the shapes. Inside a masked token the kept lines decide: a piece that never
changes and reads like a name is text (`jk2_init()`, `node-` of `node-12`); all else is a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from logwright.templates.classes import is_value, value_type
from logwright.templates.items import Lexer, cut, spans

__all__ = ["Form", "common_type", "line_form", "token_form"]

Form = tuple[tuple[bytes, ...], tuple[str, ...]]
"""Constant parts around the parameters, and the parameters' types."""

Pieces = list[bytes | str]
"""Constant bytes and, as strings, the types of parameters, in order."""

_PIECE = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|[^A-Za-z0-9_\x80-\xff]+")
_WHOLE = frozenset(
    ("number", "version", "hex", "uuid", "ip", "time", "url", "path", "host", "user")
)
_KEEP = b"#@%$*"
_SAME_MIN = 3
_LEXER = Lexer()
_JOINED = frozenset(("hex", "ip", "time", "url", "path", "host"))
_SEGMENT = re.compile(
    r"(?P<date>(?:m,? +)+v(?:,? +v(?::v)*)?(?: +z)?(?: +v)?)"
    r"|(?P<amount><?v +u(?: +\(v +u\))?)"
    r"|(?P<gap>[,;| <]|:(?= ))"
    r"|[^,;| :<]+(?::[^,;| :<]+)*"
)


def common_type(values: Sequence[bytes]) -> str:
    """The one type of all values, or "other".

    >>> common_type([b"1", b"2.5"]), common_type([b"1", b"/tmp"])
    ('number', 'other')
    """
    kinds = {value_type(v) for v in values}
    if len(kinds) == 1:
        return kinds.pop()
    return "hex" if kinds == {"hex", "number"} else "other"


def _is_name(piece: bytes, distinct_lines: int) -> bool:
    """Whether a piece that never changed is a name rather than a value.

    Without digits it is, from two letters on. With digits letters must lead and outnumber them two
    to one (one to one where several distinct lines agree), or the digit must be the only one.
    """
    letters = sum(65 <= b <= 90 or 97 <= b <= 122 or b >= 128 for b in piece)
    digits = sum(48 <= b <= 57 for b in piece)
    if not digits:
        return letters > 1 or (letters == 1 and distinct_lines >= _SAME_MIN)
    if not piece[:1].isalpha() or not distinct_lines:
        return False
    return digits == 1 or letters >= (digits if distinct_lines >= _SAME_MIN else 2 * digits)


def token_form(values: Sequence[bytes], lines: int, key: bool = False) -> Pieces:
    """The form of one masked token, given its values in `lines` distinct lines.

    `key` says that an equals sign follows, so that a token which never changed is a name; no lines
    that one precedes, so that only pieces without digits can be names.

    >>> token_form([b"node-12", b"node-7"], 2), token_form([b"#12"], 1), token_form([b"7%"], 1)
    ([b'node', b'-', 'number'], [b'#', 'number'], ['number', b'%'])
    >>> token_form([b"jk2_init"], 3), token_form([b"/10.0.0.1"], 1)
    ([b'jk2_init'], ['ip'])
    """
    values = list({v for v in values if v != b"\x00"})
    if not values:
        return ["other"]
    kind = common_type(values)
    if kind in _WHOLE or all(is_value(v) for v in values):
        return [kind]
    if key and len(values) == 1 and values[0][:1].isalpha():
        return [values[0]]
    split = [_PIECE.findall(v) for v in values]
    size = min(len(s) for s in split)
    head = tail = 0
    if len({len(s) for s in split}) > 1:
        while head < size and len({s[head] for s in split}) == 1:
            head += 1
        while tail < size - head and len({s[-1 - tail] for s in split}) == 1:
            tail += 1
        middles = [b"".join(s[head : len(s) - tail]) for s in split]
        columns = [[s[i] for s in split] for i in range(head)]
        columns.append(middles)
        columns += [[s[len(s) - tail + i] for s in split] for i in range(tail)]
    else:
        columns = [[s[i] for s in split] for i in range(size)]
    if sum(any(48 <= b <= 57 for b in column[0]) for column in columns) > 1:
        lines = lines if lines >= _SAME_MIN else 0  # one number among others is a value
    form: Pieces = []
    named = False
    for column in columns:
        same = len(set(column)) == 1
        piece = column[0]
        if same and not _PIECE.fullmatch(piece):
            same = False
        if same and not (piece[:1].isalnum() or piece[0] >= 128 or piece[:1] == b"_"):
            form.append(piece)
        elif same and _is_name(piece, lines):
            named = True
            form.append(piece)
        else:
            form.append(common_type([c for c in column if c] or [b"?"]))
    return _join(form, named, kind, values)


def _join(form: Pieces, named: bool, kind: str, values: Sequence[bytes]) -> Pieces:
    """Parameters that only weak punctuation parts become one; so does weak punctuation in front."""
    result: Pieces = []
    for part in form:
        if isinstance(part, str) and result:
            if isinstance(result[-1], str):
                result[-1] = "other"
                continue
            weak = not any(b in _KEEP for b in result[-1]) and not result[-1][:1].isalnum()
            before = result[-2] if len(result) > 1 else None
            if weak and isinstance(before, str) and (not named or result[-1] == b"."):
                result[-2:] = ["other"]
                continue
            if weak and len(result) == 1 and not named:
                result = ["other"]
                continue
        result.append(part)
    if result == ["other"]:
        return [kind]
    # a name between two values belongs to neither: all of it is one value
    slots = [i for i, part in enumerate(result) if isinstance(part, str)]
    inner = result[slots[0] : slots[-1]] if slots else []
    if any(isinstance(part, bytes) and part[:1].isalnum() for part in inner):
        result[slots[0] : slots[-1] + 1] = ["other"]
    return result


def line_form(
    shapes: Sequence[Sequence[bytes]], wild: frozenset[int], lists: frozenset[int]
) -> Form:
    """The form of one template, from some lines of each of its shapes.

    `wild` and `lists` are the item positions of variable words and of runs of varying layout.

    >>> line_form([[b"took 12 ms"], [b"took  7 ms"]], frozenset(), frozenset())
    ((b'took ', b' ms'), ('number',))
    """
    cuts = []
    for lines in shapes:
        kinds = _LEXER.lex(lines[0])[1]
        # A secret that was taken out of some of a shape's lines leaves them with other items.
        cuts += [(kinds, found) for found in map(cut, lines) if len(found) == len(kinds)]
    literal = len({_gaps(kinds, found) for kinds, found in cuts}) == 1
    where = [spans(kinds) for kinds, _ in cuts]
    if not literal:
        where = [_inner(w, kinds) for w, (kinds, _) in zip(where, cuts, strict=True)]
    shift = 1 if literal and len(where[0]) > 1 and cuts[0][0][0] == " " else 0
    form: Pieces = []
    for at, places in enumerate(zip(*where, strict=True)):
        column = [(k[a:b], f[a:b]) for (a, b), (k, f) in zip(places, cuts, strict=True)]
        kind, first = column[0]
        if at - shift in wild:
            form.append(common_type([b"".join(f) for _, f in column]))
        elif at - shift in lists:
            form.append("list")
        elif kind[:1] == " ":
            form.append(b"".join(first) if literal else b" ")
        elif len(kind) == 1 and kind != "v":
            form.append(first[0])
        else:
            (start, stop), kinds = places[0], cuts[0][0]
            key, value = kinds[stop : stop + 1] == "=", kinds[:start].rstrip(" ")[-1:] == "="
            # an equals sign tells names from values: `r24=` is a name, `=hunter2` is not
            found = [f for _, f in column]
            distinct = 0 if value else len({b"".join(f) for f in found})
            form += _run_form(found, kind, distinct, literal, key)
    return _flatten(form)


def _gaps(kinds: str, found: Sequence[bytes]) -> bytes:
    """The white space of a line, everything else being one letter."""
    return b"".join([t if k == " " else b"x" for k, t in zip(kinds, found, strict=True)])


def _inner(where: list[tuple[int, int]], kinds: str) -> list[tuple[int, int]]:
    """The items without white space at either end."""
    if where and kinds[where[0][0]] == " ":
        where = where[1:]
    if where and kinds[where[-1][0]] == " ":
        where = where[:-1]
    return where


def _run_form(
    columns: list[list[bytes]], kind: str, lines: int, literal: bool, key: bool
) -> Pieces:
    """A run of one layout, segment by segment: a date, tokens joined by colons, or one token."""
    form: Pieces = []
    for match in _SEGMENT.finditer(kind):
        start, stop = match.span()
        whole = [b"".join(f[start:stop]) for f in columns]
        if match["gap"]:
            form.append(whole[0] if literal or match["gap"][0] != " " else b" ")
        elif match["date"]:
            form.append("time")
        elif match["amount"]:
            form += _amount_form(columns, kind, match.span(), lines, literal)
        else:
            form += _segment_form(columns, start, stop, whole, lines, key and stop == len(kind))
    return form


def _amount_form(
    columns: list[list[bytes]], kind: str, span: tuple[int, int], lines: int, literal: bool
) -> Pieces:
    """A number and its unit; the unit belongs to the value where it is not always the same."""
    places = range(*span)
    if any(len({f[i] for f in columns}) > 1 for i in places if kind[i] == "u"):
        return ["amount"]
    form: Pieces = []
    for i in places:
        if kind[i] == "v":
            form += token_form([f[i] for f in columns], lines)
        elif kind[i] != " " or literal:
            form.append(columns[0][i])
        elif kind[i - 1] != " ":
            form.append(b" ")
    return form


def _segment_form(
    columns: list[list[bytes]], start: int, stop: int, whole: list[bytes], lines: int, key: bool
) -> Pieces:
    """Tokens joined by colons without a space are one value, but for names at either end."""
    if stop - start == 1:
        return token_form(whole, lines, key)
    known = [w for w in whole if b"\x00" not in w]
    kind = common_type(known) if known else "other"
    if kind in _JOINED or "m" in kind:
        return [kind]
    first = token_form([f[start] for f in columns], lines)
    last = token_form([f[stop - 1] for f in columns], lines)
    head = first[:1] if isinstance(first[0], bytes) else []
    tail = last[-1:] if isinstance(last[-1], bytes) else []
    if len(first) == len(head):
        head.append(columns[0][start + 1])
    if len(last) == len(tail):
        tail.insert(0, columns[0][stop - 2])
    return [*head, kind, *tail]


def _flatten(form: Pieces) -> Form:
    """Constants between parameters; parameters that touch become one."""
    parts: list[bytes] = [b""]
    types: list[str] = []
    for piece in form:
        if isinstance(piece, bytes):
            parts[-1] += piece
        elif types and not parts[-1]:
            types[-1] = "other"
        else:
            types.append(piece)
            parts.append(b"")
    return tuple(parts), tuple(types)
