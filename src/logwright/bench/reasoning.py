"""Reasoning: how well an engine answers the tasks put about logs, beside floors.

Items are those of `bench.reasoning_sets`: on *seen* ones workflows and models may be developed, the
others are held out, whole systems where a set names several. Both stand apart in every table. The
engine is the evidence reasoner, or a language model (`--llm`), which is asked the very same.
`bench.reasoning_scores` has the figures, `bench.reasoning_cost` what answers cost and what
answering first saves, and `bench.reasoning_bars` what was aimed at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from logwright.bench import reasoning_scores
from logwright.bench.reasoning_asked import Asked, ask, costs, form
from logwright.bench.reasoning_bars import bars
from logwright.bench.reasoning_cost import answer_first, speed, worked
from logwright.bench.reasoning_floors import SIMILAR, floors
from logwright.bench.reasoning_runs import alarmed, healthy_runs, judged_runs
from logwright.bench.reasoning_scores import alarms
from logwright.bench.reasoning_sets import SETS, Item, Of, items
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.reasoner import Reasoner
from logwright.reasoning.task import Task

__all__ = ["run"]

_MOST = 300
"""Items of a set and part, of texts and of a switch's messages: each is one request to a language
model, and there are thousands."""

_QUICK = 12
_QUICK_INCIDENTS = 2
_RUNS = "incidents"
_PARTS: tuple[Of, Of] = ("unseen", "seen")

Row = dict[str, Any]


def run(data: Path, quick: bool = False, engine: Reasoner | None = None) -> dict[str, Any]:
    """Rows per task, set, part and who answers.

    Args:
        data: The folder of the data sets.
        quick: A few items of each set.
        engine: Who answers; the evidence reasoner where none is given.
    """
    suite = _Suite(data, quick, engine or EvidenceReasoner())
    rows = [row for name in SETS for row in suite.of(name)]
    rows += [*suite.runs(), *suite.costs()]
    aimed = bars(rows, suite.name)
    told: dict[str, list[str]] = {}
    for bar in aimed:
        told.setdefault(bar.of, []).append(bar.told)
    return {
        "data": "; ".join(suite.data),
        "settings": {"engine": suite.name, "most_items": _MOST, "quick": quick},
        "rows": rows,
        "summary": {**{bar.key: bar.value for bar in aimed}, "bars": told},
    }


class _Suite:
    """One engine, and what it said of each set and part so far."""

    def __init__(self, data: Path, quick: bool, engine: Reasoner) -> None:
        self.name = engine.name
        self.data: list[str] = []
        self._folder, self._quick, self._engine = data, quick, engine
        self._asked: dict[tuple[str, Of], list[Asked]] = {}

    def of(self, name: str) -> Iterator[Row]:
        """The rows of a set: the engine's, then the floors', held-out items first."""
        every = items(SETS[name].task, self._folder, names=(name,))
        seen = [item for item in every if item.part == "seen"]
        for part in _PARTS:
            mine = self._few([item for item in every if item.part == part])
            self._asked[name, part] = asked = ask(self._engine, mine)
            yield self._row(name, part, self.name, asked) | form(asked)
            for floor, said in floors(mine, seen):
                yield self._row(name, part, floor, said)
            systems = ", ".join(dict.fromkeys(item.system for item in mine))
            self.data.append(f"{name}, {part}: {len(mine):,} items of {systems}")

    def runs(self) -> Iterator[Row]:
        """Rows of whole runs, failed and healthy: is it told which are which?"""
        every = items(Task.ROOT_CAUSE, self._folder, names=(_RUNS,))
        every = every[:: len(every) // _QUICK_INCIDENTS] if self._quick else every
        for part in _PARTS:
            mine = [item for item in judged_runs(every) if item.part == part]
            common = {"table": "runs", "set": f"runs, {part}", "items": len(mine)}
            asked = ask(self._engine, mine)
            row = {**common, **self._free(self.name), "method": self.name, **alarms(asked)}
            for task, name in ((Task.ROOT_CAUSE, "causes"), (Task.FAILURE, "failures")):
                well = [item for item in healthy_runs(every, task) if item.part == part]
                if well:
                    row[f"{name}_told_on_healthy"] = alarmed(ask(self._engine, well))
            yield row | form(asked)
            for floor, said in floors(mine, []):
                yield {**common, **self._free(floor), "method": floor, **alarms(said)}

    def costs(self) -> Iterator[Row]:
        """What answers cost, and what answering first saves."""
        for (name, part), asked in self._asked.items():
            if part == "unseen":
                told = {"table": "cost", **self._free(self.name), "source": name}
                yield {**told, "method": self.name, **costs(asked)}
        for (name, part), asked in self._asked.items():
            if part == "unseen":
                for row in answer_first(name, self._engine, asked):
                    yield {**self._free(self.name), **row}
        for make in (worked, speed):
            for row in make(self._folder, self._quick):
                yield {**self._free(EvidenceReasoner.name), **row}

    def _few(self, found: Sequence[Item]) -> list[Item]:
        """As many as are asked about, spread evenly over the set."""
        one = found[0]
        incidents = one.task is Task.ROOT_CAUSE and one.right == "verdict"
        if self._quick:
            most = _QUICK_INCIDENTS if incidents else _QUICK
        else:
            most = _MOST if one.right == "text" or one.task is Task.FAILURE else len(found)
        step = max(len(found) / most, 1.0)
        return [found[int(at * step)] for at in range(min(most, len(found)))]

    def _row(self, name: str, part: Of, method: str, asked: Sequence[Asked]) -> Row:
        table, figures = _FIGURES[SETS[name].task, asked[0].item.right]
        systems = ", ".join(dict.fromkeys(one.item.system for one in asked))
        told = {"table": table, "source": f"{part}: {systems}"}
        if table == "texts":
            told["source"] = f"{name}, {part}"
        elif table != "templates":
            # Rows are sorted by their score: parts would be mixed in one table.
            told["set"] = f"{name}, {told.pop('source')}"
        row = {**told, **self._free(method), "method": method, "items": len(asked)}
        return row | figures(asked)

    def _free(self, method: str) -> Row:
        """What was known and paid; of a language model it is not known how many calls it took."""
        row: Row = {"labels_used": "seen items" if method == SIMILAR else "none", "questions": 0}
        if method != self.name or method == EvidenceReasoner.name:
            row |= {"llm_calls": 0, "llm_cost": 0}
        return row


_FIGURES: dict[tuple[Task, str], tuple[str, Callable[[Sequence[Asked]], Row]]] = {
    (Task.PARSE, "verdict"): ("templates", reasoning_scores.templates),
    (Task.ANOMALY, "verdict"): ("anomalies", reasoning_scores.anomalies),
    (Task.FAILURE, "verdict"): ("failures ahead", reasoning_scores.alarms),
    (Task.ROOT_CAUSE, "verdict"): ("incidents", reasoning_scores.causes),
    (Task.INTERPRET, "text"): ("texts", reasoning_scores.texts),
    (Task.ROOT_CAUSE, "text"): ("texts", reasoning_scores.texts),
    (Task.SOLUTION, "text"): ("texts", reasoning_scores.texts),
}
