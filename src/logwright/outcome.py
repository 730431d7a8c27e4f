"""The outcome of a run: findings, what verdicts suppressed, and what a report says of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from logwright.findings.finding import SEVERITIES, Finding
from logwright.findings.incident import with_incidents
from logwright.findings.run import Run, many, ranked
from logwright.findings.sieve import Sieve
from logwright.intake import Intake
from logwright.keeping import Keeper
from logwright.live import Live
from logwright.pipeline import MOST_OF_PATTERN, Pipeline
from logwright.ruling import Ruling
from logwright.settings import Settings

__all__ = ["Result", "Told", "outcome", "outcome_of_live"]


@dataclass(slots=True)
class Result:
    """Findings, most telling first; those that verdicts or the policy suppressed; and what a report
    says of the run."""

    findings: list[Finding]
    run: Run
    suppressed: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says of a run, and the run itself does not know."""

    settings: Settings
    title: str
    started: float
    past: str
    learned: int
    keeper: Keeper
    ruling: Ruling

    def keep(self, given: Intake, findings: Sequence[Finding]) -> None:
        """Keep findings of a run that goes on."""
        lines = sum(source.stats.lines for source in given.sources.sources)
        run = Run(
            title=self.title,
            started=_iso(self.started),
            lines=lines,
            timeline=given.timeline.timeline(),
        )
        self.keeper.keep(run, findings, {})


def outcome(given: Intake, pipeline: Pipeline, findings: list[Finding], told: Told) -> Result:
    """The outcome of a run that is over, kept in its store."""
    sieve = Sieve(told.settings, pipeline.plan.interval)
    findings = sieve.known(findings)
    raised = sieve.damper.raised(f for f in findings if f.state != "suppressed")
    found = [*raised, *(f for f in findings if f.state == "suppressed")]
    return _outcome(given, pipeline, found, told, sieve.notes(), pipeline.events_judged)


def outcome_of_live(given: Intake, pipeline: Pipeline, live: Live, told: Told) -> Result:
    """The outcome of a run that was told as it went, kept in its store."""
    pipeline.windows_scored += live.quick.windows_scored
    pipeline.counted.update(live.quick.counted)
    findings = [*live.raised(), *live.suppressed]
    return _outcome(given, pipeline, findings, told, live.notes(), live.quick.events_judged)


def _outcome(
    given: Intake,
    pipeline: Pipeline,
    findings: list[Finding],
    told: Told,
    left_out: list[str],
    judged: int,
) -> Result:
    settings = told.settings
    told.ruling.finish(given)
    suppressed = [f for f in findings if f.state == "suppressed"]
    raised = with_incidents([f for f in findings if f.state != "suppressed"])
    infos, notes = given.infos()
    notes += left_out
    counted = pipeline.counted.total()
    if counted:
        notes.append(
            f"{counted:,} further findings of patterns with over "
            f"{MOST_OF_PATTERN:,} were counted, not kept"
        )
    if suppressed:
        notes.append(_of_suppressed(suppressed))
    if pipeline.ladder.muted:
        notes.append(f"{pipeline.ladder.muted:,} findings of muted templates were not raised")
    if pipeline.late_windows:
        notes.append(
            f"judged on their own: {many(pipeline.late_windows, 'window')} of late records"
        )
    ladder = list(pipeline.ladder.reasons)
    plan = pipeline.plan
    ladder.insert(0, f"windows: by {plan.kind} ({plan.reason})")
    if given.reader.session_reason:
        ladder.insert(1, given.reader.session_reason)
    run = Run(
        title=told.title,
        sources=infos,
        lines=sum(source.stats.lines for source in given.sources.sources),
        lines_learned=told.learned,
        lines_scored=judged,
        windows=pipeline.windows_scored,
        seconds=time.time() - told.started,
        started=_iso(told.started),
        baseline=told.past,
        budget=settings.budget,
        timeline=given.timeline.timeline(),
        ladder=tuple(ladder),
        notes=tuple(notes),
    )
    told.keeper.keep(run, [*raised, *suppressed], pipeline.counted)
    if told.keeper.notes:
        run = run.model_copy(update={"notes": (*run.notes, *told.keeper.notes)})
    least = SEVERITIES.index(settings.severity)

    def shown(those: list[Finding]) -> list[Finding]:
        return ranked([f for f in those if SEVERITIES.index(f.severity) >= least])

    return Result(shown(raised), run, shown(suppressed))


def _of_suppressed(findings: list[Finding]) -> str:
    """How many findings were suppressed, and why, in a sentence."""
    reasons = Counter((f.because or "").split(" ")[0].strip(":") for f in findings)
    words = {"like": "like what was judged benign", "decayed": "decayed unanswered"}
    why = ", ".join(f"{n:,} {words.get(word, word)}" for word, n in reasons.most_common())
    patterns = many(len({f.pattern for f in findings}), "pattern")
    return f"{many(len(findings), 'finding')} of {patterns} suppressed: {why} (--all shows them)"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
