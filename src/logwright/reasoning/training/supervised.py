"""Supervised training on replies, by trl: what the stages plan and steps share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logwright.reasoning.training.configs import StageConfig
from logwright.reasoning.training.examples import Example
from logwright.reasoning.training.libraries import Loaded, adapter

__all__ = ["common", "trainer"]


def common(config: StageConfig, work: Path) -> dict[str, Any]:
    """What trl is told in every stage. `work` is where checkpoints go."""
    import torch

    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(work),
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup,
        "num_train_epochs": config.epochs,
        "max_steps": config.steps or -1,
        "per_device_train_batch_size": config.batch,
        "gradient_accumulation_steps": config.accumulation,
        "activation_checkpointing": config.gradient_checkpointing,
        "bf16": on_gpu and torch.cuda.is_bf16_supported(),
        "use_cpu": not on_gpu,
        "dataloader_pin_memory": on_gpu,
        "seed": config.seed,
        "data_seed": config.seed,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "save_total_limit": 2,
        "logging_steps": 10,
        "report_to": "none",
        "disable_tqdm": True,
        "push_to_hub": False,
    }


def trainer(config: StageConfig, loaded: Loaded, examples: Sequence[Example], work: Path) -> Any:
    """trl's trainer for it; the loss is that of the replies alone."""
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    rows = [
        {"prompt": e.prompt, "completion": [{"role": "assistant", "content": e.reply}]}
        for e in examples
    ]
    return SFTTrainer(
        model=loaded.model,
        args=SFTConfig(
            **common(config, work),
            max_length=config.most_tokens,
            completion_only_loss=True,
            packing=False,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=loaded.tokenizer,
        peft_config=adapter(config.lora),
    )
