"""Header programs: a log format as a few fixed-size operations, run on every line by the kernel.

A program is bytes, four per operation: ``(op, a, b, c)``. It runs on one line ``[start, end)`` with
a cursor that begins at ``start``; each operation advances the cursor or fails the line. Afterwards
the message begins at the cursor. There is no backtracking: formats are written to need none.

=====  ====================================  ====================================================
op     arguments                             meaning
=====  ====================================  ====================================================
LIT    a byte                                that byte must follow
WS     a least number (0 or 1)               skip spaces and tabs, at least `a` of them
FIELD  a slot, b stop, c stop                the bytes up to the first of b, c, space, tab or the
                                             line's end (a stop of 0 stands for none); at least one
RAW    a slot, b stop                        the bytes (spaces included) up to the first b, which
                                             must follow; may be empty
OPT    a byte, b byte, c count               if the next byte is a or b, go on, else skip the next
                                             c operations; a == 0 asks for any decimal digit
MARK   -                                     from here on a failure is forgiven: the message begins
                                             here, later slots stay empty, and the line counts as
                                             PARTIAL
NUM    a part, b least, c most digits        a decimal number of b to c digits (greedy); a says
                                             which part of the time: see `PARTS`
MONTH  -                                     Jan..Dec, any case, into the month
ZONE   -                                     Z, UTC, GMT, or +hh:mm, +hhmm, +hh (or -): time zone
AMPM   -                                     AM or PM, any case: turns the hour into 24 hours
=====  ====================================  ====================================================

Parts: YEAR as written; YEAR2 two digits (70-99 are 19xx, others 20xx); MONTH_NO 1-12; DAY 1-31;
HOUR 0-23; MINUTE 0-59; SECOND 0-60; FRACTION (1 to 9 digits count, further ones are read over);
EPOCH, whose unit follows from its digits (up to 11 seconds, up to 14 ms, up to 17 us, else ns; 19
digits at most). A part out of its range fails the line at that operation, and so does a
day beyond its month's end (as in February 30), which is checked when the time is put together: such
a line keeps its header but has no time (`NO_TIME`).

Putting the time together, after the last operation or at the forgiving MARK: with EPOCH, epoch
(+ FRACTION); else with MONTH_NO and DAY: year (or the `year` argument if none was read), month,
day, time of day, fraction, minus the zone; else with HOUR only: the `day` argument (days since
1970) and time of day; else NO_TIME. A time outside what int64 nanoseconds hold is NO_TIME.

Result per line: FULL (the program ran to its end), PARTIAL (failed after a MARK) or NONE (failed:
the message is the whole line, no slots, NO_TIME). Only parts and slots read before the failing
operation (FULL) or before the last MARK passed (PARTIAL) count.
"""

from __future__ import annotations

__all__ = [
    "AMPM",
    "FIELD",
    "FULL",
    "IGNORE",
    "LIT",
    "MARK",
    "MONTH",
    "NONE",
    "NUM",
    "OPT",
    "PARTIAL",
    "PARTS",
    "RAW",
    "SLOTS",
    "WS",
    "ZONE",
    "op",
]

LIT, WS, FIELD, RAW, OPT, MARK, NUM, MONTH, ZONE, AMPM = range(10)

PARTS = {
    "year": 0,
    "month": 1,
    "day": 2,
    "hour": 3,
    "minute": 4,
    "second": 5,
    "fraction": 6,
    "epoch": 7,
    "year2": 8,
}
SLOTS = {"host": 0, "component": 1, "level": 2, "label": 3}
IGNORE = 255

NONE, PARTIAL, FULL = 0, 1, 2


def op(code: int, a: int = 0, b: int = 0, c: int = 0) -> bytes:
    """One operation.

    >>> op(LIT, ord("["))
    b'\\x00[\\x00\\x00'
    """
    return bytes((code, a, b, c))
