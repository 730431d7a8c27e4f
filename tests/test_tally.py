"""Tallies, and that a worker's page tells of all that it promises."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from logwright import pipeline
from logwright.findings.verdict import Subject, Verdict
from logwright.settings import Settings
from logwright.store import open_store
from logwright.stream import lane
from logwright.stream import worker as worker_module
from logwright.stream.delivery import Delivery
from logwright.stream.making import Maker
from logwright.stream.metrics import Count, Metrics
from logwright.stream.opening import open_source
from logwright.stream.sqlite_keeper import SqliteKeeper
from logwright.stream.tally import Tally, left_out
from logwright.stream.worker import Worker
from test_stream_metrics import Served, free_port
from test_worker_faults import log
from worker_fakes import Counting, Given, Heard, Lines


class Told(Metrics):
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def count(self, name: Count, what: str, n: int = 1) -> None:
        assert n > 0
        self.counts[f"{name} {what}"] += n


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)), max_size=8))
def test_what_was_counted_is_by_how_much_it_grew(steps: list[dict[str, int]]) -> None:
    told, now, first = Told(), Counter[str](a=7), {"a": 7}
    tally = Tally(told, "evicted", first)
    for step in steps:
        now.update(step)
        tally.see(now)
        tally.see(now)
    assert told.counts == Counter(
        {f"evicted {w}": n - first.get(w, 0) for w, n in now.items() if n > first.get(w, 0)}
    )


def test_what_is_no_loss_is_not_left_out() -> None:
    assert left_out(Counter(rotations=2, truncations=1, records=9, gone=1)) == {"gone": 1}


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def served() -> Iterator[Served]:
    it = Served()
    yield it
    it.metrics.close()


def test_the_page_of_a_worker_tells_of_all_that_happened(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_RENEW", 0.05)
    monkeypatch.setattr(lane, "_EVERY", 0.05)
    monkeypatch.setattr(pipeline, "MOST_OF_PATTERN", 3)
    (tmp_path / "history.log").write_text("".join(log(0, 500, faults=False)))
    model = lw.learn(str(tmp_path / "history.log"))
    path, said = tmp_path / "app.log", list[str]()
    path.write_text("\0\0" + "".join(log(5_000, 300, faults=True)))
    metrics, store = served.metrics, tmp_path / "store.db"
    keeper, heard, port = SqliteKeeper(tmp_path / "worker.db"), Heard(), free_port()
    delivery = Delivery(keeper, heard, "one", metrics, said.append)
    given = [str(path), f"syslog://127.0.0.1:{port}"]
    source = open_source(given, tmp_path / "spools", 1 << 20, metrics, said.append)
    workers: list[Worker] = []

    def work() -> None:
        maker = Maker(model, Settings(), store, said.append, metrics)
        args = (maker, "one", metrics, said.append)
        workers.append(Worker(source, keeper, [delivery], *args))
        workers[0].run()
        maker.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sender:
        sender.sendall(b"<13>" + b"x" * 100_000 + b"\n<13>short\n")
    until(lambda: bool(heard.got))
    subject = Subject(detector="unseen", unit="template", pattern="p-0000000000000001")
    with open_store(store) as verdicts:
        verdicts.add_entries([Verdict(word="benign", subjects=(subject,))], [{}])
    with path.open("a") as more:
        more.writelines(log(5_300, 300, faults=True))
    file, syslog = f"file:{path}", f"syslog:127.0.0.1:{port}"
    wanted = {
        f'logwright_open_windows{{feed="{file}"}}',
        f'logwright_spool_bytes{{feed="{syslog}"}}',
        f'logwright_snapshot_bytes{{feed="{file}"}}',
        'logwright_verdicts_total{verdict="benign"}',
        'logwright_evicted_total{reason="findings"}',
        'logwright_dropped_total{reason="nul_bytes"}',
        'logwright_dropped_total{reason="messages_cut"}',
        'logwright_checkpoints_total{reason="kept"}',
        'logwright_delivered_total{sink="heard"}',
        *(
            f'logwright_stage_seconds_count{{stage="{stage}"}}'
            for stage in ("read", "judge", "commit", "deliver", "end_to_end")
        ),
    }

    def missing() -> set[str]:
        values = served.values()
        return {name for name in wanted if not values.get(name)}

    end = time.monotonic() + 20
    while missing() and time.monotonic() < end:
        time.sleep(0.05)
    left, values = missing(), served.values()
    workers[0].stop()
    thread.join(30)
    assert not left
    assert values['logwright_verdicts_total{verdict="benign"}'] == 1, "once, not once a feed"
    assert values['logwright_dropped_total{reason="nul_bytes"}'] == 2


def test_a_finding_of_the_first_batch_is_timed(served: Served, tmp_path: Path) -> None:
    keeper = SqliteKeeper(tmp_path / "worker.db")
    feed = Lines("f", ["a bad line"], ends=True)
    args = (Counting, "one", served.metrics, print)
    Worker(Given(feed), keeper, [], *args).run()
    assert served.values()['logwright_stage_seconds_count{stage="end_to_end"}'] == 1
