"""The vocabulary: every shape code of a process has its template, by ids that outlive it."""

from __future__ import annotations

import numpy as np

from logwright.logs.kernel import Table
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary

HISTORY = [b"user %s logged in" % name for name in (b"ann", b"bob", b"cy", b"dot")] + [
    b"job %d done",
    b"disk full",
]


class Process:
    """A table of its own, with a vocabulary that other processes may share."""

    def __init__(self, lines: list[bytes]) -> None:
        length = np.array([len(x) for x in lines], np.int64)
        end = np.cumsum(length + 1) - 1
        self.table = Table()
        self.codes, fresh = self.table.encode(b"\n".join(lines), end - length, end)
        self.fresh = self.codes[fresh]
        self.keys = self.table.keys(self.fresh)
        self.contents = [lines[i] for i in fresh.tolist()]


def learned() -> tuple[Miner, Process]:
    process = Process(HISTORY)
    miner = Miner()
    miner.add(process.keys, process.contents)
    miner.group()
    return miner, process


def ids(vocabulary: Vocabulary, codes: np.ndarray) -> list[str]:
    return [vocabulary.templates[t].id for t in vocabulary.of(codes).tolist()]


def test_known_shapes_get_their_templates() -> None:
    miner, process = learned()
    vocabulary = Vocabulary(miner, miner.templates)
    vocabulary.learn_shapes(process.fresh, process.keys)
    found = ids(vocabulary, process.codes)
    assert len(set(found[:4])) == 1
    assert len(set(found)) == len(vocabulary) == vocabulary.known == 3


def test_ids_do_not_depend_on_codes_or_order() -> None:
    miner, _ = learned()
    lines = [*HISTORY, b"new thing", b"user eve logged in", b"another new thing here"]
    forward, backward = Process(lines), Process(lines[::-1])
    told = []
    for process in (forward, backward):
        vocabulary = Vocabulary(miner, miner.templates)
        for at in range(len(process.fresh)):  # one by one: batches do not matter
            one = slice(at, at + 1)
            vocabulary.meet_shapes(process.fresh[one], process.keys[one], process.contents[one])
        told.append(ids(vocabulary, process.codes))
        assert len(vocabulary) == 5
        assert vocabulary.known == 3
    assert told[0] == told[1][::-1]


def test_a_shape_that_a_template_covers_is_not_new() -> None:
    miner, _ = learned()
    process = Process([b"user eve logged in", b"user eve logged out"])
    vocabulary = Vocabulary(miner, miner.templates)
    vocabulary.meet_shapes(process.fresh, process.keys, process.contents)
    covered, new = vocabulary.of(process.codes).tolist()
    assert vocabulary.templates[covered].text == "user <*> logged in"
    assert new == vocabulary.known


def test_meeting_shapes_again_adds_nothing() -> None:
    miner, _ = learned()
    process = Process([b"new thing", b"disk full"])
    vocabulary = Vocabulary(miner, miner.templates)
    for _ in range(3):
        vocabulary.meet_shapes(process.fresh, process.keys, process.contents)
    assert len(vocabulary) == 4
    assert len(miner.templates) == 3  # the model itself learns nothing by detecting


def test_hashes_are_those_of_the_ids_and_grow() -> None:
    miner, _ = learned()
    vocabulary = Vocabulary(miner, miner.templates)
    before = vocabulary.hashes.tolist()
    process = Process([b"new thing"])
    vocabulary.meet_shapes(process.fresh, process.keys, process.contents)
    assert vocabulary.hashes.tolist()[:3] == before
    assert vocabulary.hashes.tolist() == [int(t.id[2:], 16) for t in vocabulary.templates]


def test_many_codes_keep_their_templates_while_the_index_grows() -> None:
    miner, _ = learned()
    lines = [
        bytes(c + 20 for c in b"%06d" % n).translate(bytes.maketrans(b"0", b"g"))
        for n in range(3000)
    ]
    process = Process([b"event " + line for line in lines])
    vocabulary = Vocabulary(miner, miner.templates)
    for at in range(0, len(process.fresh), 100):
        part = slice(at, at + 100)
        vocabulary.meet_shapes(process.fresh[part], process.keys[part], process.contents[part])
    whole = Vocabulary(miner, miner.templates)
    whole.meet_shapes(process.fresh, process.keys, process.contents)
    assert ids(vocabulary, process.codes) == ids(whole, process.codes)
