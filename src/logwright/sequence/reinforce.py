"""REINFORCE as LogGPT's released code does it, kept as a row to compare with.

Of each session the first fifth is given, the network goes on freely, and its ranking of what really
came is judged +1 or -1 at each place. The loss is minus the sum of these rewards times the
log-probability of the whole continuation (Han et al., 2023, arXiv 2309.14482, whose text describes
PPO instead).

Known defects, kept on purpose: one return for a whole session raises the wrong acts of a mostly
right session with the right ones; there is no baseline, so the rewards of an untrained place never
average out; nothing holds the network near the pretrained one. The released code draws by beam
search with sampling and goes by Adam at 1e-6 for up to 20 passes; here draws are plain, and the
rate is `RATE` of the preset's for as much computing as every other way gets.
"""

from __future__ import annotations

import torch

from logwright.sequence.course import BACKWARD, FORWARD, Course
from logwright.sequence.rewards import binary
from logwright.sequence.rollouts import free, log_chances

__all__ = ["RATE", "reinforce"]

RATE = 0.01
"""The learning rate, as a share of the preset's: LogGPT's 1e-6 to its 1e-4."""


def reinforce(course: Course) -> None:
    """Tune a course's network until its computing is spent."""
    course.learn_with(course.preset.rate * RATE)
    while course.going:
        losses, rewards, acts = [], 0.0, 0.0
        for batch in course.draw():
            rollout = free(course.network, batch, course.generator)
            course.spend(rollout.places, 2 * FORWARD)  # drawn one by one, then ranked at once
            acted = rollout.acted
            reward = torch.from_numpy(binary(rollout.ranks, course.yardstick.k)).float() * acted
            chances, _ = log_chances(course.network, rollout.codes, rollout.gaps)
            logged = chances.gather(-1, rollout.acts.unsqueeze(-1)).squeeze(-1) * acted
            # Per session: (sum of rewards) x (sum of log-probabilities), over the events acted.
            losses.append(-(reward.sum(1) * logged.sum(1)).sum())
            course.spend(rollout.places, FORWARD + BACKWARD)
            rewards += float(reward.sum())
            acts += float(acted.sum())
        course.descend(torch.stack(losses).sum() / max(acts, 1.0), rewards / max(acts, 1.0))
