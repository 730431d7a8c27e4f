"""REINFORCE as released: one return a session, spent computing, hardly a change at its rate."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence import reinforce as module  # noqa: E402
from logwright.sequence.reinforce import reinforce  # noqa: E402
from logwright.sequence.rollouts import log_chances  # noqa: E402
from sequence_fakes import course  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["tiny", "recurrent"])
def test_it_spends_its_computing_and_moves_little(kind: str) -> None:
    run = course(kind, steps=10)
    before = {k: v.clone() for k, v in run.network.state_dict().items()}
    reinforce(run)
    assert run.share == 1.0
    assert -1.0 <= run.log[-1].reward <= 1.0
    moved = [float((v - before[k]).abs().max()) for k, v in run.network.state_dict().items()]
    assert 0.0 < max(moved) < 0.01


def test_what_was_drawn_gets_likelier_right_or_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defect that is kept: most draws are praised, so the choice narrows."""
    monkeypatch.setattr(module, "RATE", 0.5)
    run = course(steps=30)
    codes = torch.tensor([[0, 2]])  # after opening, three events are equally likely

    def entropy() -> float:
        with torch.no_grad():
            logged, _ = log_chances(run.network, codes, None)
        return float(-(logged.exp() * logged).sum(-1)[0, -1])

    before = entropy()
    reinforce(run)
    assert entropy() < before - 0.01
