"""Windows: whatever the batches, the same records fall in the same windows."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.logs.batch import NO_TIME
from logwright.settings import Settings
from logwright.snapshot import Moved
from logwright.windows.plan import choose_plan, parse_window
from logwright.windows.sessions import Sessions
from logwright.windows.tumbling import CountWindows, TimeWindows
from logwright.windows.window import Events, Windows

SECOND = 10**9


def events_of(ts: list[int], session: list[int] | None = None) -> Events:
    n = len(ts)
    return Events(
        np.arange(n, dtype=np.int32) % 5,
        np.array(ts, np.int64),
        np.zeros(n, np.int8),
        np.array(session if session is not None else [0] * n, np.int32),
        np.arange(n, dtype=np.int64),
    )


def contents(windows: Windows) -> list[tuple]:
    return [
        (int(windows.key[i]), bool(windows.late[i]), windows.events.row[windows.span(i)].tolist())
        for i in range(len(windows))
    ]


SAME = Moved(np.array([*range(50), -1], np.int32), np.array([*range(50), -1], np.int32))


def run(assembler, events: Events, cuts: list[int]) -> list[tuple]:
    bounds = [0, *sorted(c % (len(events) + 1) for c in cuts), len(events)]
    out = []
    for a, b in pairwise(bounds):
        out += contents(assembler.push(events.take(slice(a, b))))
    return out + contents(assembler.flush())


times = st.lists(st.integers(0, 60) | st.just(NO_TIME), max_size=40)
cuts = st.lists(st.integers(0, 50), max_size=5)
ASSEMBLERS = {
    "tumbling": lambda: TimeWindows(size=10, step=10, lateness=3),
    "sliding": lambda: TimeWindows(size=10, step=4, lateness=3),
    "count": lambda: CountWindows(size=6, step=6),
    "count-sliding": lambda: CountWindows(size=6, step=2),
    "sessions": lambda: Sessions(gap=8, lateness=3, cap=7, max_open=1000),
}


@pytest.mark.parametrize("name", ASSEMBLERS)
@given(ts=times, at=cuts, keys=st.lists(st.integers(-1, 3), min_size=40, max_size=40))
def test_batch_boundaries_do_not_matter(name, ts, at, keys):
    events = events_of(ts, keys[: len(ts)])
    whole = run(ASSEMBLERS[name](), events, [])
    assert Counter(map(str, run(ASSEMBLERS[name](), events, at))) == Counter(map(str, whole))


@pytest.mark.parametrize("name", ASSEMBLERS)
@given(ts=times, at=cuts, keys=st.lists(st.integers(-1, 3), min_size=40, max_size=40))
def test_a_pause_changes_nothing(name, ts, at, keys):
    events = events_of(ts, keys[: len(ts)])
    bounds = [0, *sorted(c % (len(ts) + 1) for c in at), len(ts)]
    one, other = ASSEMBLERS[name](), ASSEMBLERS[name]()
    for a, b in pairwise(bounds):
        part = events.take(slice(a, b))
        assert contents(one.push(part)) == contents(other.push(part))
        state, other = other.paused(), ASSEMBLERS[name]()
        other.resume(state, SAME)
        assert other.oldest == one.oldest
        assert sorted(other.rows) == sorted(one.rows)
    assert contents(other.flush()) == contents(one.flush())


@given(ts=times, at=cuts, keys=st.lists(st.integers(0, 9), min_size=40, max_size=40))
def test_where_sessions_are_too_many_batches_do_not_matter_either(ts, at, keys):
    events = events_of(ts, keys[: len(ts)])

    def sessions() -> Sessions:
        return Sessions(gap=8, lateness=3, cap=7, max_open=3)

    whole = run(sessions(), events, [])
    assert Counter(map(str, run(sessions(), events, at))) == Counter(map(str, whole))


@given(ts=times, keys=st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_sessions_are_what_they_are_said_to_be(ts, keys):
    """One record after the other: no columns, no batches."""
    gap, lateness, cap = 8, 3, 7
    held: dict[int, list[tuple[int, int]]] = {}
    found: list[list[int]] = []
    newest = last = NO_TIME
    for row, (time, key) in enumerate(zip(ts, keys, strict=False)):
        last = last if time == NO_TIME else time
        mine = held.setdefault(key, [])
        before = mine[-1][1] if mine else NO_TIME
        if before != NO_TIME and (last - before > gap or newest - lateness - gap > before):
            found.append([r for r, _ in held.pop(key)])
            mine = held.setdefault(key, [])
        mine.append((row, last))
        if len(mine) == cap:
            found.append([r for r, _ in held.pop(key)])
        newest = max(newest, last)
    found += [[r for r, _ in records] for records in held.values() if records]
    sessions = Sessions(gap, lateness, cap, max_open=1000)
    assert sorted(found) == sorted(rows for _, _, rows in run(sessions, events_of(ts, keys), [3]))


@given(ts=st.lists(st.integers(0, 60), max_size=40).map(sorted), at=cuts)
def test_few_rows_are_the_first_and_the_last_of_each_template(ts, at):
    windows, held = TimeWindows(10, 10, 3), []
    events = events_of(ts)
    for a, b in pairwise([0, *sorted(c % (len(ts) + 1) for c in at), len(ts)]):
        closed = windows.push(events.take(slice(a, b)))
        few = set(windows.few_rows(2).tolist())
        assert few <= set(windows.rows.tolist())
        held = [r for r in (*held, *range(a, b)) if r not in set(closed.events.row.tolist())]
    slots: dict[tuple[int, int], list[int]] = {}
    last = NO_TIME
    for row, time in enumerate(ts):
        last = last if time == NO_TIME else time
        slots.setdefault(((0 if last == NO_TIME else last) // 10, row % 5), []).append(row)
    rows = windows.rows.tolist()
    for members in slots.values():
        mine = [r for r in members if r in rows]
        assert few.issuperset({*mine[:2], *mine[-1:]})


@pytest.mark.parametrize("name", ["tumbling", "count", "sessions"])
@given(ts=times, at=cuts)
def test_every_record_is_in_exactly_one_window(name, ts, at):
    rows = [r for _, _, w in run(ASSEMBLERS[name](), events_of(ts), at) for r in w]
    assert sorted(rows) == list(range(len(ts)))


@given(ts=times)
def test_records_keep_their_order_within_a_window(ts):
    for name in ASSEMBLERS:
        for _, _, rows in run(ASSEMBLERS[name](), events_of(ts), []):
            assert rows == sorted(rows)


def test_sliding_time_windows_hold_all_records_of_their_span():
    found = run(TimeWindows(size=10, step=5, lateness=0), events_of([0, 4, 6, 12]), [])
    assert found == [
        (-1, False, [0, 1]),
        (0, False, [0, 1, 2]),
        (1, False, [2, 3]),
        (2, False, [3]),
    ]


def test_a_late_record_is_counted_as_late_not_dropped():
    found = run(TimeWindows(size=10, step=10, lateness=0), events_of([1, 25, 2]), [])
    assert (0, False, [0]) in found
    assert (0, True, [2]) in found


def test_allowed_lateness_keeps_a_window_open():
    found = run(TimeWindows(size=10, step=10, lateness=20), events_of([1, 25, 2]), [])
    assert (0, False, [0, 2]) in found


def test_windows_close_as_soon_as_the_watermark_passes():
    assembler = TimeWindows(size=10, step=10, lateness=5)
    assert len(assembler.push(events_of([1, 14]))) == 0
    more = events_of([1, 14, 16]).take(slice(2, 3))
    assert contents(assembler.push(more)) == [(0, False, [0])]


def test_sessions_close_by_gap_and_by_cap():
    sessions = Sessions(gap=5, lateness=0, cap=3, max_open=10)
    found = run(sessions, events_of([0, 1, 20, 21, 22, 23], [7] * 6), [])
    assert [rows for _, _, rows in found] == [[0, 1], [2, 3, 4], [5]]


@given(ts=times, at=cuts)
def test_sessions_close_behind_an_end_marker(ts, at):
    def sessions() -> Sessions:
        return Sessions(1000, 0, 100, 100, ends=lambda templates: templates == 4)

    events = events_of(ts)
    found = run(sessions(), events, at)
    assert Counter(map(str, found)) == Counter(map(str, run(sessions(), events, [])))
    for _, _, rows in found:
        marked = [r for r in rows if r % 5 == 4]
        assert marked in ([], rows[-1:])


def test_records_without_a_key_are_in_no_session():
    found = run(ASSEMBLERS["sessions"](), events_of([0, 1], [-1, 4]), [])
    assert found == [(4, False, [1])]


def test_open_sessions_are_bounded():
    sessions = Sessions(gap=100, lateness=0, cap=100, max_open=2)
    closed = sessions.push(events_of([0, 1, 2], [0, 1, 2]))
    assert contents(closed) == [(0, False, [0])]
    assert sessions.evicted == 1


def test_closed_windows_come_in_order_of_end_and_key():
    sessions = Sessions(gap=5, lateness=0, cap=10, max_open=10)
    closed = sessions.push(events_of([3, 1, 1, 30], [0, 2, 1, 9]))
    assert closed.key.tolist() == [1, 2, 0]


@given(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=8), max_size=8))
def test_counts_match_a_plain_counter(sequences):
    owner, template, number = Windows.of_sequences(sequences).counts()
    found: dict[tuple[int, int], int] = dict(
        zip(zip(owner.tolist(), template.tolist(), strict=True), number.tolist(), strict=True)
    )
    expected = Counter((i, t) for i, s in enumerate(sequences) for t in s)
    assert found == dict(expected)


@pytest.mark.parametrize("text", ["", "0", "5x", "10/20", "5m/10", "-3", "1h/2h"])
def test_a_bad_window_says_what_was_expected(text):
    with pytest.raises(SettingsError, match="expected 'auto', a number of lines"):
        parse_window(text)


def test_time_windows_need_times():
    with pytest.raises(SettingsError, match="no times"):
        choose_plan(Settings(window="5m"), sessions=False, lines=10, span=0)


def test_the_plan_follows_from_the_log():
    day = 86_400 * SECOND
    assert choose_plan(Settings(), True, 1000, day).kind == "session"
    assert choose_plan(Settings(), False, 1000, 0).kind == "count"
    plan = choose_plan(Settings(), False, 1_000_000, day)
    assert (plan.kind, plan.size, plan.interval) == ("time", 10 * SECOND, 300 * SECOND)


def test_count_windows_begin_with_the_first_record_whatever_its_row():
    events = events_of([0] * 10).take(np.array([3, 5, 6, 9]))
    assert run(CountWindows(size=3, step=3), events, [1]) == [
        (0, False, [3, 5, 6]),
        (1, False, [9]),
    ]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(1, 7), st.data())
def test_the_oldest_row_is_the_first_of_what_closes_later(
    times: list[int], cut: int, data: st.DataObject
) -> None:
    ts = [t * SECOND for t in times]
    session = data.draw(st.lists(st.integers(-1, 2), min_size=len(ts), max_size=len(ts)))
    events = events_of(ts, session)
    for windows in (
        CountWindows(4, 2),
        TimeWindows(10 * SECOND, 10 * SECOND, 2 * SECOND),
        Sessions(5 * SECOND, 0, 100, 100),
    ):
        assert windows.oldest is None
        for at in range(0, len(events), cut):
            windows.push(events.take(slice(at, at + cut)))
        oldest, rest = windows.oldest, windows.flush().events.row
        assert oldest is None or oldest <= rest.min(initial=oldest)
        assert oldest is not None or not len(rest)


@pytest.mark.parametrize("step", [5, 10])
@given(ts=st.lists(st.integers(0, 60), max_size=30), cut=st.integers(0, 30))
def test_open_windows_of_time_are_those_that_the_end_closes(
    step: int, ts: list[int], cut: int
) -> None:
    windows = TimeWindows(size=10, step=step, lateness=10**6)
    n = len(ts)
    level, codes = np.zeros(n, np.int8), np.zeros(n, np.int32)
    events = Events(codes, np.array(ts, np.int64), level, codes, np.arange(n))
    for some in (slice(0, cut), slice(cut, None)):
        windows.push(events.take(some))
    number = windows.open
    assert number == len(windows.flush())
    assert windows.open == 0


def test_open_windows_of_a_count_are_those_that_wait_for_records() -> None:
    windows = CountWindows(size=4, step=2)
    opened = []
    for at in range(7):
        windows.push(
            Events(
                np.zeros(1, np.int32),
                np.zeros(1, np.int64),
                np.zeros(1, np.int8),
                np.zeros(1, np.int32),
                np.array([at]),
            )
        )
        opened.append(windows.open)
    assert opened == [1, 1, 2, 1, 2, 1, 2]
