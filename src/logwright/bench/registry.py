"""Which methods there are, by the word that `--methods` takes; each is imported when it is made."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from logwright.bench.methods.base import Method
from logwright.errors import InputError, LogwrightError

__all__ = ["METHODS", "Known", "chosen", "own_detector"]

_PACKAGE = "logwright.bench.methods"
_MEMBERS = ("name", "needs", "natural", "fit", "score")
_NEEDS = ("nothing", "normal", "labels")


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
    return [
        method
        for method in METHODS
        if (method.floor or (method.word in words if words else not method.deep))
        and (texts or not method.texts)
    ]


def own_detector(path: Path) -> Callable[[], Method]:
    """The class `Detector` of a user's file, with what `methods.base.Method` has (`seeded` may be
    left out). The file is the user's own code and is run."""
    if not path.is_file():
        raise InputError(f"--detector {path} is not there")
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"--detector {path}: expected a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        make = module.Detector
        made = make()
    except AttributeError as error:
        raise LogwrightError(f"--detector {path}: expected a class Detector: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the user's
        kind = type(error).__name__
        raise LogwrightError(f"--detector {path} cannot be loaded: {kind}: {error}") from None
    absent = [member for member in _MEMBERS if not hasattr(made, member)]
    if absent:
        raise LogwrightError(f"--detector {path}: its Detector has no {', '.join(absent)}")
    if made.needs not in _NEEDS:
        raise LogwrightError(
            f"--detector {path}: needs is {made.needs!r}: expected {', '.join(_NEEDS)}"
        )
    if not hasattr(made, "seeded"):
        make.seeded = False
    return cast(Callable[[], Method], make)
