"""Rules: a rulebook as a step of the ladder. It says "abnormal" of a window, or "normal", or
nothing, and then the next steps are asked.

Nothing is learned here: rules come from a rulebook (`rules.book.rulebook`), where people decide
which of them alert. Shadows are counted, in `tally`, and raise nothing. The pattern of a finding is
the hash of the rule's code, whatever its name and exceptions are: a verdict is on what the rule
says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State
from logwright.findings.finding import SEVERITIES, Severity
from logwright.findings.run import many
from logwright.logs.batch import NO_TIME, Int64s, LineBatch
from logwright.rules.book.backtest import NORMAL, words_of
from logwright.rules.book.differences import summary
from logwright.rules.book.jury import Jury
from logwright.rules.book.rulebook import Rulebook
from logwright.rules.book.shelved import Shelved
from logwright.rules.engine.classing import Naming
from logwright.rules.language.plain import Window
from logwright.rules.language.tree import Field
from logwright.rules.language.walk import walk
from logwright.snapshot import Moved
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.window import Windows

__all__ = ["Rules", "Sees", "Tally"]

Bools = NDArray[np.bool_]
_CITED = 5
_NEVER = np.iinfo(np.int64).max


class Sees(Protocol):
    """What gives windows with their text (`seeing.Seer`)."""

    def naming(self) -> Naming:
        """Names of the codes of batches."""

    def keys(self, windows: Windows) -> list[str]:
        """The windows' keys."""

    def window(self, windows: Windows, i: int) -> Window:
        """One window as rules see it."""


@dataclass(slots=True)
class Tally:
    """How often a rule hit in a run, and when first and last (ns, `NO_TIME` for no time)."""

    hits: int = 0
    first: int = NO_TIME
    last: int = NO_TIME

    def add(self, hits: int, first: int, last: int) -> None:
        """Count so many windows, of which the times are from `first` to `last`."""
        self.hits += hits
        if first != NO_TIME:
            self.first = first if self.first == NO_TIME else min(self.first, first)
            self.last = max(self.last, last)


class Rules:
    """Scores windows by the gravest rule that hits them: 1 (low) to 4 (critical), 0 for none.

    `look` takes the batches of a run before their windows are scored, `place` numbers the lines as
    the windows' rows are; `sees` has to be set before either.
    """

    name = "rules"
    unit = "rule"

    def __init__(self, rules: Sequence[Shelved] = (), plan: WindowPlan | None = None) -> None:
        self.plan = plan
        self.sees: Sees | None = None
        self._jury = Jury(rules, self._read)
        self._alerts = np.array([rule.alerts for rule in self._jury.rules], bool)
        ranks = [SEVERITIES.index(_severity(rule)) + 1.0 for rule in self._jury.rules]
        self._ranks = np.array(ranks, np.float64)
        self.tally = {rule.name: Tally() for rule in self._jury.rules}
        self._placed = self.is_anew = False
        self._last: tuple[Windows, Bools] | None = None

    @classmethod
    def of(cls, book: Rulebook) -> Rules:
        """The rules of a book that run."""
        return cls(book.running, book.index.plan)

    def __len__(self) -> int:
        return len(self._jury.rules)

    @property
    def shadows(self) -> list[str]:
        """The names of the rules that are only counted."""
        pairs = zip(self._jury.rules, self._alerts.tolist(), strict=True)
        return [rule.name for rule, alerts in pairs if not alerts]

    @property
    def of_templates(self) -> list[str]:
        """The names of the compiled rules that read templates or parameters of lines."""
        read = {
            name: any(isinstance(n, Field) and n.name in ("template", "params") for n in walk(f))
            for name, f in self._jury.functions.items()
        }
        return [name for name, reads in read.items() if reads and name not in self.plain]

    @property
    def problems(self) -> dict[str, str]:
        """Rules that do not run after all, and why."""
        return self._jury.problems

    @property
    def plain(self) -> dict[str, str]:
        """Rules that are not compiled, and why."""
        return self._jury.plain

    def look(self, batch: LineBatch, first_row: int) -> None:
        """Read a batch whose records are numbered from `first_row` on."""
        if len(self):
            assert self.sees is not None
            self._jury.look(batch, first_row, self.sees.naming())

    def place(self, now: Callable[[Int64s], Int64s]) -> None:
        """Number the lines that were read as records are numbered now. That changes once at most:
        when all sources of a run were read, and before anything is judged."""
        if not self._placed:
            self._jury.place(now)
            self._placed = True

    def drop(self, before: int) -> None:
        """Forget lines before a row, of which no open window holds one."""
        self._jury.drop(before)

    def keep(self, rows: Int64s) -> None:
        """Forget all lines but these, which are sorted."""
        self._jury.keep(rows)

    def paused(self) -> State:
        """What is remembered of lines, and how often each rule hit."""
        state = self._jury.paused()
        state.meta["tally"] = {n: [t.hits, t.first, t.last] for n, t in self.tally.items()}
        return state

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there. Where the rules were others, no rule fires on the lines that are open:
        what they hold is not known any more."""
        self.is_anew = not self._jury.resume(state)
        for name, told in state.meta["tally"].items():
            if name in self.tally:
                self.tally[name] = Tally(*map(int, told))

    def cites(self) -> Int64s:
        """Nothing but what open windows hold."""
        return np.empty(0, np.int64)

    @property
    def kept_blocks(self) -> int:
        """Blocks of lines that are remembered."""
        return self._jury.kept_blocks

    def _read(self, windows: Windows, i: int) -> Window:
        assert self.sees is not None
        return self.sees.window(windows, i)

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Nothing is learned here."""

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The severity of the gravest rule that hits each window."""
        return self.judged(windows, vocabulary)[0]

    def judged(
        self, windows: Windows, vocabulary: Vocabulary, whole: Bools | None = None
    ) -> tuple[Floats, Bools]:
        """The score of each window, and which of them a rule says are normal, as no rule says that
        they are not. What must hold is not asked of windows that are not `whole`."""
        hits = self._hits(windows, vocabulary, whole)
        self._last = (windows, hits)
        self._count(hits, windows)
        pairs = zip(self._jury.words, self._alerts.tolist(), strict=True)
        said = words_of(hits[:, self._alerts], [word for word, alerts in pairs if alerts])
        return np.where(hits & self._bad, self._ranks, 0.0).max(axis=1, initial=0.0), said == NORMAL

    def _count(self, hits: Bools, windows: Windows) -> None:
        """Count what hit, of all rules at once: it is done for every batch."""
        number = hits.sum(axis=0)
        first, last = (times[:, None] for times in windows.times())
        timed = hits & (first != NO_TIME)
        first = np.where(timed, first, _NEVER).min(axis=0, initial=_NEVER)
        first[first == _NEVER] = NO_TIME
        last = np.where(timed, last, NO_TIME).max(axis=0, initial=NO_TIME)
        told = zip(self._jury.rules, number.tolist(), first.tolist(), last.tolist(), strict=True)
        for rule, *counts in told:
            if counts[0]:
                self.tally[rule.name].add(*counts)

    @property
    def _bad(self) -> Bools:
        """The rules that raise what they hit."""
        abnormal = np.array([word.abnormal for word in self._jury.words], bool)
        return np.asarray(self._alerts & abnormal)

    def _hits(self, windows: Windows, vocabulary: Vocabulary, whole: Bools | None) -> Bools:
        if not len(self) or not len(windows):
            return np.zeros((len(windows), len(self)), bool)
        assert self.sees is not None
        sees = self.sees
        ids = vocabulary.template_ids
        return self._jury.hits(windows, lambda: sees.keys(windows), ids, whole)

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """One entry per rule that raises window `i`."""
        one = windows.select_one(i)
        known = self._last is not None and self._last[0] is windows
        mine = self._last[1][i] if self._last and known else self._hits(one, vocabulary, None)[0]
        hits = mine & self._bad & (self._ranks >= threshold)
        return [self._told(int(at), one) for at in np.flatnonzero(hits)]

    def _told(self, at: int, one: Windows) -> Evidence:
        rule = self._jury.rules[at]
        rows, places = one.events.row, list[int]()
        if self.sees is not None:
            lines = self.sees.window(one, 0).lines
            places = self._jury.points_at(rule.name, lines)
        cited = places[:_CITED] or list(range(min(len(rows), _CITED)))
        templates = np.unique(one.events.template[places[:_CITED]]).tolist() if places else []
        holds = bool(self._jury.must_hold[at])
        told = f"{many(len(places), 'line')} that it speaks of" if places else "no single line"
        return Evidence(
            score=float(self._ranks[at]),
            summary=f"broken: {summary(rule)}" if holds else summary(rule),
            expected=f"rule {rule.name} holds" if holds else f"rule {rule.name} does not fire",
            seen=f"it does {'not ' * holds}in a window of {many(len(rows), 'line')}: {told}",
            rows=rows[cited].tolist(),
            key_rows=rows[places[:_CITED]].tolist(),
            templates=templates,
            parts=[rule.hash],
            count=max(len(places), 1),
            rule=rule.name,
            severity=_severity(rule),
        )

    def save(self) -> State:
        """Nothing: a rulebook lies beside a model, not in it."""
        return State({})

    def load(self, state: State) -> None:
        """Nothing."""

    def close(self) -> None:
        """End what runs for rules that are not compiled."""
        self._jury.close()


def _severity(rule: Shelved) -> Severity:
    assert rule.file is not None
    return rule.file.meta.severity
