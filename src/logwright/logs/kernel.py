"""The block functions of the hot path: the C kernel where it is built, else its numpy twin.

Both give identical results; `BACKEND` says which one runs.

* ``lines(buf) -> (start, end)``: int64 arrays, one entry per line. A line ends before ``\\n``, and
  before one ``\\r`` in front of it. A last line without ``\\n`` counts; an empty rest does not.
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
"""

from __future__ import annotations

try:
    from logwright.logs.native import Table, headers, lines, token_spans

    BACKEND = "C kernel"
except ImportError:
    from logwright.logs.twin import (  # type: ignore[assignment]
        Table,
        headers,
        lines,
        token_spans,
    )

    BACKEND = "numpy twin (slower: no compiled kernel in this install)"

__all__ = ["BACKEND", "Table", "headers", "lines", "token_spans"]
