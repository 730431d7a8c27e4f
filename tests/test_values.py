"""Sketches of values: bounded, exact where they say so, and the same wherever batches end."""

from __future__ import annotations

import random

import numpy as np
import pytest

from logwright.logs.batch import Int64s, LineBatch
from logwright.logs.kernel import FORM, NUMBER, VALUE, Table, lines
from logwright.templates.values import FEW, Record, Sketch, Values
from logwright.templates.watcher import kinds_of, layout_of


class Feed:
    """Gives text to `Values` in batches of any size."""

    def __init__(self) -> None:
        self.values, self.table, self.rows = Values(), Table(), 0

    def take(self, text: list[str], size: int, source: int = 0) -> None:
        for at in range(0, len(text), size):
            buf = "".join(f"{line}\n" for line in text[at : at + size]).encode()
            start, end = lines(buf)
            shape = self.table.encode(buf, start, end)[0] + 2
            n = len(start)
            none = np.full(n, -1, np.int32)
            ts = np.zeros(n, np.int64)
            level = np.zeros(n, np.int8)
            columns = (ts, level, none, none, none, none, start, start)
            self.values.look(LineBatch(buf, source, start, end, start, shape, *columns), self.rows)
            self.rows += n

    def sketches(self) -> dict[str, Sketch]:
        return {sketch.label: sketch for _, _, _, sketch in self.values.sketches()}


def mixed(number: int) -> list[str]:
    rng = random.Random(3)
    return [
        rng.choice(
            (
                f"took {rng.expovariate(0.02):.0f} ms",
                f"code {rng.choice((200, 304, 404))} sent",
                f"opened /data/{'ab' * rng.randrange(5)}{rng.randrange(999)}.csv",
                f"request {rng.getrandbits(128):032x} done",
                f"line {n} written",
                f"free {rng.gauss(500, 20):.1f}MB",
            )
        )
        for n in range(number)
    ]


def held(text: list[str], size: int) -> dict[str, Sketch]:
    feed = Feed()
    feed.take(text, size)
    return feed.sketches()


def test_extremes_values_and_sizes_are_exact() -> None:
    text = mixed(9000)
    found = held(text, 1000)
    took = [int(x.split()[1]) for x in text if x.startswith("took")]
    sketch = found["took <*> ms"]
    assert sketch.seen == len(took)
    assert sketch.high[1].tolist() == sorted(took, reverse=True)[:64]
    assert sketch.low[1].tolist() == sorted(took)[:64]
    for row, value in zip(*sketch.high, strict=True):
        assert text[row] == f"took {value:.0f} ms"
    assert {r.text for r in found["code <*> sent"].values} == {b"200", b"304", b"404"}
    codes = [n for n, x in enumerate(text) if x.startswith("code")]
    for record in found["code <*> sent"].values:
        first = next(n for n in codes if text[n].split()[1] == record.text.decode())
        assert record.row == first


def test_units_count() -> None:
    free = held(mixed(6000), 500)["free <*>"]
    assert 500 * 2**20 < free.high[1].max() < 700 * 2**20


@pytest.mark.parametrize("size", [17, 400, 9000])
def test_where_batches_end_does_not_matter(size: int) -> None:
    text = mixed(6000)
    one, other = held(text, 6000), held(text, size)
    assert one.keys() == other.keys()
    for label, sketch in one.items():
        same = other[label]
        assert (same.mode, same.seen, same.stride) == (sketch.mode, sketch.seen, sketch.stride)
        assert (same.values, same.forms, same.odd) == (sketch.values, sketch.forms, sketch.odd)
        for a, b in (
            (same.sample, sketch.sample),
            (same.high, sketch.high),
            (same.low, sketch.low),
        ):
            assert a[0].tolist() == b[0].tolist()
            assert np.array_equal(a[1], b[1], equal_nan=True)


def test_identifiers_and_counters_are_given_up() -> None:
    found = held(mixed(9000), 1000)
    assert "line <*> written" not in found
    assert "request <*> done" not in found


def test_what_a_slot_holds_follows_from_its_tokens() -> None:
    found = held(mixed(9000), 1000)
    mode = {label: sketch.mode & (NUMBER | VALUE | FORM) for label, sketch in found.items()}
    assert mode == {
        "took <*> ms": NUMBER,
        "code <*> sent": NUMBER | VALUE,
        "opened <*>": FORM,
        "free <*>": NUMBER,
    }


def test_rare_shapes_have_no_slots() -> None:
    assert held([f"rare {n}" for n in range(64)], 64) == {}


def test_a_field_of_too_many_values_is_none() -> None:
    text = [f"host h{n % (FEW + 1) if n > 4000 else n % FEW}x up" for n in range(8000)]
    (sketch,) = held(text[:4000], 100).values()
    assert len(sketch.values) == FEW
    assert held(text, 100) == {}


def test_samples_are_spread_over_all_lines() -> None:
    rows = held(mixed(40_000), 5000)["took <*> ms"].sample[0]
    assert 128 <= len(rows) <= 256
    share = np.histogram(rows, bins=4, range=(0, 40_000))[0] / len(rows)
    assert (abs(share - 0.25) < 0.06).all()


def test_first_rows_are_kept_per_source_and_numbered_anew() -> None:
    feed = Feed()
    feed.take([f"stage {n % 3} on" for n in range(2000)], 500, source=0)
    feed.take([f"stage {n % 5} on" for n in range(2000)], 500, source=1)
    (sketch,) = feed.sketches().values()
    assert len(sketch.values) == 3 + 5

    def swapped(rows: Int64s) -> Int64s:
        return np.where(rows < 2000, rows + 2000, rows - 2000)

    first = {}
    for record in sketch.moved(swapped).values:
        first.setdefault(record.text, record.row)
    assert sorted(first.items()) == [(b"%d" % n, n) for n in range(5)]


def test_slots_of_several_shapes_join() -> None:
    rng = random.Random(5)
    text = [
        f"user {rng.choice(('ann', 'bob'))} waited {rng.randrange(5000)} ms" for _ in range(5000)
    ]
    one, other = (held(text, 999)[f"user {u} waited <*> ms"] for u in ("ann", "bob"))
    both = one.merged([other])
    assert both.seen == one.seen + other.seen
    every = np.concatenate((one.high[1], other.high[1]))
    assert sorted(both.high[1].tolist()) == sorted(every.tolist())[-64:]


def test_the_first_row_in_the_source_read_last_is_kept_of_any_number_of_sources() -> None:
    """Rotated files read newest first: what comes last is the earliest."""
    feed = Feed()
    for source in range(100):
        feed.take([f"stage {n % 3} on" for n in range(90)], 50, source=source)
    (sketch,) = feed.sketches().values()
    rows = {r.row for r in sketch.values}
    assert {99 * 90 + n for n in range(3)} <= rows
    assert len(rows) <= 3 * 64


@pytest.mark.parametrize("size", [1, 30, 500])
def test_the_first_lines_of_a_shape_are_looked_at(size: int) -> None:
    text = [f"mode {9 if n == 5 else n % 2} on" for n in range(500)]
    (sketch,) = held(text, size).values()
    assert [(r.text, r.row) for r in sketch.values] == [(b"0", 0), (b"1", 1), (b"9", 5)]
    assert sketch.seen == 500


def test_first_lines_of_several_sources_keep_their_sources() -> None:
    feed = Feed()
    feed.take([f"mode {n % 2} on" for n in range(40)], 7, source=0)
    feed.take([f"mode {n % 3} on" for n in range(400)], 50, source=1)
    (sketch,) = feed.sketches().values()
    assert [r.row for r in sketch.values] == [0, 1, 40, 41, 42]


def test_first_lines_are_kept_in_bounded_memory() -> None:
    """Beyond it, lines are looked at from the 65th of a shape on."""
    words = [f"{a}{b}{c}" for a in "klmnopqrst" for b in "klmnopqrst" for c in "klmnopqrst"]
    filler = [f"{word} {n} {'x' * 3900}" for n, word in enumerate(words * 3)]
    text = filler + [f"mode {9 if n == 5 else n % 2} on" for n in range(500)]
    for size in (700, 10_000):
        (sketch,) = held(text, size).values()
        assert sketch.seen == 500 - 64
        assert {r.text for r in sketch.values} == {b"0", b"1"}


def test_many_slots_join_into_bounded_ones_in_any_order() -> None:
    rng = np.random.default_rng(4)
    parts = []
    for k in range(600):
        rows = np.sort(rng.integers(0, 10_000, 40)) * 600 + k
        numbers = rng.normal(100, 9, 40)
        few = [Record(v, 1, b"%d" % v, int(rows[v])) for v in range(3)]
        some = rows, numbers
        parts.append(Sketch(f"f{k}", NUMBER | VALUE, 40, 1, some, some, some, few,
                            _nth=np.arange(40)))  # fmt: skip
    one, other = parts[0].merged(parts[1:]), parts[-1].merged(parts[-2::-1])
    assert one.seen == 600 * 40
    assert 128 <= len(one.sample[0]) <= 256
    assert len(one.values) == 3
    assert one.values == other.values
    for a, b in ((one.sample, other.sample), (one.high, other.high), (one.low, other.low)):
        assert a[0].tolist() == b[0].tolist()
        assert a[1].tolist() == b[1].tolist()


def test_a_layout_says_where_the_variable_tokens_stand() -> None:
    layout = layout_of(b"[7] took 12ms, 3 of deadbeef")
    assert layout is not None
    assert layout.ordinals == (0, 2, 3, 5)
    assert layout.label(1) == "[…] took <*>, … of …"
    assert layout_of(b"no digits") is None
    assert layout_of(b"1" * 5000) is None


def test_a_label_holds_no_secret() -> None:
    layout = layout_of(b"login with password=hunter and code 7")
    assert layout is not None
    assert "hunter" not in layout.label(0)


@pytest.mark.parametrize(("token", "kinds"), [(b"", 0), (b"7", 1), (b"7f", 3), (b"/7", 2049)])
def test_kinds_of_characters(token: bytes, kinds: int) -> None:
    assert kinds_of(token) == kinds
