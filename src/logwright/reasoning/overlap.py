"""Word overlap of two texts: BLEU-4 (Papineni et al., 2002, by sacrebleu) and ROUGE-1, -2 and -L
(Lin, 2004, by rouge_score), on words split at white space, as R-Log's released code has it.

All values are in [0, 1]. Overlap measures likeness of wording, not truth: a right answer in other
words scores low. Nothing but training rewards and measurement should rest on it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from logwright.errors import MissingExtraError

__all__ = ["Overlap", "overlap"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """F-measures of ROUGE and the sentence BLEU of a text against one reference."""

    bleu: float
    rouge1: float
    rouge2: float
    rouge_l: float

    @property
    def mean(self) -> float:
        """The plain mean of the four, which R-Log's reward rests on."""
        return (self.bleu + self.rouge1 + self.rouge2 + self.rouge_l) / 4


def overlap(text: str, reference: str, smooth: bool = False) -> Overlap:
    """How much of a reference's wording a text has.

    Without `smooth` it is R-Log's: BLEU is 0 as soon as one order of n-grams has no match, so every
    text of under four words gets none. With it, orders that the text is too short for are left out,
    and orders without a match count a little (exponential smoothing: Chen and Cherry, 2014).

    >>> overlap("the disk of node 7 is full", "the disk of node 7 is full")
    Overlap(bleu=1.0, rouge1=1.0, rouge2=1.0, rouge_l=1.0)
    >>> short = "disk full"
    >>> overlap(short, short).bleu, overlap(short, short, smooth=True).bleu
    (0.0, 1.0)
    >>> overlap("", "disk full").mean
    0.0
    """
    if not text.split() or not reference.split():
        return Overlap(0.0, 0.0, 0.0, 0.0)
    rouge = _rouge().score(reference, text)
    # Of a corpus of one: of a sentence it would log each time that `effective_order` is better.
    # Rounded, because sacrebleu's full score is 100.00000000000004.
    bleu = round(_bleu(smooth).corpus_score([text], [[reference]]).score / 100, 12)
    return Overlap(
        bleu, rouge["rouge1"].fmeasure, rouge["rouge2"].fmeasure, rouge["rougeL"].fmeasure
    )


class _Words:
    """What rouge_score asks of a tokenizer; its own one drops everything but letters and digits."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


@functools.cache
def _rouge() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise MissingExtraError("train", "rouge-score") from None
    return RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=_Words())


@functools.cache
def _bleu(smooth: bool) -> Any:
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError:
        raise MissingExtraError("train", "sacrebleu") from None
    return BLEU(tokenize="none", smooth_method="exp" if smooth else "none", effective_order=smooth)
