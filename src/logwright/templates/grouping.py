"""Generalising: which item positions of which rows are variable, on integer-coded items.

A row is a distinct sequence of items. Two rows that are equal but for one position form a *context*
there. A context whose position has many distinct words is a place where values go; all contexts are
judged at the same time, the marked words become variable, and this repeats until nothing changes.
So the result depends on the set of rows only. Where values are expected (after `=` or a
preposition) fewer words suffice, and several positions may vary at once. Cost: a sort of all
positions per round.

Limits: two words that vary at once where no value is expected stay apart, and so do lines whose
delimiters differ.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from logwright.logs.shapes import DELIMITERS

__all__ = ["grouped", "is_delimiter"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Hashes = NDArray[np.uint64]

VARIABLE = 0
"""The code of a run, and of a word that was found to be variable."""

VALUES = 6
"""Distinct words that make a position variable. From 4 to 7 the scores on LogHub are the same; to
merge two statements loses more than to split one."""

VALUES_EXPECTED = 2
"""The same after `=` or a preposition, where a value is expected."""

SUBJECT_WORDS = 4
"""Constant words a line must have besides its first, so that the first can be variable."""

_DELIMITERS = frozenset(bytes([b]) for b in DELIMITERS) | {b""}
_EXPECTING = frozenset(b"= from to for by on at in of with via user".split())

_C1, _C2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_C3 = np.uint64(0x94D049BB133111EB)


@dataclass(slots=True)
class Rows:
    """Rows of codes, flat: row i is ``codes[starts[i]:starts[i] + lengths[i]]``.

    `slot` says of each position whether it holds a word or a run (not a delimiter); `expected`
    whether a value is expected there; `telling` whether the word tells what happened (all capitals,
    as states are, or a participle): such words count half.
    """

    codes: Ints
    starts: Ints
    lengths: Ints
    slot: Flags
    expected: Flags
    telling: Flags


def _mix(x: Hashes) -> Hashes:
    x = (x ^ (x >> np.uint64(30))) * _C2
    x = (x ^ (x >> np.uint64(27))) * _C3
    return x ^ (x >> np.uint64(31))


def _sums(terms: Hashes, starts: Ints) -> Hashes:
    return np.add.reduceat(terms, starts) if len(starts) else terms[:0]


def generalise(rows: Rows) -> tuple[Ints, Flags]:
    """The group of each row, and which positions were made variable. Rows must not be empty.

    Group numbers are the index of the group's first row.
    """
    codes = rows.codes.copy()
    row_of = np.repeat(np.arange(len(rows.starts)), rows.lengths)
    place = _mix((np.arange(len(codes)) - rows.starts[row_of]).astype(np.uint64) * _C1 + _C1)
    size = _mix(rows.lengths.astype(np.uint64) + _C3)
    while True:
        terms = _mix(place ^ (codes.astype(np.uint64) * _C1))
        hashes = _sums(terms, rows.starts) + size
        _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
        leader = np.zeros(len(rows.starts), np.bool_)
        leader[first] = True
        marked = _marks(rows, codes, leader, row_of, hashes, terms, place)
        if not marked.any():
            return first[group], codes != rows.codes
        # what was decided on the leader holds for all rows of its group
        flat = _spread(rows, marked, first[group], row_of)
        codes[flat & rows.slot] = VARIABLE


def _spread(rows: Rows, marked: Flags, leaders: Ints, row_of: Ints) -> Flags:
    """Each row's marks, read from its group's leader, position by position."""
    offset = np.arange(len(row_of)) - rows.starts[row_of]
    return marked[rows.starts[leaders][row_of] + offset]


def _marks(
    rows: Rows,
    codes: Ints,
    leader: Flags,
    row_of: Ints,
    hashes: Hashes,
    terms: Hashes,
    place: Hashes,
) -> Flags:
    """The positions of leaders' words that their contexts show to be variable."""
    at = np.flatnonzero(rows.slot & leader[row_of])
    row, word, expected = row_of[at], codes[at] != VARIABLE, rows.expected[at]
    words = np.bincount(row, weights=word, minlength=len(hashes))
    result = np.zeros(len(codes), np.bool_)

    # rows that are equal but for this position
    context = _mix(hashes[row] - terms[at] + _mix(place[at]))
    others = words[row] - word
    need = np.where(expected, VALUES_EXPECTED, VALUES).astype(np.float64)
    need[others == 1] += VALUES
    first = at == rows.starts[row]
    need[(others == 0) | (first & (others < SUBJECT_WORDS))] = np.inf
    result[at[word & (_evidence(context, word, rows.telling[at]) >= need)]] = True

    # rows that are equal but for all positions where a value is expected: several vary at once
    at, row, word = at[expected], row[expected], word[expected]
    rest = hashes.copy()
    np.subtract.at(rest, row, terms[at])
    context = _mix(rest[row] + _mix(place[at]))
    _, distinct, back = np.unique(_mix(context + terms[at]), return_index=True, return_inverse=True)
    have = _evidence(context[distinct], word[distinct], rows.telling[at[distinct]])[back]
    others = words[row] - np.bincount(row, weights=word, minlength=len(hashes))[row]
    result[at[word & (have >= VALUES) & (others >= 2)]] = True
    return result


def _evidence(context: Hashes, word: Flags, telling: Flags) -> NDArray[np.float64]:
    """How many values each entry's context has; entries of one context are distinct values.

    A run among them counts two, since it shows that values occur there.
    """
    _, which = np.unique(context, return_inverse=True)
    words = np.bincount(which, weights=word * np.where(telling, 0.5, 1.0))
    runs = np.bincount(which, weights=~word) > 0
    return np.asarray((words + 2.0 * runs)[which], np.float64)


def is_delimiter(item: bytes) -> bool:
    """Whether an item is a delimiter rather than a word or a run."""
    return item in _DELIMITERS


@dataclass(slots=True)
class Group:
    """Rows of one template: their numbers, ascending; the item positions where words were found to
    be variable; and those of runs whose layout differs, that is, of lists."""

    rows: list[int]
    wild: frozenset[int]
    lists: frozenset[int]


def grouped(rows: Iterable[Sequence[bytes]]) -> list[Group]:
    """Groups of rows of items.

    >>> rows = [[b"user", b" ", w, b" ", b"in"] for w in (b"ann", b"bob", b"cy", b"dot")]
    >>> grouped(rows)
    [Group(rows=[0, 1, 2, 3], wild=frozenset({2}), lists=frozenset())]
    """
    table: defaultdict[bytes, int] = defaultdict(count(1).__next__)
    table[b"\x00"] = VARIABLE
    flat, lengths = array("q"), array("q")
    code = table.__getitem__
    for row in rows:
        flat.extend(map(code, row or (b"",)))
        lengths.append(len(row) or 1)
    if not lengths:
        return []
    exact, sizes = np.array(flat, np.int64), np.array(lengths, np.int64)
    coded = _coded(exact, sizes, list(table))
    leader, marked = generalise(coded)
    row_of = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(exact)) - coded.starts[row_of]
    runs = coded.codes == VARIABLE
    lead = coded.starts[leader][row_of] + place
    uneven = runs & runs[lead] & (exact != exact[lead])
    groups: dict[int, Group] = {}
    wild, lists = (_places(leader[row_of], place, flags) for flags in (marked, uneven))
    for number, first in enumerate(leader.tolist()):
        group = groups.get(first)
        if group is None:
            any_ = wild.get(first, frozenset())
            groups[first] = Group([number], any_, lists.get(first, frozenset()) - any_)
        else:
            group.rows.append(number)
    return list(groups.values())


def _coded(exact: Ints, sizes: Ints, words: list[bytes]) -> Rows:
    """Rows in which all runs have one code, and what each position expects."""
    run = np.array([w[:1] == b"\x00" for w in words])
    expecting = np.array([w.lower() in _EXPECTING for w in words])
    space = np.array([w == b" " for w in words])[exact]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    # the word before, over white space; a row's first item has none
    before = np.maximum(np.arange(len(exact)) - 1, 0)
    before = np.where(space[before], np.maximum(before - 1, 0), before)
    expected = expecting[exact[before]]
    expected[starts] = False
    return Rows(
        np.where(run[exact], VARIABLE, exact),
        starts,
        sizes,
        slot=np.array([w not in _DELIMITERS for w in words])[exact],
        expected=expected,
        telling=np.array([w.isupper() or w.endswith((b"ed", b"ing")) for w in words])[exact],
    )


def _places(labels: Ints, place: Ints, flags: Flags) -> dict[int, frozenset[int]]:
    """By label, the places that are flagged."""
    at = np.flatnonzero(flags)
    pairs = np.unique(np.stack([labels[at], place[at]]), axis=1)
    result: dict[int, set[int]] = {}
    for label, where in pairs.T.tolist():
        result.setdefault(label, set()).add(where)
    return {label: frozenset(found) for label, found in result.items()}
