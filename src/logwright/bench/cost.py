"""What feedback costs: one verdict among 100,000, and detection with everything suppressed."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from logwright.bench import corpora
from logwright.bench.measure import command
from logwright.feedback.judge import Judge
from logwright.feedback.standing import Found
from logwright.findings.verdict import Subject, Verdict
from logwright.store import open_store

__all__ = ["costs"]

_VERDICTS = 100_000
_TIMED = 1_000
_SIZE = 200 << 20
_PAIRS = 5


def costs(data: Path, quick: bool) -> dict[str, Any]:
    """Milliseconds of a verdict, and by how many percent detection takes longer."""
    return {**_of_verdicts(quick), **_of_suppressing(data, quick)}


def _found(number: int) -> Found:
    texts = (f"job {_letters(number)} of queue {_letters(number * 7)} failed",)
    name = f"t-{number:016x}"
    return Found(f"p-{number:016x}", "unseen", "template", (name,), texts)


def _letters(number: int) -> str:
    digits: list[str] = []
    while number or not digits:
        number, digit = divmod(number, 26)
        digits.append("abcdefghijklmnopqrstuvwxyz"[digit])
    return "".join(digits)


def _verdict(number: int) -> Verdict:
    return Verdict(number=number, word="benign", subjects=(_found(number).subject(),))


def _of_verdicts(quick: bool) -> dict[str, Any]:
    """Each verdict is added to a judge that holds 100,000, and asked for by the next alarm of its
    pattern; and it is written to a store, where it is durable."""
    number = 2_000 if quick else _VERDICTS
    judge = Judge()
    for i in range(1, number + 1):
        judge.add(_verdict(i))
    acting, writing = [], []
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store.db") as store:
        entries = [_verdict(i) for i in range(1, number + 1)]
        for at in range(0, number, 10_000):
            store.add_entries(entries[at : at + 10_000], [{}] * len(entries[at : at + 10_000]))
        for i in range(number + 1, number + 1 + _TIMED):
            verdict, found = _verdict(i), _found(i)
            started = time.perf_counter()
            judge.add(verdict)
            state = judge.see(i, [found])[0].state
            acting.append(time.perf_counter() - started)
            assert state == "suppressed"
        for i in range(number + 1, number + 101):
            verdict = _verdict(i)
            started = time.perf_counter()
            store.add_entries([verdict], [{}])
            writing.append(time.perf_counter() - started)
    return {
        "verdicts": number,
        "verdict_ms": round(1e3 * statistics.median(acting), 4),
        "verdict_worst_of_1000_ms": round(1e3 * max(acting), 4),
        "verdict_durable_ms": round(1e3 * statistics.median(writing), 3),
    }


def _of_suppressing(data: Path, quick: bool) -> dict[str, Any]:
    """The same log judged with a store that holds no verdict, and with one that suppresses all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        history, today = folder / "history.log", folder / "today.log"
        text = next(corpora.bgl(data))
        cut = text.index(b"\n", len(text) // 10) + 1
        history.write_bytes(text[:cut])
        lines = corpora.write_file(today, corpora.bgl(data), (4 << 20) if quick else _SIZE)
        model = str(folder / "model")
        command("learn", str(history), "--label-prefix", "-o", model)
        fresh, full = folder / "fresh.db", folder / "full.db"
        judge = ("detect", str(today), "-m", model, "--store")
        command(*judge, str(full))
        patterns = _suppress_all(full)
        seconds: dict[Path, list[float]] = {fresh: [], full: []}
        for _ in range(1 if quick else _PAIRS):
            for kept in (fresh, full):
                work = folder / "work.db"
                for old in folder.glob("work.db*"):
                    old.unlink()
                if kept is full:
                    shutil.copy2(full, work)
                seconds[kept].append(command(*judge, str(work)).seconds)
        before, after = (statistics.median(seconds[kept]) for kept in (fresh, full))
    return {
        "suppressed_patterns": patterns,
        "detect_lines": lines,
        "detect_seconds": round(before, 3),
        "detect_seconds_suppressing": round(after, 3),
        "suppressing_slows_by_percent": round(100 * (after / before - 1), 2),
    }


def _suppress_all(path: Path) -> int:
    """Judge every pattern of a store benign; gives how many there are."""
    with open_store(path) as store:
        rows = store.patterns()
        verdicts = [
            Verdict(
                word="benign",
                subjects=(
                    Subject(
                        pattern=row.id,
                        detector=row.detector,
                        unit=row.unit,
                        templates=row.templates,
                        texts=row.texts,
                        summary=row.summary,
                    ),
                ),
            )
            for row in rows
        ]
        store.add_entries(verdicts, [{}] * len(verdicts))
    return len(rows)
