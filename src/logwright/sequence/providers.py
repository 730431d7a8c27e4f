"""Providers: on what ONNX Runtime runs the step graph, chosen from what it says it has.

TensorRT is taken before CUDA, CUDA before the CPU. TensorRT builds an engine per range of shapes,
which takes minutes: so batches are padded to a few sizes (`SIZES`), the range is told beforehand,
and engines are kept in a folder; without such a folder CUDA is taken instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from logwright.errors import SettingsError

__all__ = ["CPU", "CUDA", "SIZES", "TENSORRT", "Choice", "choose", "granted", "padded"]

TENSORRT, CUDA = "TensorrtExecutionProvider", "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
_TITLES = {TENSORRT: "TensorRT", CUDA: "CUDA", CPU: "the CPU, one thread"}

SIZES = (1, 16, 64, 256, 1_024)
"""The sizes to which batches are padded where an engine is built for shapes."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Providers in order of preference, each with its options; the sizes of batches they want, none
    for any; and why, as a sentence."""

    providers: list[tuple[str, dict[str, str]]]
    sizes: tuple[int, ...]
    reason: str


def choose(
    available: Sequence[str],
    shapes: Mapping[str, tuple[int, ...]],
    engines: Path | None = None,
    wanted: str = "auto",
) -> Choice:
    """Choose providers.

    Args:
        available: What ONNX Runtime offers here.
        shapes: The shape per session of each input of the graph.
        engines: The folder in which TensorRT keeps its engines.
        wanted: `auto`, `tensorrt`, `cuda` or `cpu`.

    >>> choose([CPU], {"x": (64,)}).reason
    'The sequence model runs on the CPU, one thread: ONNX Runtime offers no accelerator here.'
    """
    by_word = {"tensorrt": TENSORRT, "cuda": CUDA, "cpu": CPU}
    if wanted not in (*by_word, "auto"):
        raise SettingsError(f"There is no provider {wanted!r}: it is auto, {', '.join(by_word)}")
    if wanted != "auto" and by_word[wanted] not in available:
        offered = ", ".join(word for word, name in by_word.items() if name in available)
        raise SettingsError(f"ONNX Runtime has no {wanted} here: it has {offered or 'nothing'}")
    if wanted == "tensorrt" and engines is None:
        raise SettingsError("TensorRT needs a folder for its engines: name one")
    if wanted == "cpu":
        return _choice([CPU], shapes, engines, "asked for")
    if TENSORRT in available and engines is not None and wanted != "cuda":
        why = "asked for" if wanted == "tensorrt" else "the fastest that ONNX Runtime offers here"
        return _choice([TENSORRT, CUDA, CPU], shapes, engines, why)
    if CUDA in available:
        why = "ONNX Runtime offers no TensorRT here"
        if TENSORRT in available:
            why = "TensorRT has no folder to keep its engines in"
        return _choice([CUDA, CPU], shapes, None, "asked for" if wanted == "cuda" else why)
    return _choice([CPU], shapes, None, "ONNX Runtime offers no accelerator here")


def granted(choice: Choice, got: Sequence[str]) -> Choice:
    """What came of a choice: ONNX Runtime passes over a provider whose libraries are not there.

    >>> wanted = choose([CUDA, CPU], {"x": (64,)})
    >>> granted(wanted, [CPU]).reason
    'The sequence model runs on the CPU, one thread: CUDA is offered but could not be started.'
    """
    first = choice.providers[0][0]
    if not got or got[0] == first:
        return choice
    why = f"{_TITLES[first]} is offered but could not be started"
    kept = [pair for pair in choice.providers if pair[0] in got]
    return Choice(kept, choice.sizes if got[0] == TENSORRT else (), _sentence(got[0], why))


def padded(number: int, sizes: Sequence[int]) -> int:
    """The size to which a batch of `number` is padded; itself where no size is that large.

    >>> padded(17, SIZES), padded(5_000, SIZES), padded(17, ())
    (64, 5000, 17)
    """
    return next((size for size in sizes if size >= number), number)


def _sentence(provider: str, why: str) -> str:
    return f"The sequence model runs on {_TITLES[provider]}: {why}."


def _choice(
    names: Sequence[str], shapes: Mapping[str, tuple[int, ...]], engines: Path | None, why: str
) -> Choice:
    options: dict[str, dict[str, str]] = {TENSORRT: {}, CUDA: {"use_tf32": "0"}, CPU: {}}
    if engines is not None:
        options[TENSORRT] = {
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": str(engines),
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": str(engines),
            "trt_profile_min_shapes": _profile(shapes, SIZES[0]),
            "trt_profile_opt_shapes": _profile(shapes, SIZES[2]),
            "trt_profile_max_shapes": _profile(shapes, SIZES[-1]),
        }
    sizes = SIZES if names[0] == TENSORRT else ()
    return Choice([(n, options[n]) for n in names], sizes, _sentence(names[0], why))


def _profile(shapes: Mapping[str, tuple[int, ...]], size: int) -> str:
    return ",".join(
        f"{name}:{'x'.join(map(str, (size, *shape)))}" for name, shape in shapes.items()
    )
