"""Parameters: what stands out in the digits of a line is found; what always varies is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import logwright as lw
from logwright.detectors.base import State
from logwright.detectors.parameters import Parameters
from logwright.detectors.slots import Side, Slot, settle
from logwright.findings.finding import Finding
from logwright.logs.kernel import VALUE
from logwright.templates.values import Record, Sketch

pytestmark = pytest.mark.slow

START = datetime(2024, 5, 1, tzinfo=UTC)


def at(second: float, message: str) -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S},000 INFO app: {message}\n"


def log(number: int, first: int, *, seed: int, plant: dict[int, str] | None = None) -> str:
    """A line each ten seconds: durations, codes, paths, counters, identifiers, heavy tails."""
    rng = random.Random(seed)
    out = []
    for n in range(first, first + number):
        code = rng.choice([200, 200, 200, 304, 404])
        kinds: list[Callable[[], str]] = [
            lambda code=code: f"took {rng.expovariate(1 / 40):.0f} ms with code {code}",
            lambda: f"queue holds {rng.paretovariate(0.8):.0f} jobs",
            lambda n=n: f"ticket {7000 + n // 5} for {rng.getrandbits(64):016x}",
            lambda: f"read /srv/data{rng.randrange(300)}/part{'x' * rng.randrange(9)} once",
            lambda: f"shard {rng.randrange(8)} is done",
        ]
        made = kinds[n % len(kinds)]()
        out.append(at(10 * n, (plant or {}).get(n, made)))
    return "".join(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("parameters")
    (made / "history.log").write_text(log(12_000, 0, seed=1))
    lw.learn(str(made / "history.log")).save(made / "model")
    return made


def detect(folder: Path, plant: dict[int, str], seed: int = 2, **settings: int) -> list[Finding]:
    today = folder / "today.log"
    today.write_text(log(4_000, 12_000, seed=seed, plant=plant))
    found = lw.load(str(folder / "model")).detect(str(today), **settings)
    return [f for f in found if f.detector == "parameters"]


def test_a_log_that_goes_on_as_it_was_is_quiet(folder: Path) -> None:
    """Durations, heavy tails, a counter and identifiers among them."""
    for seed in range(5):
        assert [f.summary for f in detect(folder, {}, seed=seed + 10)] == []


def test_a_number_far_beyond_history_is_found_and_said(folder: Path) -> None:
    (found,) = detect(folder, {13_000: "took 48210 ms with code 200"})
    assert "'took <*> ms with code …' was 48,210; in 2,400 " in found.summary
    assert "lines of history never above " in found.summary
    assert "(expected less than once in 10^" in found.summary
    assert [line.text[-27:] for line in found.lines] == ["took 48210 ms with code 200"]
    assert found.lines[0].highlight
    assert found.score > 5
    assert found.severity == "medium"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("took 30 ms with code 503", "'… ms with code <*>' was 503; in "),
        ("shard 8 is done", "'shard <*> is done' was 8; in "),
        ("read /srv/data7/part%27+or+1 once", "was /srv/data7/part%27+or+1; in "),
        (f"read /srv/data7/{'y' * 90}1 once", "history always up to "),
        ("queue holds 1x5 jobs", "history always a number"),
    ],
)
def test_what_a_field_never_held_is_found(folder: Path, line: str, words: str) -> None:
    (found,) = detect(folder, {13_000: line})
    assert words in found.summary
    assert found.lines[0].text.endswith(line)


def test_the_values_that_history_held_are_named(folder: Path) -> None:
    (found,) = detect(folder, {13_000: "took 30 ms with code 503"})
    assert found.expected == "one of 3 values, such as 200, 304, 404"
    assert found.seen == "503"


def test_a_pattern_is_the_place_and_the_way_not_the_value(folder: Path) -> None:
    plant = {
        13_000: "took 48210 ms with code 200",
        14_500: "took 99999 ms with code 200",
        15_000: "took 30 ms with code 503",
    }
    one, other, code = sorted(detect(folder, plant), key=lambda f: str(f.first_seen))
    assert one.pattern == other.pattern != code.pattern
    assert one.id != other.id


def test_it_is_told_beside_a_new_template_in_the_same_window(folder: Path) -> None:
    plant = {13_000: "took 48210 ms with code 200", 13_001: "disk full"}
    (folder / "today.log").write_text(log(4_000, 12_000, seed=2, plant=plant))
    found = lw.load(str(folder / "model")).detect(str(folder / "today.log"))
    assert {f.detector for f in found} == {"parameters", "unseen"}
    assert len({f.window.key for f in found}) == 1


def test_saving_and_loading_change_nothing(folder: Path) -> None:
    model = lw.learn(str(folder / "history.log"))
    plant = {13_000: "took 48210 ms with code 503", 14_000: "shard 8 is done"}
    loaded = detect(folder, plant)
    fresh = [f for f in model.detect(str(folder / "today.log")) if f.detector == "parameters"]
    assert loaded == fresh
    assert len(loaded) == 3


def test_a_flood_of_one_parameter_is_bounded(folder: Path) -> None:
    plant = dict.fromkeys(range(12000, 16000), "took 30 ms with code 503")
    found = detect(folder, plant)
    assert 0 < sum(f.count for f in found) <= 2_000


def test_what_is_still_to_be_judged_is_not_dropped_for_what_came_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that overlap are all read before any line is judged."""
    monkeypatch.setattr("logwright.detectors.flags.MOST", 20)
    plant = dict.fromkeys(range(13_000, 15_000, 20), "took 30 ms with code 503")
    plant |= {12_100: "took 48210 ms with code 200", 12_200: "shard 8 is done"}
    lines = log(4_000, 12_000, seed=2, plant=plant).splitlines(True)
    for part in (0, 1):
        (folder / f"part{part}.log").write_text("".join(lines[part::2]))
    model = lw.load(str(folder / "model"))
    parts = [str(folder / "part0.log"), str(folder / "part1.log")]
    told = []
    for block in (4096, 4 << 20):
        found = model.detect(*parts, block_bytes=block)
        told.append([(f.seen, f.count) for f in found if f.detector == "parameters"])
    assert told[0] == told[1]
    assert {"48,210", "8"} < {seen for seen, _ in told[0]}
    assert sum(count for _, count in told[0]) == 20
    (folder / "whole.log").write_text("".join(lines))
    found = model.detect(str(folder / "whole.log"), block_bytes=4096)
    assert sum(f.count for f in found if f.detector == "parameters") == 102


def test_a_field_of_one_value_is_told_of_in_words(tmp_path: Path) -> None:
    text = [at(10 * n, f"probe gave 200 after {n % 7} tries") for n in range(3000)]
    (tmp_path / "history.log").write_text("".join(text))
    (tmp_path / "today.log").write_text(at(30_000, "probe gave 500 after 3 tries"))
    for exemplars, usual in ((True, "200"), (False, "the same value")):
        model = lw.learn(str(tmp_path / "history.log"), exemplars=exemplars)
        (found,) = model.detect(str(tmp_path / "today.log"))
        assert found.summary.endswith(f"was 500; in 3,000 lines of history always {usual}")
        assert found.expected == usual


def test_a_value_of_the_first_lines_of_history_is_known(tmp_path: Path) -> None:
    text = [at(10 * n, f"mode {9 if n == 5 else n % 2} is on") for n in range(3000)]
    (tmp_path / "history.log").write_text("".join(text))
    (tmp_path / "today.log").write_text(at(30_000, "mode 9 is on"))
    assert lw.learn(str(tmp_path / "history.log")).detect(str(tmp_path / "today.log")) == []


@pytest.mark.parametrize(
    ("table", "column", "place", "value"),
    [
        ("slots", "high_unit", "high", 0.0),
        ("slots", "high_scale", "high", np.inf),
        ("slots", "high_limit", "high", np.inf),
        ("slots", "value_digits", "value", np.nan),
        ("slots", "value_digits", "value", -1.0),
        ("values", "hash", "last", 0),
        ("values", "slot", "last", -1),
        ("values", "slot", "last", 1 << 20),
    ],
)
def test_a_file_that_holds_nonsense_is_refused(
    folder: Path, table: str, column: str, place: str, value: float
) -> None:
    saved = lw.load(str(folder / "model")).ladder.parameters
    assert saved is not None
    state = saved.save()
    tables = {name: {k: v.copy() for k, v in part.items()} for name, part in state.tables.items()}
    slots = tables["slots"]
    rows = {
        "high": int(np.flatnonzero(~np.isnan(slots["high_limit"]))[0]),
        "value": int(np.flatnonzero(slots["value_digits"] > 0)[0]),
        "last": -1,
    }
    tables[table][column][rows[place]] = value
    with pytest.raises(ValueError, match="parameters"):
        Parameters().load(State(state.meta, tables))
    Parameters().load(state)


def test_values_named_twice_are_refused(folder: Path) -> None:
    saved = lw.load(str(folder / "model")).ladder.parameters
    assert saved is not None
    state = saved.save()
    values = {name: np.append(v, v[-1:]) for name, v in state.tables["values"].items()}
    with pytest.raises(ValueError, match="not in order"):
        Parameters().load(State(state.meta, {**state.tables, "values": values}))


def test_findings_do_not_depend_on_block_sizes(folder: Path) -> None:
    plant = {13_000: "took 48210 ms with code 200", 14_000: "shard 8 is done"}
    whole = detect(folder, plant)
    assert len(whole) == 2
    assert detect(folder, plant, block_bytes=4096) == whole
    small = lw.learn(str(folder / "history.log"), block_bytes=5000)
    assert small.ladder.reasons == lw.load(str(folder / "model")).ladder.reasons
    found = small.detect(str(folder / "today.log"))
    assert [f for f in found if f.detector == "parameters"] == whole


def test_numbers_that_are_names_have_no_tail(tmp_path: Path) -> None:
    """Ports, of which new ones come all the time."""
    rng = random.Random(9)
    ports = [40_000, 40_119, *(40_000 + 7 * k for k in range(1, 17))]

    def lines(first: int, number: int) -> str:
        return "".join(
            at(10 * n, f"opened proxy on port {rng.choice(ports[: 2 + n // 370])}")
            for n in range(first, first + number)
        )

    (tmp_path / "history.log").write_text(lines(0, 6000))
    (tmp_path / "today.log").write_text(lines(6000, 100) + at(61_010, "opened proxy on port 107"))
    model = lw.learn(str(tmp_path / "history.log"))
    assert model.detect(str(tmp_path / "today.log")) == []


def test_scan_finds_them_in_the_second_half(tmp_path: Path) -> None:
    plant = {11_000: "took 48210 ms with code 200", 12_000: "took 30 ms with code 503"}
    (tmp_path / "app.log").write_text(log(14_000, 0, seed=8, plant=plant))
    for block in (4096, 4 << 20):
        findings = lw.scan(str(tmp_path / "app.log"), block_bytes=block).findings
        found = [f for f in findings if f.detector == "parameters"]
        assert sorted(f.seen for f in found) == ["48,210", "503"]
        assert {line.line_no for f in found for line in f.lines} == {11_001, 12_001}


def test_scan_finds_what_comes_in_bulk(tmp_path: Path) -> None:
    """More extreme numbers in the second half than a sketch holds: history is sampled."""
    plant = {n: f"took {90_000 + n} ms with code 200" for n in range(12_000, 12_300)}
    (tmp_path / "app.log").write_text(log(14_000, 0, seed=8, plant=plant))
    findings = lw.scan(str(tmp_path / "app.log")).findings
    assert any("'took <*> ms with code …' was " in f.summary for f in findings)


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_files_that_are_not_in_order_of_time_are_judged_as_if_they_were(
    tmp_path: Path, names: str
) -> None:
    """Rotated files, and overlapping ones: a value known from one is not new in another."""
    lines = log(14_000, 0, seed=5, plant={12_000: "took 30 ms with code 503"}).splitlines(True)
    for first, second in (
        (lines[:7000], lines[7000:]),  # one behind the other
        (lines[::2], lines[1::2]),  # interleaved
    ):
        (tmp_path / f"{names[0]}.log").write_text("".join(first))
        (tmp_path / f"{names[1]}.log").write_text("".join(second))
        result = lw.scan(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
        found = [f for f in result.findings if f.detector == "parameters"]
        assert [f.seen for f in found] == ["503"]
        assert found[0].lines[0].text.endswith("took 30 ms with code 503")
        today = [str(tmp_path / "a.log"), str(tmp_path / "b.log")]
        (tmp_path / "history.log").write_text(log(12_000, 0, seed=1))
        found = lw.learn(str(tmp_path / "history.log")).detect(*today)
        assert [f.seen for f in found if f.detector == "parameters"] == ["503"]


def test_a_number_that_grows_is_left_out_with_a_reason(tmp_path: Path) -> None:
    """Slowly, among noise: not a counter by its first lines."""
    rng = random.Random(6)
    text = "".join(
        at(10 * n, f"heap is {400 + n / 20 * rng.random():.0f} pages") for n in range(9000)
    )
    (tmp_path / "history.log").write_text(text)
    model = lw.learn(str(tmp_path / "history.log"))
    said = [r for r in model.ladder.reasons if r.startswith("parameters")]
    assert any("numbers that have not settled: 'heap is <*> pages'" in r for r in said)


def test_a_field_that_brings_new_values_all_the_time_is_left_out(tmp_path: Path) -> None:
    text = "".join(at(10 * n, f"build {n // 400} of stage s{n % 3}") for n in range(9000))
    (tmp_path / "history.log").write_text(text)
    model = lw.learn(str(tmp_path / "history.log"))
    assert any("fields of few values that have not settled: 'build <*>" in r
               for r in model.ladder.reasons)  # fmt: skip
    (tmp_path / "today.log").write_text(
        "".join(at(10 * n, f"build {n // 400} of stage s{n % 3}") for n in range(9000, 12_000))
    )
    assert [f.summary for f in model.detect(str(tmp_path / "today.log"))] == []


def test_a_secret_is_neither_kept_nor_shown(tmp_path: Path) -> None:
    def lines(first: int, number: int, secret: str) -> str:
        return "".join(
            at(10 * n, f"login {n % 7} password={secret} accepted") for n in range(first, number)
        )

    (tmp_path / "history.log").write_text(lines(0, 3000, "hunter22"))
    model = lw.learn(str(tmp_path / "history.log"))
    model.save(tmp_path / "model")
    (tmp_path / "today.log").write_text(
        lines(3000, 3500, "hunter22") + lines(3500, 3501, "swordfish7")
    )
    kept = b"".join(p.read_bytes() for p in (tmp_path / "model").rglob("*") if p.is_file())
    assert b"hunter22" not in kept
    (found,) = model.detect(str(tmp_path / "today.log"))
    assert found.detector == "parameters"
    assert "was [redacted]; in " in found.summary
    assert "swordfish7" not in found.model_dump_json()
    assert "hunter22" not in found.model_dump_json()


def test_without_exemplars_no_value_of_history_is_kept(folder: Path) -> None:
    model = lw.learn(str(folder / "history.log"), exemplars=False)
    (folder / "today.log").write_text(
        log(3000, 12_000, seed=3, plant={13_000: "took 30 ms with code 503"})
    )
    (found,) = (f for f in model.detect(str(folder / "today.log")) if f.detector == "parameters")
    assert found.expected == "one of 3 values"


def field_of_values(name: str, late: bool) -> Slot:
    """A field of three values; a late one gets a fourth in the last fifth of 10,000 rows."""
    rows = np.arange(0, 10_000, 50)
    values = [Record(k, 1, b"%d" % k, 10 * k) for k in range(1, 4)]
    values += [Record(9, 1, b"9", 9000)] * late
    sample = rows, np.zeros(len(rows))
    sketch = Sketch(name, mode=VALUE, seen=10_000, sample=sample, values=values)
    return Slot(1, 5, 2, name, sketch)


@pytest.mark.parametrize(("alarms", "used"), [(50.0, 0), (1000.0, 10)])
def test_fields_are_used_where_their_like_kept_to_the_budget(alarms: float, used: int) -> None:
    """Twenty fields of thirty that had been quiet brought something new when tried."""
    slots = [field_of_values(f"f{k} <*>", late=k < 20) for k in range(30)]
    left = dict(settle(slots, 8000, 10_000, alarms))["fields of few values"]
    assert sum(bool(slot.digits) for slot in slots) == used
    assert len(left) == 30 - used


def test_numbers_that_break_the_budget_are_left_out(tmp_path: Path) -> None:
    """Something normal, but never seen before the last fifth of history, happens there."""
    rng = random.Random(11)
    text = [f"took {rng.expovariate(1 / 40):.0f} ms for {rng.randrange(5)}" for _ in range(10_000)]
    for n in range(9000, 9025):
        text[n] = f"took {9000 + n} ms for 1"
    (tmp_path / "history.log").write_text("".join(at(10 * n, x) for n, x in enumerate(text)))
    model = lw.learn(str(tmp_path / "history.log"))
    said = [r for r in model.ladder.reasons if "numbers that have not settled" in r]
    assert said == ["parameters left out: numbers that have not settled: 'took <*> ms for …'"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.pareto(1.0, n) + 1,
        lambda rng, n: rng.lognormal(3, 2, n),
        lambda rng, n: rng.exponential(10, n),
        lambda rng, n: rng.normal(1000, 3, n),
        lambda rng, n: rng.poisson(3, n).astype(float),
        lambda rng, n: rng.standard_t(2, n),
    ],
    ids=["pareto", "lognormal", "exponential", "normal", "poisson", "student"],
)
def test_normal_numbers_of_any_tail_stay_within_it(
    draw: Callable[[np.random.Generator, int], np.ndarray],
) -> None:
    """Told of from a hundredth of once in history on: over 100 histories, one or two."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(100):
        history, today = np.sort(draw(rng, 5000)), draw(rng, 5000)
        for sign, extremes in ((1.0, history[-64:]), (-1.0, history[:64])):
            side = Side.of(extremes, sign, 5000, np.log10(5000) + 2)
            alarms += 0 if side is None else int(side.beyond(today).sum())
    assert alarms <= 3


def states(first: int, number: int, plant: dict[int, str]) -> str:
    """Words at a wild place: six states, always the same."""
    rng = random.Random(first)
    names = ["idle", "busy", "waiting", "ready", "blocked", "asleep", "stopped", "paused"]
    return "".join(
        at(10 * n, f"worker pool is now {plant.get(n, rng.choice(names))} after a check of health")
        for n in range(first, first + number)
    )


def test_a_new_word_where_a_template_had_few_is_a_new_value(tmp_path: Path) -> None:
    (tmp_path / "history.log").write_text(states(0, 4000, {}))
    model = lw.learn(str(tmp_path / "history.log"))
    assert len(model.templates) == 1
    model.save(tmp_path / "model")
    (tmp_path / "today.log").write_text(states(4000, 500, {4100: "zombie", 4400: "zombie"}))
    for block in (4096, 4 << 20):
        found = lw.load(str(tmp_path / "model")).detect(
            str(tmp_path / "today.log"), block_bytes=block
        )
        assert [f.seen for f in found] == ["zombie"] * 2
        assert len({f.pattern for f in found}) == 1
        assert "'worker pool is now <*> after a check of" in found[0].summary
        assert [line.line_no for f in found for line in f.lines] == [101, 401]
    (tmp_path / "app.log").write_text(states(0, 4000, {3000: "zombie"}))
    assert [f.seen for f in lw.scan(str(tmp_path / "app.log")).findings] == ["zombie"]


def test_words_that_keep_changing_are_left_out(tmp_path: Path) -> None:
    plant = {n: "user" + "abcdefghij"[n // 400] * 3 for n in range(4000)}
    (tmp_path / "history.log").write_text(states(0, 4000, plant))
    model = lw.learn(str(tmp_path / "history.log"))
    plant = {n: "user" + "klmnopqrst"[n % 10] * 3 for n in range(4000, 5000)}
    (tmp_path / "today.log").write_text(states(4000, 1000, plant))
    assert [f.summary for f in model.detect(str(tmp_path / "today.log"))] == []


def test_many_rotated_files_read_newest_first_are_judged_in_order_of_time(tmp_path: Path) -> None:
    """Also where one value came in the oldest ones alone."""
    lines = [
        at(10 * n, f"shard {9 if n < 3000 and n % 50 == 7 else n % 4} is done")
        for n in range(20_000)
    ]
    for k in range(200):
        (tmp_path / f"app.log.{k:03}").write_text("".join(lines[100 * (199 - k) :][:100]))
    paths = sorted(str(path) for path in tmp_path.glob("app.log.*"))
    found = lw.scan(*paths).findings
    assert [f.summary for f in found if f.detector == "parameters"] == []
