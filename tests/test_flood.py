"""Floods: lines made to be expensive cost no more than they must, however many come."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

import logwright as lw
from logwright import pipeline
from logwright.logs.shapes import shape_key
from logwright.settings import Settings
from logwright.stream.feed import Entry
from logwright.stream.running import Running
from test_worker_faults import log

pytestmark = pytest.mark.slow

_BATCH = 1_000
_BITS = 13  # of a hash table that is half full with as many lines as a flood here has
_LINES = 4_000
_LETTERS = np.frombuffer(b"ghijklmnopqrstuvwxyz", np.uint8)  # words of which no one is masked


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> lw.Model:
    path = tmp_path_factory.mktemp("model") / "history.log"
    path.write_text("".join(log(0, 1_000, faults=False)))
    return lw.learn(str(path))


NORMAL = log(5_000, _LINES // 3, faults=False)


def flood(messages: Sequence[bytes]) -> list[str]:
    """The normal log's lines with other messages."""
    heads = (line[:25] for line in NORMAL)
    return [f"{head}{message.decode()}\n" for head, message in zip(heads, messages, strict=False)]


def words(number: int, seed: int) -> np.ndarray:
    """Messages of 16 letters."""
    return np.random.default_rng(seed).choice(_LETTERS, (number, 16))


def crafted(number: int) -> list[bytes]:
    """Messages whose keys agree in the bits that a hash table begins to look at."""
    found: list[bytes] = []
    first, last = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x94D049BB133111EB)
    for seed in range(1_000):
        some = words(1 << 18, seed)
        h = np.full(len(some), first)
        for word in some.view("<u8").T:
            h = (h ^ word) * np.uint64(0xFF51AFD7ED558CCD)
            h ^= h >> np.uint64(32)
        h = (h ^ np.uint64(16)) * last
        h ^= h >> np.uint64(31)
        found += [row.tobytes() for row in some[h & np.uint64((1 << _BITS) - 1) == 0]]
        if len(found) >= number:
            break
    assert {shape_key(message)[0] % (1 << _BITS) for message in found[:9]} == {0}
    return found[:number]


def per_line(running: Running, lines: Sequence[str]) -> list[float]:
    """Seconds of this process for each line, by batch."""
    out = []
    for at in range(0, len(lines), _BATCH):
        some = lines[at : at + _BATCH]
        entry = Entry("".join(some).encode(), "", 0)
        began = time.process_time()
        running.push([entry])
        out.append((time.process_time() - began) / len(some))
    return out


def begun(model: lw.Model, settings: Settings | None = None) -> Running:
    running = Running(model, settings or Settings(), "app")
    running.push([Entry("".join(log(4_000, 200, faults=False)).encode(), "", 0)])
    return running


def test_ever_new_templates_cost_the_same_however_many_there_were(model: lw.Model) -> None:
    ratios = []
    for seed in range(3):
        messages = [row.tobytes() for row in words(len(NORMAL), seed)]
        cost = per_line(begun(model), flood(messages))
        ratios.append(cost[-2] / cost[0])
    assert min(ratios) < 1.5, "later ones cost more: the time for all of them grows as a square"


def test_a_flood_that_goes_on_costs_at_most_twice_what_other_lines_do(model: lw.Model) -> None:
    running, number = begun(model), 4 * len(NORMAL)
    for seed in range(4):  # what is granted at first is spent
        running.push(
            [Entry("".join(flood([r.tobytes() for r in words(number, seed)])).encode(), "", 0)]
        )
    assert running.pipeline.dropped["flood"] > len(NORMAL)
    ratios = []
    for seed in range(5):
        usual = min(per_line(begun(model), NORMAL))
        messages = [row.tobytes() for row in words(len(NORMAL), 10 + seed)]
        ratios.append(min(per_line(running, flood(messages))) / usual)
    assert min(ratios) < 2


def test_beyond_the_limit_of_shapes_a_new_one_costs_little(
    model: lw.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MOST_OF_PATTERN", 3)  # later ones are counted, as after 1,000
    few = Settings(max_shapes=100)
    messages = [row.tobytes() for row in words(len(NORMAL), 7)]
    ratios = []
    for _ in range(5):
        usual = min(per_line(begun(model), NORMAL))
        running = begun(model, few)
        running.push([Entry("".join(flood(messages[:200])).encode(), "", 0)])
        ratios.append(min(per_line(running, flood(messages[200:]))) / usual)
        assert running.pipeline.dropped["shapes"] > 3_000
    assert min(ratios) < 2


def test_lines_crafted_to_share_a_place_in_a_hash_table_cost_little(model: lw.Model) -> None:
    number = len(NORMAL)
    made = crafted(number), [row.tobytes() for row in words(number, 5)]
    first, again = [], []
    for _ in range(3):
        costs = []
        for messages in made:
            running = begun(model)
            met = min(per_line(running, flood(messages)))
            costs.append((met, min(min(per_line(running, flood(messages))) for _ in range(3))))
        (bad, bad_known), (good, good_known) = costs
        first.append(bad / good)
        again.append(bad_known / good_known)
    assert min(first) < 2
    assert min(again) < 2
