"""A language model as an expert: its word on a question of the review, with its confidence.

As in SeaLog, whose experts may be people or models. The word is an opinion: it is marked as a
model's, a person's word is never overridden by it, and where the evidence holds lines that look
like instructions to a model it is not taken as all-clear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from logwright.llm.chat import Answer, ChatModel
from logwright.llm.guard import Suspicion
from logwright.llm.request import LogText, system, user

__all__ = ["Opinion", "Word", "consult"]

Word = Literal["real", "benign", "expected", "unsure"]

_MAX_TOKENS = 1_000
_MOST_REASON = 600
_TASK = (
    "You judge alarms that were raised on a log. Say real if the lines show a fault or an attack "
    "that someone has to look at, benign if they show normal work, expected if they show something "
    "unusual that is planned (a restart, a deployment, maintenance), and unsure if the lines do "
    "not tell. Give your confidence that the word is right, from 0 to 1, and the reason in at most "
    "three sentences, citing words of the lines. Do not guess: unsure is a good answer."
)


class _Judged(BaseModel):
    """What the model is asked for."""

    reason: str = Field(max_length=4_000)
    verdict: Word
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


@dataclass(frozen=True)
class Opinion:
    """A model's word. Confidence is 0 for `unsure` that comes from no usable answer."""

    verdict: Word
    confidence: float
    reason: str
    suspicious: tuple[Suspicion, ...] = ()


def consult(chat: ChatModel, question: str, lines: Sequence[str]) -> Opinion:
    """The model's opinion on a question of the review, from the lines of its evidence."""
    answer = chat.ask(
        [system(_TASK), user(question, LogText(tuple(lines)))],
        max_tokens=_MAX_TOKENS,
        purpose=f"an opinion on: {question[:80]}",
        schema=_Judged,
    )
    judged = answer.parsed
    if not isinstance(judged, _Judged):
        return Opinion("unsure", 0.0, _why_not(answer), answer.suspicious)
    reason = judged.reason[:_MOST_REASON]
    if answer.suspicious and judged.verdict in ("benign", "expected"):
        told = f"The evidence holds lines that look like instructions to a model. It said: {reason}"
        return Opinion("unsure", 0.0, told, answer.suspicious)
    return Opinion(judged.verdict, judged.confidence, reason, answer.suspicious)


def _why_not(answer: Answer) -> str:
    told = {
        "refused": "The model refused to answer.",
        "empty": "The model answered with nothing.",
        "cut": "The answer was cut off at its limit of tokens.",
        "misfit": "The answer does not have the form that was asked for.",
    }
    return told.get(answer.problem or "misfit", told["misfit"])
