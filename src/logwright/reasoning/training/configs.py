"""The configuration of each stage of training, as numbers; needs no torch.

The defaults of `StepsConfig` and `GrpoConfig` are R-Log's (arXiv 2509.25987: its README, and
`model_train.sh`); LogReasoner (arXiv 2509.20798) publishes none, so those of `PlanConfig` and
`PreferenceConfig` are ours, after R-Log's cold start and DPO (Rafailov et al., 2023).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

from logwright.errors import SettingsError

__all__ = [
    "CONFIGS",
    "Corrector",
    "GrpoConfig",
    "LoraShape",
    "PlanConfig",
    "PreferenceConfig",
    "StageConfig",
    "StageName",
    "StepsConfig",
]

StageName = Literal["plan", "steps", "preference", "grpo"]
Corrector = Literal["teacher", "self"]


@dataclass(frozen=True, slots=True)
class LoraShape:
    """Low-rank updates (Hu et al., 2021) of every linear layer; merged when the stage is done."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0


@dataclass(frozen=True)
class StageConfig:
    """What all stages have.

    `batch` x `accumulation` examples make an update. Texts of more than `most_tokens`, prompt and
    reply, are left out and counted: a text cut in the middle would teach to stop there.
    `reply_tokens` is the longest reply wherever the model writes one, measurement included.
    """

    stage: ClassVar[StageName]

    learning_rate: float = 2e-5
    epochs: float = 6.0
    steps: int = 0
    """Updates; 0: as many as `epochs` make."""
    batch: int = 2
    accumulation: int = 8
    most_tokens: int = 2048
    reply_tokens: int = 1000
    warmup: float = 0.0
    """Share of the updates over which the learning rate rises."""
    schedule: str = "cosine"
    gradient_checkpointing: bool = True
    save_every: int = 50
    """Updates between checkpoints."""
    seed: int = 0
    lora: LoraShape | None = None

    def __post_init__(self) -> None:
        for name in ("learning_rate", "batch", "accumulation", "most_tokens", "reply_tokens"):
            _above_zero(self, name)
        _above_zero(self, "save_every")
        if self.steps <= 0 and self.epochs <= 0:
            raise SettingsError(f"{self.stage}.epochs is {self.epochs}: expected more than 0")

    def told(self) -> dict[str, Any]:
        """As JSON.

        >>> PlanConfig(steps=5).told()["stage"], PlanConfig(steps=5).told()["steps"]
        ('plan', 5)
        """
        return {"stage": self.stage, **asdict(self)}


def _above_zero(config: StageConfig, name: str) -> None:
    value = getattr(config, name)
    if not value > 0:
        raise SettingsError(f"{config.stage}.{name} is {value}: expected more than 0")


@dataclass(frozen=True)
class PlanConfig(StageConfig):
    """Supervised: given a task and lines, write the coarse plan (LogReasoner's first stage)."""

    stage: ClassVar[StageName] = "plan"

    epochs: float = 3.0


@dataclass(frozen=True)
class StepsConfig(StageConfig):
    """Supervised: given a task and lines, write the stepwise answer (R-Log's cold start)."""

    stage: ClassVar[StageName] = "steps"


@dataclass(frozen=True)
class PreferenceConfig(StageConfig):
    """DPO: prefer the corrected answer to the model's own mistake (LogReasoner's second stage).

    `corrector` is who corrects: the teacher, by the trajectory's own answer, or the model itself,
    which is told what the check found and tries again up to `attempts` times at `temperature`.
    """

    stage: ClassVar[StageName] = "preference"

    learning_rate: float = 5e-7
    epochs: float = 3.0
    beta: float = 0.1
    """How dear it is to leave the reference model."""
    anchor: float = 1.0
    """Weight of the likelihood of what is chosen (RPO: Pang et al., 2024). Without it DPO may make
    both sides unlikely, the right quotes included."""
    corrector: Corrector = "teacher"
    attempts: int = 4
    temperature: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta", "attempts", "temperature"):
            _above_zero(self, name)


@dataclass(frozen=True)
class GrpoConfig(StageConfig):
    """GRPO (Shao et al., 2024) with the joint reward: R-Log's second stage, its settings.

    An update has `batch` x `accumulation` replies, `rollouts` to a prompt: 8 prompts; replies are
    drawn for 16 prompts at once. `kl` is the weight of the distance from the model the stage began
    from, which is read again from its folder.
    """

    stage: ClassVar[StageName] = "grpo"

    learning_rate: float = 4e-7
    epochs: float = 5.0
    batch: int = 8
    accumulation: int = 8
    most_tokens: int = 3000
    rollouts: int = 8
    temperature: float = 0.8
    kl: float = 0.001
    draws_ahead: int = 2
    """Updates that one drawing of replies serves."""
    schedule: str = "constant"
    released: bool = False
    """R-Log's reward term for term, with its defects, to compare with; else ours."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rollouts", "temperature", "draws_ahead"):
            _above_zero(self, name)
        if self.batch * self.accumulation % self.rollouts or self.rollouts < 2:
            raise SettingsError(
                f"grpo.rollouts is {self.rollouts}: expected 2 or more, of which batch x "
                f"accumulation ({self.batch * self.accumulation}) is a multiple"
            )


CONFIGS: dict[str, type[StageConfig]] = {
    config.stage: config for config in (PlanConfig, StepsConfig, PreferenceConfig, GrpoConfig)
}


def known(stage: str) -> set[str]:
    """The names of a stage's settings.

    >>> "kl" in known("grpo"), "kl" in known("plan")
    (True, False)
    """
    return {field.name for field in fields(CONFIGS[stage])}
