"""`Pool`: open sessions of a `NeoNetwork`, scored as their events come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.vocabulary import END, FIRST, START
from neo_checkpoint import checkpoint, events, shape

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("transformers", reason="needs the extra train")

from logwright.sequence.backbone import read  # noqa: E402
from logwright.sequence.neo import NeoNetwork  # noqa: E402
from logwright.sequence.network import token_nll  # noqa: E402
from logwright.sequence.pool import Pool  # noqa: E402

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[1] / "scripts" / "measure-neo"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> NeoNetwork:
    folder = checkpoint(tmp_path_factory.mktemp("neo"))
    made = NeoNetwork(events(), shape(), read(folder)).eval()
    # Marks and the event without words begin alike: apart, no rank is a matter of rounding.
    torch.manual_seed(0)
    torch.nn.init.normal_(made.residual, std=0.3)
    torch.nn.init.normal_(made.gaps[1:], std=0.3)
    return made


def whole(network: NeoNetwork, codes: list[int], gaps: list[int]) -> tuple[list[float], list[int]]:
    """What each event and the end score when the session is computed as a whole."""
    given = torch.tensor([[START, *codes]])
    spent = torch.tensor([[0, *gaps]])
    targets = torch.tensor([[*codes, END]])
    with torch.no_grad():
        logits = network(given, spent)
        nll = token_nll(logits, targets, network.learned)
    own = logits.gather(2, targets.unsqueeze(2))
    return nll[0].tolist(), (logits > own).sum(2)[0].tolist()


@given(data=st.data())
def test_mixed_sessions_score_as_whole_ones(network: NeoNetwork, data: st.DataObject) -> None:
    """Also past the reach, past the last position, and in a place used before."""
    pool = Pool(network, 5, data.draw(st.sampled_from([(1,), (2,), (2, 3), (8,)])))
    dice = np.random.default_rng(data.draw(st.integers(0, 100)))
    codes: dict[int, list[int]] = {}
    gaps: dict[int, list[int]] = {}
    found: dict[int, list[tuple[float, int]]] = {}
    for _ in range(data.draw(st.integers(1, 70))):
        some = np.flatnonzero(dice.random(5) < 0.6)
        for place in [p for p in some.tolist() if p not in codes]:
            pool.open(np.array([place]))
            codes[place], gaps[place], found[place] = [], [], []
        came = dice.integers(FIRST, FIRST + 5, len(some)).astype(np.int32)
        spent = dice.integers(0, 16, len(some)).astype(np.int8)
        nll, rank = pool.push(some, came, spent)
        for at, place in enumerate(some.tolist()):
            codes[place].append(int(came[at]))
            gaps[place].append(int(spent[at]))
            found[place].append((float(nll[at]), int(rank[at])))
        if len(some) and dice.random() < 0.1:
            compare(network, pool, int(some[0]), codes, gaps, found)
    for place in list(codes):
        compare(network, pool, place, codes, gaps, found)


def compare(
    network: NeoNetwork,
    pool: Pool,
    place: int,
    codes: dict[int, list[int]],
    gaps: dict[int, list[int]],
    found: dict[int, list[tuple[float, int]]],
) -> None:
    wanted, ranks = whole(network, codes.pop(place), gaps.pop(place))
    end = float(pool.close(np.array([place]))[0])
    got = found.pop(place)
    assert [one for one, _ in got] + [end] == pytest.approx(wanted, abs=1e-3)
    assert [one for _, one in got] == ranks[:-1]


def test_state_is_bounded_and_said(network: NeoNetwork) -> None:
    pool = Pool(network, 100)
    before = pool.state_bytes
    pool.open(np.arange(100))
    for _ in range(30):
        pool.push(np.arange(100), np.full(100, FIRST, np.int32))
    # Keys and values of 8 + 4 + 8 + 4 events of 16 numbers each in float32, and a little more.
    assert before == pool.state_bytes == 101 * (2 * 24 * 16 * 4 + 16 * 4 + 8)


@pytest.mark.parametrize(("sessions", "batches"), [(0, (1,)), (1, ()), (1, (0,))])
def test_a_pool_of_nothing_is_refused(
    network: NeoNetwork, sessions: int, batches: tuple[int, ...]
) -> None:
    with pytest.raises(SettingsError):
        Pool(network, sessions, batches)


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )


def test_the_measurement_says_in_one_sentence_that_there_is_no_accelerator() -> None:
    done = run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "no accelerator" in done.stdout


def test_the_measurement_itself_runs_on_a_toy(tmp_path: Path) -> None:
    done = run("--tiny", "--seconds", "0.1", "--json", str(tmp_path / "rows.json"))
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert done.stdout.count("\n") == len(rows)
    kinds = [row.get("measured", "machine") for row in rows]
    assert kinds[0] == "machine"
    assert sum(kind.startswith("serving, as fast") for kind in kinds) == 2
    assert sum(kind.startswith("training") for kind in kinds) == 3
    waiting = next(row for row in rows if row.get("measured") == "serving, waiting included")
    assert waiting["p50 ms"] <= waiting["p99 ms"]
    assert all(0 < row["share of peak"] < 1 for row in rows if "share of peak" in row)
