"""The rows of the sequence suite from those of single runs: medians, ranges, and the comparison.

Every row is that of the run with the median F1, so that precision, recall and F1 belong together;
its other figures are medians over seeds. What RL is worth is compared by seed: each tuned network
began as the same pretrained one as the control, which had as many further steps of cross-entropy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median, stdev
from typing import Any

from logwright.bench.sequence_metrics import FALSE_SHARES

__all__ = ["CONTROL", "compared", "rows_of_runs", "verdict"]

CONTROL = "more cross-entropy"
"""What every tuned network is compared with."""

_MEDIANS = (*FALSE_SHARES, "lead_median", "lead_mean", "calibration_error", "false_per_10k", "k")
_RANGED = ("recall_at_fp_0.1%", "lead_mean", "false_per_10k", "k")
_COMPARED = ("f1", "recall_at_fp_0.1%", "lead_mean")
_QUANTILES = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306}
"""Student's t, two-sided, 95 %, by the number of seeds."""

Row = Mapping[str, Any]
_OF = ("table", "set", "history", "method")


def rows_of_runs(runs: Iterable[Row]) -> list[dict[str, Any]]:
    """One row for each table, set, history and method, in the order in which they first come.

    >>> common = {"table": "t", "set": "s", "history": "60%", "method": "m"}
    >>> runs = [{**common, "seed": seed, "f1": f1} for seed, f1 in enumerate((0.5, 0.9, 0.8))]
    >>> row = rows_of_runs(runs)[0]
    >>> row["f1"], row["f1_low"], row["f1_high"], row["f1_by_seed"]
    (0.8, 0.5, 0.9, [0.5, 0.9, 0.8])
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for run in runs:
        groups.setdefault(tuple(run[key] for key in _OF), []).append(run)
    control = {key[:3]: group for key, group in groups.items() if key[3] == CONTROL}
    out = []
    for key, group in groups.items():
        row = _row(group)
        base = control.get(key[:3])
        if base is not None and key[3] != CONTROL and "seed" in group[0]:
            row |= _against(group, base)
        out.append(row)
    return out


def _row(group: Sequence[Row]) -> dict[str, Any]:
    middle = sorted(group, key=lambda run: run["f1"])[(len(group) - 1) // 2]
    row = {key: value for key, value in middle.items() if key != "seed"}
    if "seed" not in middle:
        return row
    row["seeds"] = len(group)
    row["f1_mean"] = round(mean(run["f1"] for run in group), 4)
    row["f1_low"] = min(run["f1"] for run in group)
    row["f1_high"] = max(run["f1"] for run in group)
    row["f1_by_seed"] = [run["f1"] for run in group]
    for key in _MEDIANS:
        values = [run[key] for run in group if run.get(key) is not None]
        if values:
            row[key] = round(median(values), 4)
        if values and key in _RANGED:
            row[f"{key}_range"] = [min(values), max(values)]
    return row


def _against(group: Sequence[Row], base: Sequence[Row]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key in _COMPARED:
        found = compared(group, base, key)
        if found is not None:
            out[f"{key}_above_control"] = found[0]
            out[f"{key}_above_control_95%"] = list(found[1:])
    return out


def compared(
    group: Sequence[Row], base: Sequence[Row], key: str
) -> tuple[float, float, float] | None:
    """The mean over seeds of what one is above the other, and its 95 % interval (Student's t);
    None for a single seed. An interval that holds 0 is seed noise.

    >>> group = [{"seed": 0, "f1": 0.9}, {"seed": 1, "f1": 0.92}]
    >>> compared(group, [{"seed": 0, "f1": 0.89}, {"seed": 1, "f1": 0.91}], "f1")
    (0.01, 0.01, 0.01)
    """
    by_seed = {run["seed"]: run.get(key) for run in base}
    pairs = [(run.get(key), by_seed.get(run["seed"])) for run in group]
    apart = [a - b for a, b in pairs if a is not None and b is not None]
    if len(apart) < 2:
        return None
    middle = mean(apart)
    half = _QUANTILES.get(len(apart), 2.262) * stdev(apart) / len(apart) ** 0.5
    return round(middle, 4), round(middle - half, 4), round(middle + half, 4)


def verdict(rows: Sequence[Row]) -> dict[str, str]:
    """What the comparison comes to, a sentence for each set and figure: the best stage, and whether
    all of its 95 % interval is above the control.

    >>> row = {"set": "s", "history": "60%", "table": "t", "method": "PPO"}
    >>> row |= {"f1_above_control": 0.01, "f1_above_control_95%": [-0.01, 0.03]}
    >>> verdict([row])
    {'t, s 60%, f1': 'within seed noise: PPO is +0.0100 (-0.0100 to +0.0300) above the control'}
    """
    best: dict[str, Row] = {}
    for row in rows:
        for key in _COMPARED:
            if f"{key}_above_control" in row:
                of = f"{row['table']}, {row['set']} {row['history']}, {key}"
                if of not in best or row[f"{key}_above_control"] > best[of][f"{key}_above_control"]:
                    best[of] = row
    return {of: _sentence(row, of.rpartition(", ")[2]) for of, row in best.items()}


def _sentence(row: Row, key: str) -> str:
    low, high = row[f"{key}_above_control_95%"]
    said = f"{row[f'{key}_above_control']:+.4f} ({low:+.4f} to {high:+.4f})"
    found = "outside seed noise" if low > 0 else "within seed noise"
    return f"{found}: {row['method']} is {said} above the control"
