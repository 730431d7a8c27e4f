"""The block functions of the hot path: the C kernel where it is built, else its numpy twin.

Both give identical results; `BACKEND` says which one runs.

* ``lines(buf, newlines=None) -> (start, end)``: int64 arrays, one entry per line; `newlines` says
  how many newlines there are, where that is known. A line ends before ``\\n``, and before one
  ``\\r`` in front of it. A last line without ``\\n`` counts; an empty rest does not.
* ``headers(buf, start, end, program, year, day) -> (content, ts, spans, status)``: run a header
  program (`logs.program`) on each line. int64 (n,), int64 (n,) nanoseconds, int64 (n, 8) byte
  positions as (start, end) of the slots host, component, level, label with -1 for none, int8 (n,).
* ``token_spans(buf, start, end, ordinal) -> (begin, stop)``: where the token number `ordinal`
  (int32 (n,), counted over non-delimiter tokens, from 0; -1 for none) of each line's content
  stands; -1, -1 where there is none.
* ``Table()``: a growing map from 128-bit keys to int32 codes. ``encode(buf, start, end)`` codes the
  lines' shapes, ``intern(buf, start, end)`` their raw bytes (entries with ``start < 0`` get -1);
  both return ``(codes, fresh)`` where `fresh` holds the row in which each new code first stands.
  ``keys(codes)`` gives uint64 (m, 2); ``evict(codes)`` forgets codes, whose numbers are given out
  again; ``len(table)`` counts what is held and ``table.span`` is one more than the largest code.
* ``watch(buf, start, end, shape, plan, layout, slots, known) -> (found, numbers)``: walk over the
  variable tokens of lines whose shape is watched, and tell of those that stand out. ``plan[shape]``
  is -1 for shapes that are not watched; a place in `layout`; or, below -1, counts the lines of the
  shape up to -1, which is told of once, with slot -1. From its place on, `layout` (int32) holds
  pairs of the constant bytes in front of the next variable token and the token's slot (-1 for
  none), ended by -1. `slots` is an array of `WATCH`, `known` uint64 (slots, 128), a hash table of
  the values of each slot. `plan` and ``slots["seen"]`` are counted on. `found` is int64 (m, 6): the
  row, slot, where the token begins and stops, which of the slot's tokens it is, and its hash (where
  the slot is in mode `ALL` or `VALUE`); `numbers` is float64 (m,), NaN where the token is no plain
  number with one of `UNITS`, scaled by it (where the slot is in mode `ALL` or `NUMBER`).

The modes of a watched slot add up. `ALL` tells of every token, `SAMPLE` of every `stride`-th,
`NUMBER` of those not between `low` and `high`, `VALUE` of values that are not known, `FORM` of
those of an unusual length or with a kind of character (`FORMS`) that is not in `classes`.
"""

from __future__ import annotations

from logwright.logs.twin import ALL, FORM, FORMS, KNOWN, NUMBER, SAMPLE, UNITS, VALUE, WATCH

try:
    from logwright.logs.native import Table, headers, lines, token_spans, watch

    BACKEND = "C kernel"
except ImportError:
    from logwright.logs.twin import (  # type: ignore[assignment]
        Table,
        headers,
        lines,
        token_spans,
        watch,
    )

    BACKEND = "numpy twin (slower: no compiled kernel in this install)"

__all__ = [
    "ALL",
    "BACKEND",
    "FORM",
    "FORMS",
    "KNOWN",
    "NUMBER",
    "SAMPLE",
    "UNITS",
    "VALUE",
    "WATCH",
    "Table",
    "headers",
    "lines",
    "token_spans",
    "watch",
]
