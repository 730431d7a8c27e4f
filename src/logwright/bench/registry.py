"""Which methods there are, by the word that `--methods` takes; each is imported when it is made."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from logwright.bench.methods.base import Method, Needs
from logwright.bench.parts import LeakError, Train
from logwright.detectors.base import Floats
from logwright.errors import InputError, LogwrightError
from logwright.windows.window import Windows

__all__ = ["METHODS", "Known", "chosen", "own_detector"]

_PACKAGE = "logwright.bench.methods"
_MEMBERS = ("name", "needs", "natural", "fit", "score")
_NEEDS = ("nothing", "normal", "labels")
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Known:
    """A method: where its class is, and what it is made with. `floor`: in every table, whatever is
    asked for; `texts`: only on sets that have texts; `deep`: only where it is asked for."""

    word: str
    place: str
    options: Mapping[str, Any] = field(default_factory=dict)
    floor: bool = False
    texts: bool = False
    deep: bool = False

    def __call__(self) -> Method:
        """A fresh one."""
        module, name = self.place.split(":")
        made = getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)(**self.options)
        return cast(Method, made)


METHODS = (
    Known("flag-all", "floors:FlagAll", floor=True),
    Known("flag-none", "floors:FlagNone", floor=True),
    Known("keywords", "floors:Keywords", floor=True, texts=True),
    Known("unseen-template", "floors:UnseenTemplate", floor=True),
    Known("unseen-length", "floors:UnseenLength", floor=True),
    Known("ladder-make-up", "ours:OurLadder", {"step": "make-up"}),
    Known("ladder", "ours:OurLadder"),
    Known("ladder-as-it-came", "ours:OurLadder", {"needs": "nothing"}),
    Known("judge", "ours:Judged"),
    Known("judge-as-it-came", "ours:Judged", {"needs": "nothing"}),
    Known("ask-once", "ours:AskOnce"),
    Known("ask-once-as-it-came", "ours:AskOnce", {"needs": "nothing"}),
    Known("event-length", "ecvc:EventOrLength", {"looks_at": "event + length"}),
    Known("ecvc", "ecvc:Ecvc"),
    Known("ecvc-idf", "ecvc:Ecvc", {"idf": True}),
    Known("ecvc-combined", "ecvc:Ecvc", {"combined": True}),
    Known("2-gram", "ngram:Bigrams"),
    Known("edit", "edit:EditDistance"),
    Known("pca", "pca:Pca"),
    Known("pca-normal", "pca:Pca", {"needs": "normal"}),
    Known("iforest", "iforest:IsolationForest"),
    Known("ocsvm", "ocsvm:OneClassSvm"),
    Known("logcluster", "logcluster:LogCluster"),
    Known("invariants", "invariants:InvariantsMining"),
    Known("invariants-normal", "invariants:InvariantsMining", {"needs": "normal"}),
    Known("tree", "tree:DecisionTree"),
    Known("forest", "forest:RandomForest"),
    Known("knn", "knn:NearestNeighbour"),
    Known("rules", "rules:InducedRules", deep=True),
    Known("deeplog", "deeplog:DeepLog", deep=True),
)
"""Floors, ours, and peers, in the order of the tables."""


def chosen(words: Sequence[str], texts: bool) -> list[Callable[[], Method]]:
    """The floors and the methods of these words (all but the deep ones where none is given).

    >>> [known.word for known in chosen(["tree"], texts=False)]
    ['flag-all', 'flag-none', 'unseen-template', 'unseen-length', 'tree']
    """
    known = {method.word for method in METHODS}
    for word in words:
        if word not in known:
            raise LogwrightError(
                f"--methods {word}: there is no such method, there are "
                f"{', '.join(method.word for method in METHODS)}"
            )
        if not texts and next(method for method in METHODS if method.word == word).texts:
            raise LogwrightError(
                f"--methods {word}: it reads texts, and this set comes as event numbers alone"
            )
    return [
        method
        for method in METHODS
        if (method.floor or (method.word in words if words else not method.deep))
        and (texts or not method.texts)
    ]


def own_detector(path: Path) -> Callable[[], Method]:
    """The class `Detector` of a user's file, with what `methods.base.Method` has (`seeded` may be
    left out). The file is the user's own code and is run; what it does wrong is told in one
    sentence."""
    if not path.is_file():
        raise InputError(f"--detector {path} is not there")
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"--detector {path}: expected a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    # Data classes look their module up by its name.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the user's
        del sys.modules[spec.name]
        raise LogwrightError(f"--detector {path} cannot be loaded: {_told(error, path)}") from None
    make = getattr(module, "Detector", None)
    if not callable(make):
        raise LogwrightError(f"--detector {path}: expected a class Detector")
    name = _Own(path, make).name
    for method in METHODS:
        if name.casefold() in (method.word, method().name.casefold()):
            raise LogwrightError(
                f"--detector {path}: its name {name!r} is that of a method: give it another one"
            )
    return lambda: _Own(path, make)


class _Own:
    """A user's detector as a method: all that it says and returns is checked."""

    def __init__(self, path: Path, make: Callable[[], Any]) -> None:
        self._path = path
        try:
            self._made = make()
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the user's
            raise self._wrong(f"cannot be made: {_told(error, path)}") from None
        absent = [member for member in _MEMBERS if not hasattr(self._made, member)]
        if absent:
            raise self._wrong(f"has no {', '.join(absent)}")
        self.name: str = self._made.name
        self.needs: Needs = self._made.needs
        self.seeded = bool(getattr(self._made, "seeded", False))
        natural = self._made.natural
        if not isinstance(self.name, str) or not self.name.strip():
            raise self._wrong(f"has the name {self.name!r}: expected a word or two")
        if self.needs not in _NEEDS:
            raise self._wrong(f"has needs {self.needs!r}: expected {', '.join(_NEEDS)}")
        if natural is not None and not _is_number(natural):
            raise self._wrong(f"has natural {natural!r}: expected None, or a number")
        self.natural: float | None = None if natural is None else float(natural)

    def fit(self, train: Train) -> None:
        """Have it learn."""
        self._called("fit", train)

    def score(self, windows: Windows) -> Floats:
        """Its scores, which are finite numbers, one per window."""
        given = self._called("score", windows)
        try:
            scores = np.asarray(given)
        except ValueError:  # lists of several lengths
            scores = np.empty(0, object)
        # Texts like "1.5" are none: they would be turned into numbers silently.
        numbers = scores.dtype.kind in "biuf" and scores.shape == (len(windows),)
        if not numbers or not np.isfinite(scores).all():
            raise self._wrong(
                f"has to give one number per window, {len(windows):,} here, none of them "
                f"infinite or NaN: score() gave {_short(given)}"
            )
        return scores.astype(np.float64)

    def _called(self, member: str, given: object) -> Any:
        try:
            return getattr(self._made, member)(given)
        except LeakError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the user's
            raise self._wrong(f"fails in {member}(): {_told(error, self._path)}") from None

    def _wrong(self, what: str) -> LogwrightError:
        return LogwrightError(f"--detector {self._path}: its Detector {what}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _told(error: Exception, path: Path) -> str:
    """What was raised, and the last line of the user's file that had a part in it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {_short(error)}{where}"


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
