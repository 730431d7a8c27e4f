"""The stage preference: DPO (Rafailov et al., 2023) on pairs from the model's own mistakes, as
LogReasoner (arXiv 2509.20798) calibrates steps. The reference is the model the stage began from:
read again from its folder, or with LoRA the same weights without the updates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logwright.reasoning.training.configs import PreferenceConfig
from logwright.reasoning.training.examples import Example
from logwright.reasoning.training.libraries import Loaded, adapter
from logwright.reasoning.training.pairs import Found, Pair, own_mistakes
from logwright.reasoning.training.replies import Messages, replies
from logwright.reasoning.training.supervised import common

__all__ = ["find_pairs", "trainer"]


def find_pairs(config: PreferenceConfig, loaded: Loaded, examples: Sequence[Example]) -> Found:
    """The model answers every training prompt; what it gets wrong is corrected and paired.

    Answers are drawn, not the likeliest: what a model would seldom say wrong is a mistake as well.
    """

    def draw(conversations: Sequence[Messages], attempt: int) -> list[str]:
        return replies(
            loaded,
            conversations,
            config.reply_tokens,
            config.batch * config.accumulation,
            config.temperature,
            # Each attempt draws anew, and every run of a seed draws the same.
            seed=config.seed * 1000 + attempt,
        )

    first = draw([example.prompt for example in examples], 0)
    retry = None
    if config.corrector == "self":

        def retry(again: Sequence[Messages], attempt: int) -> list[str]:
            return draw(again, attempt + 1)

    return own_mistakes(examples, first, retry, config.attempts)


def trainer(config: PreferenceConfig, loaded: Loaded, pairs: Sequence[Pair], work: Path) -> Any:
    """trl's trainer for it."""
    from datasets import Dataset
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    def said(text: str) -> Messages:
        return [{"role": "assistant", "content": text}]

    rows = [
        {"prompt": p.prompt, "chosen": said(p.chosen), "rejected": said(p.rejected)} for p in pairs
    ]
    return DPOTrainer(
        model=loaded.model,
        args=DPOConfig(
            **common(config, work),
            max_length=config.most_tokens,
            beta=config.beta,
            loss_type=["sigmoid", "sft"],
            loss_weights=[1.0, config.anchor],
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=loaded.tokenizer,
        peft_config=adapter(config.lora),
    )
