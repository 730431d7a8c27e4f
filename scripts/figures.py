"""The figures that the README tells: which, and how to read them out of a suite's result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["FIGURES"]

Result = dict[str, Any]


def _rates(*names: str) -> Callable[[Result], str]:
    def value(result: Result) -> str:
        summary = result["summary"]
        return " / ".join(f"{summary[name]:.2f}" for name in names) + " M lines/s"

    return value


def _seconds(*names: str) -> Callable[[Result], str]:
    def value(result: Result) -> str:
        return " / ".join(f"{result['summary'][name]:.2f} s" for name in names)

    return value


def _template_ids(result: Result) -> str:
    name = "line to template id, 12 systems shuffled"
    first, warm = (f"{name}: first pass", f"{name}: warm")
    times = {row["what"]: row.get("times_drain3") for row in result["rows"]}
    rates = _rates(first, warm)(result)
    return f"{rates} ({times[first]:.0f} / {times[warm]:.0f} times Drain3 with masks)"


def _accuracy(result: Result) -> str:
    s = result["summary"]
    ours = " / ".join(f"{s[key]:.3f}" for key in ("GA", "PA", "FTA"))
    theirs = " / ".join(f"{s[f'drain3_masks_{key}']:.3f}" for key in ("GA", "PA", "FTA"))
    return f"{ours} (Drain3 with masks: {theirs})"


def _hdfs(history: str) -> Callable[[Result], str]:
    def value(result: Result) -> str:
        row = next(
            r
            for r in result["rows"]
            if r.get("history") == history and r["method"] == "ladder (default)"
        )
        return (
            f"F1 {row['f1']:.3f} (precision {row['precision']:.3f}, recall {row['recall']:.3f}, "
            f"{row['alarms_per_10k']:.0f} alarms per 10,000 sessions)"
        )

    return value


def _step(method: str, history: str = "60%") -> Callable[[Result], str]:
    def value(result: Result) -> str:
        row = next(
            r
            for r in result["rows"]
            if r["table"] == "sequence model"
            and (r["set"], r["history"], r["method"]) == ("hdfs", history, method)
        )
        recall = row["recall_at_fp_0.1%"]
        return f"F1 {row['f1']:.2f}, recall {recall:.2f} at 0.1 % false positives"

    return value


def _answers(result: Result) -> str:
    s = result["summary"]
    return (
        f"token F1 {s['templates_token_f1']:.2f} / F1 {s['anomalies_f1']:.2f} / macro recall "
        f"{s['incidents_macro_recall']:.2f} (constant 0.33)"
    )


def _splits(*methods: str) -> Callable[[Result], str]:
    """Median F1 of methods, and its range over splits."""

    def value(result: Result) -> str:
        by = {row["method"]: row for row in result["rows"]}
        told = [
            f"{m} {by[m]['f1']:.2f} ({by[m]['f1_low']:.2f} to {by[m]['f1_high']:.2f})"
            for m in methods
        ]
        return "F1 " + "; ".join(told)

    return value


def _asked(name: str) -> Callable[[Result], str]:
    def value(result: Result) -> str:
        s = result["summary"]
        return (
            f"F1 {s[f'{name}_f1']:.3f} with {s[f'{name}_questions']} questions "
            f"({s[f'{name}_f1_without_answers']:.3f} without answers)"
        )

    return value


def _formats(result: Result) -> str:
    summary = result["summary"]
    return f"{summary['right']} of {summary['of']}; {summary['times']:.1%} of their times"


def _faults(result: Result) -> str:
    s = result["summary"]
    return (
        f"{s['among_first_5']} of {s['cases_whose_log_names_the_fault']} (among the first five "
        f"lines of level WARN or worse: {s['among_first_5_WARN_lines']})"
    )


def _rules(result: Result) -> str:
    s = result["summary"]
    return (
        f"F1 {s['bgl100_f1']:.3f} / {s['bgl20_f1']:.3f} (precision {s['bgl20_precision']:.3f}) / "
        f"{s['hdfs_f1']:.3f} ({s['hdfs_rules']} rules)"
    )


def _rules_asked(result: Result) -> str:
    s = result["summary"]
    return f"F1 {s['bgl20_asked_f1']:.3f} with {s['bgl20_questions']} questions"


def _rules_rates(mix: str) -> Callable[[Result], str]:
    def value(result: Result) -> str:
        s, kinds = result["summary"], ("HDFS", "BGL", "12")
        rates = " / ".join(f"{s[f'{mix}_{kind}_rate']:.2f}" for kind in kinds)
        times = " / ".join(f"{s[f'{mix}_{kind}_times_plain']:.0f}" for kind in kinds)
        return f"{rates} M lines/s ({times} times the plain functions)"

    return value


_ENCODING = "shape encoding: "
_BGL, _HDFS = "BGL-like, no sessions", "HDFS-like, sessions by key"


def _stream(what: str) -> Callable[[Result], str]:
    def value(result: Result) -> str:
        rows = [row for row in result["rows"] if row["what"] == what]
        kept = max((r for r in rows if r["lines_per_s"] > 0.99 * r["arrive"] and r["ms_p99"] < 45),
                   key=lambda r: int(r["arrive"]))  # fmt: skip
        timed = rows[0]
        told = f"{kept['lines_per_s']:,} lines/s for a minute"
        times = f"p50 / p99 {timed['ms_p50']:.0f} / {timed['ms_p99']:.0f} ms"
        return told + (f"; {times} at {timed['arrive']:,}/s" if len(rows) > 1 else f"; {times}")

    return value


FIGURES: tuple[tuple[str, str, Callable[[Result], str]], ...] = (
    (
        "throughput",
        "Lines to shapes: BGL / HDFS text",
        _rates(_ENCODING + "BGL", _ENCODING + "HDFS"),
    ),
    (
        "throughput",
        "Lines to shapes, a fresh identifier in each line: UUID / hex / base64",
        _rates(*(f"{_ENCODING}a fresh {kind} in each line" for kind in ("uuid", "hex", "base64"))),
    ),
    (
        "throughput",
        "Lines to template ids, 12 systems shuffled: first pass / warm",
        _template_ids,
    ),
    (
        "throughput",
        f"Whole commands, {_BGL}: learn / detect / scan",
        _rates(*(f"logwright {verb}: {_BGL}" for verb in ("learn", "detect", "scan"))),
    ),
    (
        "throughput",
        f"Whole commands, {_HDFS}: learn / detect / scan",
        _rates(*(f"logwright {verb}: {_HDFS}" for verb in ("learn", "detect", "scan"))),
    ),
    (
        "throughput",
        "Whole commands, JSON lines: learn / detect / scan",
        _rates(*(f"logwright {verb}: JSON lines" for verb in ("learn", "detect", "scan"))),
    ),
    (
        "throughput",
        "`scan` of 100,000 lines, from start to end",
        _seconds("logwright scan of 100,000 lines"),
    ),
    (
        "throughput",
        "`import logwright` (above a bare interpreter) / `logwright --help`",
        _seconds("import logwright, above a bare interpreter", "logwright --help"),
    ),
    (
        "memory",
        "Peak memory of learn, detect and scan on 5 GB: the largest",
        lambda result: f"{result['summary']['peak_mib']:,} MiB",
    ),
    (
        "stream",
        "A worker on a Redis stream, two cores for sender, Redis and worker; from a window's last "
        "line to its finding in the sink",
        _stream("Redis"),
    ),
    (
        "stream",
        "The same with 100 rules and the sequence step",
        _stream("Redis, rules, sequence"),
    ),
    ("formats", "Formats found: 12 systems of LogHub 2k, and our own sample files", _formats),
    (
        "faults",
        "`scan` of Hadoop runs and build logs: a line that names the fault in the first five rows",
        _faults,
    ),
    ("templates", "Templates, mean of 12 systems of LogHub 2k: GA / PA / FTA", _accuracy),
    ("hdfs", "HDFS sessions in time order, learned on the first 60 %", _hdfs("60%")),
    ("hdfs", "The same, learned on the first 1 %", _hdfs("1%")),
    ("feedback", "HDFS sessions, each pattern judged once", _asked("hdfs")),
    ("feedback", "BlueGene/L windows of 20 lines, each pattern judged once", _asked("bgl")),
    (
        "rules",
        "Rules induced from labels, alone: BlueGene/L by 100 lines / by 20 over months, the worst "
        "of four lengths of history / HDFS",
        _rules,
    ),
    ("rules", "The same by 20 lines, each pattern judged once: the worst of four", _rules_asked),
    (
        "rules",
        "Raw lines judged by 100 rules, HDFS / BGL / 12 systems: rules of words",
        _rules_rates("words"),
    ),
    (
        "rules",
        "The same, rules of words, numbers and digits",
        _rules_rates("words_numbers_and_digits"),
    ),
    (
        "bgl-windows",
        "BlueGene/L over months, windows of 20 lines, 5 splits by time, best floor first",
        _splits(
            "unseen template",
            "ladder: whole",
            "judge: nobody answers",
            "judge: ask once",
            "decision tree",
        ),
    ),
    ("sequence", "HDFS sessions by the trained sequence step alone", _step("cross-entropy")),
    (
        "sequence",
        "The same, tuned on 200 verdicts on sessions of history",
        _step("reward on 200 verdicts"),
    ),
    (
        "reasoning",
        "Answers without a language model, systems not looked at: templates / anomalies / the "
        "injected fault of Hadoop runs",
        _answers,
    ),
)
"""The README's rows: suite, what was measured, and how to read it out of the suite's result."""
