"""Providers: chosen from what is there, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.providers import CPU, CUDA, SIZES, TENSORRT, choose, granted, padded

SHAPES = {"x": (64,), "state_0": (4, 31, 16), "seen": ()}


@dataclass
class Session:
    """A session that got what there were libraries for."""

    asked: list[tuple[str, dict[str, str]]]
    libraries: set[str]

    def get_providers(self) -> list[str]:
        return [name for name, _ in self.asked if name in self.libraries]


@pytest.mark.parametrize(
    ("available", "engines", "wanted", "first", "reason"),
    [
        ([CPU], True, "auto", CPU, "no accelerator"),
        ([CUDA, CPU], True, "auto", CUDA, "no TensorRT"),
        ([TENSORRT, CUDA, CPU], True, "auto", TENSORRT, "the fastest"),
        ([TENSORRT, CUDA, CPU], False, "auto", CUDA, "no folder"),
        ([TENSORRT, CUDA, CPU], True, "cuda", CUDA, "asked for"),
        ([TENSORRT, CUDA, CPU], True, "cpu", CPU, "asked for"),
        ([TENSORRT, CUDA, CPU], True, "tensorrt", TENSORRT, "asked for"),
    ],
)
def test_the_best_there_is_or_what_was_asked_for(
    available: list[str], engines: bool, wanted: str, first: str, reason: str
) -> None:
    choice = choose(available, SHAPES, Path("engines") if engines else None, wanted)
    assert choice.providers[0][0] == first
    assert choice.providers[-1][0] == CPU
    assert reason in choice.reason
    assert choice.reason.startswith("The sequence model runs on")
    assert choice.sizes == (SIZES if first == TENSORRT else ())


def test_engines_are_built_once_for_a_range_of_shapes() -> None:
    options = dict(choose([TENSORRT, CUDA, CPU], SHAPES, Path("engines")).providers)[TENSORRT]
    assert options["trt_engine_cache_enable"] == "True"
    assert options["trt_engine_cache_path"] == "engines"
    assert options["trt_profile_min_shapes"] == "x:1x64,state_0:1x4x31x16,seen:1"
    assert options["trt_profile_max_shapes"] == "x:1024x64,state_0:1024x4x31x16,seen:1024"


def test_a_provider_without_its_libraries_is_said_to_be_missing() -> None:
    choice = choose([TENSORRT, CUDA, CPU], SHAPES, Path("engines"))
    got = granted(choice, Session(choice.providers, {CUDA, CPU}).get_providers())
    assert got.providers[0][0] == CUDA
    assert got.sizes == ()
    assert "TensorRT is offered but could not be started" in got.reason
    assert granted(choice, Session(choice.providers, {TENSORRT, CPU}).get_providers()) is choice


@pytest.mark.parametrize(
    ("wanted", "engines", "says"),
    [
        ("cuda", None, "has no cuda here: it has cpu"),
        ("rocm", None, "auto, tensorrt, cuda, cpu"),
        ("tensorrt", None, "has no tensorrt"),
    ],
)
def test_what_is_not_there_is_refused(wanted: str, engines: Path | None, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        choose([CPU], SHAPES, engines, wanted)


def test_an_engine_needs_a_folder() -> None:
    with pytest.raises(SettingsError, match="folder"):
        choose([TENSORRT, CPU], SHAPES, None, "tensorrt")


@given(st.integers(1, 3_000))
def test_padding_is_to_the_next_size(number: int) -> None:
    size = padded(number, SIZES)
    assert size >= number
    assert size in SIZES or number > SIZES[-1]
    assert not any(number <= smaller < size for smaller in SIZES)
    assert padded(number, ()) == number
