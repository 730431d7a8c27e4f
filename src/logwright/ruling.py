"""Ruling: the rulebook of one run: found, put into the ladder, and told of in the end."""

from __future__ import annotations

from pathlib import Path

from logwright.detectors.ladder import Ladder
from logwright.detectors.rules import Rules
from logwright.findings.run import many
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, LineBatch
from logwright.logs.timestamps import iso
from logwright.rules.book.hits import add_hits
from logwright.rules.book.rulebook import INDEX, Rulebook
from logwright.rules.language.problem import RuleError
from logwright.seeing import Seer
from logwright.settings import Settings
from logwright.windows.plan import WindowPlan

__all__ = ["Ruling"]

_NAMED = 5


class Ruling:
    """The rules of a run: those that the settings name, else those in the `beside` folder.

    >>> from logwright.settings import Settings
    >>> Ruling(Settings()).rules is None
    True
    """

    def __init__(self, settings: Settings, beside: Path | None = None) -> None:
        self.book: Rulebook | None = None
        self.rules: Rules | None = None
        named = settings.rules
        path = None if named == "none" else Path(named) if named is not None else beside
        if path is None or (named is None and not (path / INDEX).is_file()):
            return
        self.book = Rulebook.load(path)
        if self.book.running:
            self.rules = Rules.of(self.book)

    def look(self, given: Intake) -> None:
        """Let the rules see what is read before there are templates (`scan`)."""
        if self.rules is None:
            return
        self.rules.sees = Seer(given)
        if unknown := self.rules.of_templates:
            given.note(
                f"{', '.join(unknown[:_NAMED])} read templates of lines, which a scan does not "
                "know yet: these conditions hold for no line ('detect' knows them)"
            )

    def seen(self, batch: LineBatch, first_row: int) -> None:
        """Read a batch."""
        if self.rules is not None:
            self.rules.look(batch, first_row)

    def join(self, ladder: Ladder, plan: WindowPlan, given: Intake) -> None:
        """Put the rules into a ladder, and say what is to be said of the rulebook."""
        if self.book is None:
            return
        for note in self.book.notes():
            given.note(note)
        if self.rules is None:
            given.note(f"{self.book.path}: no rule is active or in shadow: none runs")
            return
        own = self.rules.plan
        if own is not None and own.kind == "session" and given.reader.session is None:
            given.note(
                f"the rules of {self.book.path} are for sessions, but the lines share no keys "
                "here: they do not run"
            )
            self.rules = None
            return
        session, made_for = given.reader.session, self.book.index.session
        if own is not None and own.kind == "session" and session is not None and made_for:
            key = session.pattern.decode("latin-1")
            if key != made_for:
                given.note(
                    f"the rules of {self.book.path} were made for sessions by {made_for!r:.80}, "
                    f"these are by {key!r:.80}"
                )
        ladder.add_rules(self.rules, own is not None and not own.alike(plan))
        muted = sum(r.state == "active" and r.standing.muted for r in self.book.rules.values())
        if muted:
            given.note(f"{many(muted, 'active rule')} muted")

    def finish(self, given: Intake) -> None:
        """Count the hits, and tell of shadows and of rules that did not run."""
        if self.rules is None or self.book is None:
            return
        for name, why in self.rules.problems.items():
            given.note(f"rule {name} did not run: {why}")
        shadows = sorted((-self.rules.tally[name].hits, name) for name in self.rules.shadows)
        if shadows:
            told = [f"{name} {many(-hits, 'window')}" for hits, name in shadows[:_NAMED]]
            told += [f"{len(shadows) - _NAMED:,} more"] * (len(shadows) > _NAMED)
            given.note(f"rules in shadow hit, without an alert: {', '.join(told)}")
        more = {
            name: (t.hits, _time(t.first), _time(t.last)) for name, t in self.rules.tally.items()
        }
        try:
            add_hits(self.book.path, more)
        except RuleError as error:
            given.note(f"hits of rules are not counted: {error}")

    def close(self) -> None:
        """End what runs for rules."""
        if self.rules is not None:
            self.rules.close()


def _time(ns: int) -> str | None:
    return None if ns == NO_TIME else iso(ns)
