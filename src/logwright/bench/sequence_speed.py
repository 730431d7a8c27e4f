"""Speed of the sequence model at work: events/s, waiting times, memory, and what the memo costs.

The flow is that of HDFS: its sessions in their order, so many begun at once that about 9,000 are
open at any time, their events mixed as times drawn at random have it. There is room for 10,000.

Seconds are those of the processor, so that what else a machine does is no part of them; one thread
does all. Waiting times come from an open loop: events arrive at a given rate, whether the model
keeps up or not, gather in a `Batcher`, and are done when their batch is. Its clock is moved on by
the processor's seconds each batch took; so they are the waiting times of a core of one's own.

Ends of sessions are rated too, at the model's cost, and not counted as events.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.bar import Bar
from logwright.bench.hdfs import read
from logwright.errors import MissingExtraError
from logwright.logs.batch import Int32s, Int64s
from logwright.sequence.memo import Memo
from logwright.sequence.microbatch import Batcher
from logwright.sequence.presets import PRESETS
from logwright.sequence.runtime import Runtime
from logwright.sequence.scoring import Float32s, largest
from logwright.sequence.sequences import Sequences
from logwright.sequence.streams import Streams
from logwright.sequence.vocabulary import EventVocabulary

__all__ = ["FILE", "OPEN", "Flow", "flow_of", "open_loop", "rows", "run"]

OPEN = 10_000
"""Open sessions there is room for."""

FILE = "hdfs/hdfs_sequences.tsv.zst"
"""The set whose sessions flow."""

_USED = 0.9
_NORMAL, _CALM = 4_855, 0.9
_STEPS = 400
_TRAINED = 20_000
_SEED = 20_261_123
_SIZES = (1, 16, 64, 256, 1_024)
_RATES = {False: (20_000, 40_000), True: (75_000, 150_000)}
_DELAY = 0.002


@dataclass(frozen=True, slots=True)
class Flow:
    """Events of many sessions in order of time; `last` marks those after which a session ends."""

    keys: Int64s
    codes: Int32s
    last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, begin: int, end: int) -> Flow:
        """The events from one number up to another."""
        span = slice(begin, end)
        return Flow(self.keys[span], self.codes[span], self.last[span])


def flow_of(sessions: Sequence[Int32s], at_once: int, seed: int) -> Flow:
    """The events of sessions, mixed: each session begins a little after the one before and its
    events follow at random, so that about `at_once` are open."""
    rng = np.random.default_rng(seed)
    sizes = np.array([len(one) for one in sessions])
    starts = np.arange(len(sessions)) * (sizes.mean() / at_once)
    keys = np.repeat(np.arange(len(sessions)), sizes)
    pauses = rng.exponential(1.0, int(sizes.sum()))
    ends = np.cumsum(sizes)
    total = np.cumsum(pauses)
    times = total - np.repeat(total[ends - sizes] - pauses[ends - sizes], sizes) + starts[keys]
    last = np.zeros(len(keys), bool)
    last[ends - 1] = True
    order = np.argsort(times, kind="stable")
    return Flow(keys[order], np.concatenate(sessions)[order], last[order])


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """The rows, and the bars they meet; `quick` takes a few sessions and steps of training."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("train", "torch")
    found = rows(data, quick)
    told = bars(found)
    return {
        "data": f"HDFS sessions in order of time, about {int(OPEN * _USED):,} open at any time",
        "settings": {"quick": quick, "room": OPEN, "delay_ms": _DELAY * 1e3, "threads": 1},
        "rows": found,
        "summary": {
            **{bar.key: bar.value for bar in told},
            "bars": {of: [b.told for b in told if b.of == of] for of in {b.of: 0 for b in told}},
        },
    }


def bars(found: Sequence[dict[str, Any]]) -> list[Bar]:
    """What was aimed at."""
    out = []
    for what, most in (("tiny", 350.0), ("recurrent", 64.0)):
        of = {(row.get("memo"), row["how"]): row for row in found if row["what"] == what}
        plain, recalled = of["no", "40,000 arrive a second"], of["yes", "150,000 arrive a second"]
        state = of["no", "batches of 256, from empty"]["state_MB"]
        out += [
            Bar(what, f"{what}_rate", "events/s", plain["events_per_s"], 40_000),
            Bar(what, f"{what}_p99", "p99 (ms) at 40,000/s", plain["ms_p99"], 10, most=True),
            Bar(what, f"{what}_memo", "events/s by memo", recalled["events_per_s"], 150_000),
            Bar(what, f"{what}_MB", "MB of state, 10,000 open", state, most, most=True),
        ]
    seconds = found[-1]["seconds"]
    told = f"seconds of {found[-1]['how']}"
    return [*out, Bar("tiny", "tiny_training", told, seconds, 300, most=True)]


def rows(data: Path, quick: bool = False) -> list[dict[str, Any]]:
    """A row per kind of network, with and without memo, and size of batch or rate of arrival.

    Args:
        data: The folder of the data sets.
        quick: A few sessions and steps of training; the numbers mean nothing.
    """
    truth, lists = read(data / FILE, 2_000 if quick else 60_000)
    normal = np.flatnonzero(~truth)[: 500 if quick else _NORMAL]
    ids = sorted({event for one in normal.tolist() for event in lists[one]})
    vocabulary = EventVocabulary([str(event) for event in ids])
    code = {event: vocabulary.meet(str(event)) for one in lists for event in one}
    sessions = [np.array([code[event] for event in one], np.int32) for one in lists]
    history = Sequences.of_lists([sessions[i].tolist() for i in normal])
    flow = flow_of(sessions, int(OPEN * _USED), _SEED)
    out: list[dict[str, Any]] = []
    for name in ("tiny", "recurrent"):
        runtime = _trained(name, history, vocabulary, 20 if quick else _STEPS)
        _, calm = history.split(_CALM)
        threshold = float(np.quantile(largest(runtime.score(calm)), 0.999, method="higher"))
        out += _of_runtime(name, runtime, flow, threshold)
    taught = [lists[i] for i in np.flatnonzero(~truth)[: 200 if quick else _TRAINED].tolist()]
    out.append(_training(taught, 20 if quick else None))
    return out


def _training(sessions: Sequence[Sequence[int]], steps: int | None) -> dict[str, Any]:
    """How long the preset as it ships learns, until it gains no more."""
    from logwright.sequence.pretraining import pretrain

    ids = sorted({event for one in sessions for event in one})
    vocabulary = EventVocabulary([str(event) for event in ids])
    code = {event: vocabulary.meet(str(event)) for event in ids}
    history = Sequences.of_lists([[code[event] for event in one] for one in sessions])
    preset = PRESETS["tiny"]
    if steps is not None:
        preset = replace(preset, steps=steps, warmup=5, every=10)
    began = time.perf_counter()
    train, check = history.split(_CALM)
    done = pretrain(train, check, vocabulary, preset, seed=0)
    return {
        "what": "tiny",
        "how": f"training on {len(history):,} sessions",
        "seconds": round(time.perf_counter() - began, 1),
        "steps": done.steps,
    }


def _trained(name: str, history: Sequences, vocabulary: EventVocabulary, steps: int) -> Runtime:
    import torch

    from logwright.sequence.export import export
    from logwright.sequence.pretraining import pretrain

    torch.set_num_threads(1)
    train, calm = history.split(_CALM)
    warmup = min(PRESETS[name].warmup, steps // 4)
    preset = replace(PRESETS[name], steps=steps, warmup=warmup, batch=2_048)
    runtime = Runtime(*export(pretrain(train, calm, vocabulary, preset, seed=0).network))
    runtime.weights.meet(vocabulary)
    return runtime


def _of_runtime(name: str, runtime: Runtime, flow: Flow, threshold: float) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    half = len(flow) // 2
    exact: Float32s | None = None
    for remembers in (False, True):
        memo = Memo() if remembers else None
        streams = Streams(runtime, OPEN, memo)
        common = {"what": name, "memo": "yes" if remembers else "no"}
        seconds, _, nll = _push(streams, flow.part(0, half), 256)
        row: dict[str, Any] = {
            **common,
            "how": "batches of 256, from empty",
            "events_per_s": round(half / seconds),
            "open": len(streams.roster),
            "state_MB": round(streams.nbytes / 1e6, 1),
            "fed": round(streams.stepped / half, 3),
        }
        if exact is None:
            exact = nll
        if memo is not None:
            row["memo_MB"] = round(memo.nbytes / 1e6, 1)
            row["found"] = round(memo.found / memo.asked, 4)
            row["same_verdict"] = round(float(np.mean((nll > threshold) == (exact > threshold))), 6)
        out.append(row)
        at = half
        for size in _SIZES:
            number = min(1_000 * min(size, 150), (len(flow) - half) // 8)
            seconds, calls, _ = _push(streams, flow.part(at, at + number), size)
            at += number
            out.append({**common, "how": f"batches of {size}", **_told(number / seconds, calls)})
        for rate in _RATES[remembers]:
            number = (len(flow) - half) // 8
            # With a memo a batch costs little more for holding more, so it may.
            size = 1_024 if remembers else 256
            waits, busy = open_loop(streams, flow.part(at, at + number), rate, size)
            at += number
            told = _told(number / busy, waits)
            out.append({**common, "how": f"{rate:,} arrive a second", **told})
    return out


def _told(rate: float, seconds: NDArray[np.float64]) -> dict[str, Any]:
    p50, p99 = np.percentile(seconds * 1e3, [50, 99])
    return {"events_per_s": round(rate), "ms_p50": round(p50, 3), "ms_p99": round(p99, 3)}


def _push(streams: Streams, flow: Flow, size: int) -> tuple[float, NDArray[np.float64], Float32s]:
    """Seconds of all batches and of each, and the surprise of each event."""
    nll, seconds = np.empty(len(flow), np.float32), []
    for begin in range(0, len(flow), size):
        part = flow.part(begin, begin + size)
        began = time.process_time()
        nll[begin : begin + size], _ = streams.push(part.keys, part.codes)
        streams.close(part.keys[part.last])
        seconds.append(time.process_time() - began)
    return sum(seconds), np.array(seconds), nll


def open_loop(
    streams: Streams, flow: Flow, rate: float, size: int
) -> tuple[NDArray[np.float64], float]:
    """Seconds from each event's arrival to its answer, and seconds of work."""
    rng = np.random.default_rng(_SEED)
    arrivals = np.cumsum(rng.exponential(1 / rate, len(flow)))
    batcher = Batcher(size, _DELAY, room=max(size, len(flow)))
    gaps = np.zeros(len(flow), np.int8)
    waits = np.empty(len(flow))
    now = busy = 0.0
    came = done = 0
    while done < len(flow):
        here = int(np.searchsorted(arrivals, now, side="right"))
        batcher.offer(flow.keys[came:here], flow.codes[came:here], gaps[came:here],
                      arrivals[came:here])  # fmt: skip
        came = here
        if not batcher.ready(now):
            # Until the batch is full, or its first event is due, whichever is sooner; the least
            # step keeps rounding from standing still.
            full = came + size - len(batcher) - 1
            filled = float(arrivals[full]) if full < len(flow) else float("inf")
            first = float(arrivals[came]) if came < len(flow) else float("inf")
            due = now + batcher.wait(now) if len(batcher) else first + _DELAY
            now = max(min(filled, due), now + 1e-9)
            continue
        batch = batcher.take()
        last = flow.last[done : done + len(batch)]
        began = time.process_time()
        streams.push(batch.keys, batch.codes)
        streams.close(batch.keys[last])
        spent = time.process_time() - began
        now, busy = now + spent, busy + spent
        waits[done : done + len(batch)] = now - batch.arrived
        done += len(batch)
    return waits, busy
