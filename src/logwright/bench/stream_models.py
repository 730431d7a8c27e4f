"""What streams are judged by: a model of the sample's earlier sessions, and a hundred rules.

Its times run as fast as the flow that it will judge, as gaps between lines are part of what is
learned.
"""

from __future__ import annotations

from pathlib import Path

from logwright import api
from logwright.bench.rules_drawn import drawn
from logwright.bench.stream_lines import Flow, gap_of, parts
from logwright.model import Model
from logwright.rules.book.rulebook import Rulebook
from logwright.rules.book.rulefile import Meta, RuleFile
from logwright.settings import Settings

__all__ = ["RULES", "learned", "ruled", "taught"]

RULES = 100

_ENTRY = 1_000
_SHOWN = 20_000
_OFFSET = 10**8  # of ids: no session of history comes again
_SEED = 20_261_123
_STEPS = 400


def learned(data: Path, rate: float, folder: Path, lines: int) -> Path:
    """The folder of a model learned from so many lines, labels unseen; the lines lie beside it."""
    flow = Flow(parts(data)[0], rate, _OFFSET)
    log, model = folder / "history.log", folder / "model"
    with open(log, "wb") as file:
        file.writelines(flow.entries(_ENTRY, lines))
    settings = Settings(session_gap=gap_of(rate), lateness=0)
    api.learn(str(log), settings=settings).save(model)
    return model


def taught(model: Path, log: Path, quick: bool) -> None:
    """Put the sequence step into a model's ladder: the preset `recurrent`."""
    import torch

    from logwright import lessons, training

    torch.set_num_threads(1)
    whole = Model.load(model)
    wish = training.Wish("recurrent", steps=10 if quick else _STEPS)
    history = lessons.history_of([str(log)], whole, Settings())
    whole.ladder.add_sequence(training.train(history, whole, wish, lambda *told: None))
    whole.save(model)


def ruled(log: Path, folder: Path, number: int = RULES) -> Path:
    """A rulebook with so many rules drawn from a log. They run in shadow: they judge every window
    as active ones do, and raise nothing, as many of them hold for most windows."""
    with open(log, encoding="utf-8") as file:
        texts = [next(file).rstrip("\n") for _ in range(_SHOWN)]
    meta = Meta(kind="abnormal", provenance="data")
    book = Rulebook.made(folder)
    rules = drawn(texts, number, _SEED, "words and numbers").items()
    names = book.add([RuleFile(name, meta, rule) for name, rule in rules], "bench", "drawn")
    book.move(names, "shadow", "bench")
    return folder
