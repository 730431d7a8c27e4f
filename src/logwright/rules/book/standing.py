"""Standing: what people decided about a rule, and how it did in backtests; a rulebook's index.

These are the records of rulebook.json. Texts in them come from people and from logs: escape them
before showing them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from logwright.windows.plan import WindowPlan

__all__ = ["Excuse", "Index", "Move", "Rating", "Standing", "State", "Where"]

State = Literal["draft", "shadow", "active", "retired"]
"""Draft: tried by hand only. Shadow: counts its hits, never alerts. Active: alerts. Retired: kept,
does not run."""

Where = Literal["phrase", "host", "component", "template", "line"]
"""What an exception looks at: whole words of the text, a name in the header, a template's id, or a
condition on `line` in the rule language."""

_Text = Annotated[str, Field(max_length=2000)]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]
_Share = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Move(_Record):
    """A change of state: who, when, from what to what, why."""

    at: AwareDatetime
    by: _Text
    before: Literal["", "draft", "shadow", "active", "retired"]
    after: State
    why: _Text = ""


class Excuse(_Record):
    """An exception: lines that are no reason for the rule to alert."""

    where: Where
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    note: _Text = ""
    by: _Text
    at: AwareDatetime


class Rating(_Record):
    """A backtest: how a rule did on a log. `precision` and `recall` are None without labels; they
    are those of the word "abnormal", for normal rules those of the word "normal". `first` and
    `last` are the times of the first and last window it fires on; `seconds` is what judging with
    this rule alone took for `lines` lines, reading left out."""

    at: AwareDatetime
    hash: _Hash = Field(description="Of the code that was tested.")
    log: _Text
    lines: int = Field(ge=0)
    windows: int = Field(ge=0)
    hits: int = Field(ge=0)
    precision: _Share | None = None
    recall: _Share | None = None
    first: str | None = None
    last: str | None = None
    seconds: float = Field(default=0.0, ge=0)
    alone: int = Field(default=0, ge=0, description="Hits on windows no other rule fires on.")
    near: _Text = Field(default="", description="The rule that shares most of its windows.")
    shared: int = Field(default=0, ge=0, description="Windows shared with that rule.")

    @property
    def speed(self) -> float:
        """Lines per second, 0 where that was not measured."""
        return self.lines / self.seconds if self.seconds else 0.0


class Standing(_Record):
    """What was decided about a rule; `hash` is that of the code it was decided about."""

    state: State = "draft"
    hash: _Hash = ""
    muted: bool = False
    exceptions: tuple[Excuse, ...] = ()
    history: tuple[Move, ...] = ()
    backtests: Annotated[tuple[Rating, ...], Field(max_length=100)] = ()

    def rated(self, rating: Rating) -> Standing:
        """With one backtest more; of very many the oldest goes."""
        return self.model_copy(update={"backtests": (*self.backtests, rating)[-100:]})


class Index(BaseModel):
    """What rulebook.json holds. `plan` and `session` are the windows the rules were made for (None:
    those of the model, or of the log); `revision` counts the changes."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    revision: int = Field(default=0, ge=0)
    plan: WindowPlan | None = None
    session: str | None = None
    rules: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")], Standing] = Field(
        default_factory=dict
    )
