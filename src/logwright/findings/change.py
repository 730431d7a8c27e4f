"""Change: one difference between two sides of a comparison; Diff: all of them, with both sides."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from logwright.findings.finding import SEVERITIES, CitedLine, Severity
from logwright.findings.run import many
from logwright.findings.severity import rank

__all__ = [
    "CHANGE_VERSION",
    "CLEAR",
    "Change",
    "Diff",
    "DiffSide",
    "Kind",
    "rounded",
    "severity_of",
    "summary_of",
]

CHANGE_VERSION = 1
CLEAR = 0.01
"""The chance at or below which a change is clear."""

Kind = Literal["new", "gone", "faster", "slower", "changed"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(_Record):
    """One difference between side A (before) and side B (after)."""

    schema_version: int = CHANGE_VERSION
    kind: Kind = Field(description="'changed': the values of a parameter.")
    severity: Severity
    clear: bool = Field(description="Whether chance is ruled out (`chance` is at most 0.01).")
    chance: float = Field(
        description="Odds of so large a difference anywhere in a comparison of logs that do not "
        "differ; at most 1."
    )
    alone: float = Field(description="The same odds, had nothing else been compared.")
    template: str | None = Field(description="Id of the template; null for all lines together.")
    text: str = Field(description="The template, with `<*>` for parameters.")
    before: int = Field(description="Lines of it on side A.")
    after: int = Field(description="Lines of it on side B.")
    rate_before: float = Field(description="Lines a second on side A, or the share of its lines.")
    rate_after: float = Field(description="The same on side B.")
    ratio: float | None = Field(
        description="Factor between the rates, or of the values that changed; null where a side "
        "has none."
    )
    parameter: int | None = Field(default=None, description="Which `<*>` changed, from 1.")
    measure: str | None = Field(
        default=None,
        description="What changed of it: 'median', '95 % quantile', or the value whose share did.",
    )
    value_before: float | None = Field(default=None, description="The measure on side A.")
    value_after: float | None = Field(default=None, description="The measure on side B.")
    unit: str = Field(default="", description="Unit of the two values.")
    summary: str = Field(description="One sentence.")
    line: CitedLine | None = Field(default=None, description="A line that shows it.")


class DiffSide(_Record):
    """One side: what it is, and how much there is of it."""

    name: str
    lines: int
    templates: int
    first: str | None = Field(default=None, description="ISO 8601 UTC, where there are times.")
    last: str | None = None
    seconds: float | None = Field(default=None, description="Time that its files cover.")


class Diff(_Record):
    """What changed from side `a` to side `b`: `changes`, most telling first.

    `by` says what lines are counted by; `pace` how many times as busy as A side B is, where that
    was taken out of all rates; `common` templates are on both sides; `tested` of them, and of the
    others, come often enough to be told apart, `parameters` were looked at; `not_told` counts
    templates on one side only that need no other reason than chance.
    """

    a: DiffSide
    b: DiffSide
    changes: tuple[Change, ...]
    by: Literal["time", "lines"]
    pace: float = 1.0
    common: int = 0
    tested: int = 0
    parameters: int = 0
    not_told: int = 0
    notes: tuple[str, ...] = ()


def severity_of(kind: Kind, level: int, text: str, clear: bool) -> Severity:
    """How much a change matters: what came, or comes more often, by its level or words; what is
    gone or rarer is no worse than medium, and low where it was bad.

    >>> severity_of("new", 6, "disk full", False), severity_of("gone", 6, "disk full", True)
    ('high', 'low')
    """
    bad = rank(level, [text])
    if kind in ("new", "faster"):
        return SEVERITIES[max(bad, int(clear))]
    return "medium" if clear and (not bad or kind == "changed") else "low"


def summary_of(change: Change) -> str:
    """A change in one sentence."""
    text, before, after = change.text, change.before, change.after
    if change.kind == "changed":
        assert change.value_before is not None
        assert change.value_after is not None
        measure = change.measure
        if change.unit == "%":
            measure = f"share of '{measure}'"
        unit = f" {change.unit}" if change.unit else ""
        values = f"{rounded(change.value_before)} -> {rounded(change.value_after)}{unit}"
        return f"'{text}': {measure} in parameter {change.parameter}: {values}"
    if change.ratio is None:
        side = ("B", "A") if change.kind == "new" else ("A", "B")
        lines = many(before + after, "line")
        return f"{change.kind}: '{text}', {lines} on side {side[0]}, none on side {side[1]}"
    often = "often" if change.kind == "faster" else "rarely"
    times = rounded(max(change.ratio, 1 / change.ratio))
    lines = f"{many(before, 'line')} on side A, {after:,} on side B"
    return f"'{text}' comes {times} times as {often}: {lines}"


def rounded(value: float) -> str:
    """Two or three digits of a number, more only where it is larger.

    >>> rounded(0.01234), rounded(12.34), rounded(1234)
    ('0.012', '12.3', '1,234')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"
