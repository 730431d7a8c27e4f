"""The experiment that decides the sequence model's place: what tuning by rewards is worth.

For each set and seed a network is pretrained once; each stage goes on from it for the same number
of steps, cross-entropy too. So all tuned networks have one size and one amount of compute.
`sequence_sets` tells how sets are cut, `sequence_stages` what is compared, `sequence_rows` how
scores become decisions, and `sequence_table` how seeds are compared.

Runs are kept as they come (`sequence_kept`): what was stopped goes on where it was.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from logwright.bench.fitted import BUDGET
from logwright.bench.sequence_kept import Kept, fingerprint
from logwright.bench.sequence_rows import LABELS, TABLES, Ladder, floors, rows_of_run
from logwright.bench.sequence_scored import scored
from logwright.bench.sequence_sets import Held, sets
from logwright.bench.sequence_stages import STAGES, Begun, Effort, Stage
from logwright.bench.sequence_table import rows_of_runs, verdict
from logwright.errors import MissingExtraError
from logwright.sequence.presets import PRESETS

__all__ = ["FILES", "run"]

FILES = (
    "hdfs/hdfs_sequences.tsv.zst",
    "bgl/bgl_windows20.tsv.zst",
    "bgl/bgl_windows20_templates.json",
)

_SEEDS = 5
_EFFORT = Effort(PRESETS["tiny"], 60)
_QUICK = Effort(replace(PRESETS["tiny"], steps=10, warmup=2, every=5, batch=512), 2)

Row = dict[str, Any]


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """Rows per set, way to decide, and stage.

    Args:
        data: The folder of the data sets.
        quick: One set, its first sessions, one seed, a few steps.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("train", "torch")
    effort = _QUICK if quick else _EFFORT
    settings: dict[str, Any] = {
        "budget": BUDGET,
        "seeds": 1 if quick else _SEEDS,
        "steps": effort.steps,
        "preset": {key: value for key, value in asdict(effort.preset).items() if key != "why"},
        "quick": quick,
    }
    files = [data / name for name in FILES if (data / name).exists()]
    suite = _Suite(Kept.of(fingerprint(settings, files)), effort, settings["seeds"])
    runs: list[Row] = []
    told = []
    for held in sets(data, quick):
        runs += suite.rows(held)
        told.append(f"{held.name}: {held.common['lines']}")
    order = [row for table in TABLES for row in runs if row["table"] == table]
    rows = rows_of_runs(order)
    return {
        "data": "; ".join(told) + "; in order of time",
        "settings": settings,
        "rows": rows,
        "times": suite.times,
        "summary": verdict([row for row in rows if row["table"] in TABLES[:2]]),
    }


@dataclass(slots=True)
class _Suite:
    """What is kept of runs, how much is done for each, and their seconds."""

    kept: Kept
    effort: Effort
    seeds: int
    times: dict[str, dict[str, float]] = field(default_factory=dict)

    def rows(self, held: Held) -> Iterator[Row]:
        """All rows of a set; those of single runs with their seed."""
        told = {**held.common, **held.view.told(), "llm_calls": 0, "llm_cost": 0}
        ladder = Ladder.of(held)
        for floor in floors(held):
            yield from ({**told, "table": table, "questions": 0, **floor} for table in TABLES)
        common = {**told, "labels_used": LABELS}
        alone = {"table": TABLES[1], "method": "ladder alone", "questions": 0}
        yield {**common, **alone, **ladder.figures(held.test)}
        seconds: dict[str, list[float]] = {}
        for seed in range(self.seeds):
            begun = Begun(held, self.effort, seed)
            for stage in STAGES:
                of = {"method": stage.name, "questions": stage.verdicts, "seed": seed}
                for row in self._run(begun, stage, held, ladder, seed):
                    figures = dict(row)
                    seconds.setdefault(stage.name, []).append(figures.pop("seconds"))
                    yield {**common, **of, **figures}
        self.times[held.name] = {name: round(median(each), 1) for name, each in seconds.items()}

    def _run(self, begun: Begun, stage: Stage, held: Held, ladder: Ladder, seed: int) -> list[Row]:
        name = f"{held.name}, {stage.name}, seed {seed}"

        def make() -> list[Row]:
            sys.stderr.write(f"{name}\n")
            network, seconds = begun.after(stage)
            calm = scored(network, held.calm.sequences)
            test = scored(network, held.test.sequences)
            found = rows_of_run(held, calm, test, ladder)
            return [{**row, "seconds": seconds} for row in found]

        return self.kept.rows(name, make)
