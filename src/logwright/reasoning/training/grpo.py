"""The stage grpo: group-relative policy optimisation (Shao et al., 2024) with the joint reward, as
R-Log's second stage (arXiv 2509.25987). Several replies are drawn to a prompt, and each is made
likelier or not by how its reward compares with that of the others.

Differences from R-Log's run: trl in place of VeRL 0.2; replies are drawn by vLLM where it is
installed and there is a GPU, else by transformers; the reward is `rewards.ours` unless the
configuration says `released`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logwright.reasoning import rewards
from logwright.reasoning.training.configs import GrpoConfig
from logwright.reasoning.training.examples import Example
from logwright.reasoning.training.libraries import Loaded, adapter
from logwright.reasoning.training.measuring import balances
from logwright.reasoning.training.supervised import common

__all__ = ["reward_of", "trainer"]


def reward_of(
    config: GrpoConfig, example: Example, reply: str, balance: rewards.Balance | None
) -> float:
    """What one reply earns."""
    item = example.item
    if config.released:
        return rewards.released(item.task, reply, item.answer, "\n".join(item.lines)).total
    return rewards.ours(item.task, reply, item.answer, item.lines, balance).total


def trainer(config: GrpoConfig, loaded: Loaded, examples: Sequence[Example], work: Path) -> Any:
    """trl's trainer for it."""
    import torch
    from datasets import Dataset
    from trl.trainer.grpo_config import GRPOConfig as TrlConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    weights = balances(examples)

    def joint(completions: list[Any], item: list[int], **_: Any) -> list[float | None]:
        said = [completion[-1]["content"] for completion in completions]
        asked = [examples[number] for number in item]
        return [
            reward_of(config, example, reply, weights.get(example.item.task))
            for example, reply in zip(asked, said, strict=True)
        ]

    with_vllm = torch.cuda.is_available() and importlib.util.find_spec("vllm") is not None
    return GRPOTrainer(
        model=loaded.model,
        reward_funcs=joint,
        args=TrlConfig(
            **common(config, work),
            num_generations=config.rollouts,
            steps_per_generation=config.accumulation * config.draws_ahead,
            temperature=config.temperature,
            max_completion_length=config.reply_tokens,
            beta=config.kl,
            # The mean over all tokens of a batch, as VeRL 0.2 has it: long replies weigh more.
            loss_type="bnpo",
            use_vllm=with_vllm,
            vllm_mode="colocate",
        ),
        train_dataset=Dataset.from_list(
            [{"prompt": e.prompt, "item": number} for number, e in enumerate(examples)]
        ),
        processing_class=loaded.tokenizer,
        peft_config=adapter(config.lora),
    )
