"""Edits of templates: replayed on the miner's groups, kept in a file, undone; detectors go on."""

from __future__ import annotations

import json
import os
import random
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import logwright as lw
from logwright.detectors.base import Detector
from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.rate import Rate
from logwright.detectors.unseen import Unseen
from logwright.errors import LogwrightError, ModelError
from logwright.logs.shapes import mask, shape_key
from logwright.templates import edits as edits_module
from logwright.templates.edits import (
    EDITS,
    MOST_SHAPES,
    Edit,
    MergeEdit,
    MuteEdit,
    NameEdit,
    SplitEdit,
    UndoEdit,
    add_edit,
    keys_for_edit,
    read_edits,
)
from logwright.templates.miner import Miner
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

NAMES = b"ann bob cy dot eve fay".split()
LINES = [
    *[b"user %b logged in" % n for n in NAMES],
    *[b"user %b logged in from [%d, 2]" % (n, i) for i, n in enumerate(NAMES)],
    b"took 12 ms",
    b"took  12 ms",
    b"disk sda full",
    b"disk sdb full",
    b"disk full",
    b"",
    b"job 7 done in 3 s",
    b"job x done",
]
NEW = [
    b"user gil logged in",
    b"disk sdc full",
    b"took   3 ms",
    b"wholly new",
    b"user  ann logged in",
]
"""Lines whose shapes history does not hold; some are covered by a template's pattern."""

WHEN = datetime(2024, 5, 1, tzinfo=UTC)


def key_of(line: bytes) -> str:
    return "".join(f"{part:016x}" for part in shape_key(mask(line)))


def keys_of(lines: list[bytes]) -> NDArray[np.uint64]:
    return np.array([shape_key(mask(x)) for x in lines], np.uint64).reshape(-1, 2)


def mined(lines: list[bytes], edits: Any = ()) -> Miner:
    miner = Miner(edits=edits)
    miner.add(keys_of(lines), lines)
    miner.group()
    return miner


def facts(miner: Miner) -> list[tuple[object, ...]]:
    return [
        (t.id, t.text, t.types, t.aliases, tuple(t.keys), t.exemplar, t.name, t.muted)
        for t in miner.templates
    ]


def groups(miner: Miner) -> list[tuple[str, ...]]:
    return [tuple(t.keys) for t in miner.templates]


def of(miner: Miner, line: bytes) -> Template:
    return miner.assign(shape_key(mask(line)), line)


def merge(*lines: bytes) -> MergeEdit:
    return MergeEdit(groups=tuple((key_of(x),) for x in lines))


def split(*lines: bytes) -> SplitEdit:
    return SplitEdit(shapes=tuple(map(key_of, lines)))


def name(line: bytes, text: str) -> NameEdit:
    return NameEdit(shapes=(key_of(line),), name=text)


def mute(line: bytes, on: bool = True) -> MuteEdit:
    return MuteEdit(shapes=(key_of(line),), action="mute" if on else "unmute")


HISTORY = st.lists(st.sampled_from(LINES), min_size=1, max_size=25)
SOME = st.lists(st.sampled_from([*LINES, *NEW]), min_size=1, max_size=5, unique=True)
EDIT = st.one_of(
    SOME.filter(lambda x: len(x) > 1).map(lambda x: merge(*x)),
    SOME.map(lambda x: split(*x)),
    st.tuples(st.sampled_from(LINES), st.sampled_from(["", "a", "b"])).map(lambda x: name(*x)),
    st.tuples(st.sampled_from(LINES), st.booleans()).map(lambda x: mute(*x)),
)
EDITS_OF_USERS = st.lists(EDIT, max_size=6)


# --- what edits do --------------------------------------------------------------------------------


def test_merged_templates_are_one_with_a_common_text() -> None:
    miner = mined(LINES, [merge(b"disk sda full", b"disk sdb full")])
    template = of(miner, b"disk sda full")
    assert template is of(miner, b"disk sdb full")
    assert template.text == "disk <*> full"
    assert template.id == min(of(mined(LINES), x).id for x in (b"disk sda full", b"disk sdb full"))
    assert len(template.aliases) == 1
    # What nobody named is not silenced by it.
    assert of(miner, b"disk sdc full") is not template


def test_lists_stay_lists_in_a_merge() -> None:
    lines = [b"%b 1 to delete b1%b" % (w, b" b2" * n) for w in (b"ask", b"beg") for n in (0, 1, 3)]
    (template,) = mined(lines, [merge(lines[0], lines[3])]).templates
    assert template.text == "<*> <*> to delete <*>"
    assert template.types == ("word", "number", "list")


def test_templates_of_different_build_have_the_text_of_the_one_that_gives_the_id() -> None:
    one, two = b"disk full", b"job 7 done in 3 s"
    template = of(mined(LINES, [merge(one, two)]), one)
    texts = {t.id: t.text for t in mined(LINES).templates}
    assert template.text == texts[template.id]
    assert len(template.keys) == 2


def test_shapes_that_join_one_of_the_merged_later_join_all() -> None:
    edits = [merge(b"user ann logged in", b"disk full")]
    few = [b"user ann logged in", b"disk full"]
    assert len(of(mined(few, edits), b"disk full").keys) == 2
    many = mined([*few, *[b"user %b logged in" % n for n in NAMES]], edits)
    assert len(of(many, b"disk full").keys) == 7
    assert of(many, b"user gil logged in") is of(many, b"disk full")


def test_split_shapes_are_a_template_of_their_own() -> None:
    miner = mined(LINES, [split(b"user ann logged in", b"user bob logged in")])
    new, rest = of(miner, b"user ann logged in"), of(miner, b"user cy logged in")
    assert (len(new.keys), len(rest.keys)) == (2, 4)
    assert new is of(miner, b"user bob logged in")
    assert new.text == rest.text == "user <*> logged in"
    one = of(mined(LINES, [split(b"user ann logged in")]), b"user ann logged in")
    assert one.text == "user ann logged in"


@pytest.mark.parametrize("at", range(len(NAMES)))
def test_what_is_new_goes_to_what_a_split_left_unless_it_reads_like_the_split(at: int) -> None:
    line, other = LINES[at], LINES[(at + 1) % len(NAMES)]
    miner = mined(LINES, [split(line)])
    assert of(miner, b"user gil logged in") is of(miner, other)
    assert of(miner, line.replace(b" ", b"  ", 1)) is of(miner, line) is not of(miner, other)


@pytest.mark.parametrize("lead", ["took 12 ms", "user ann logged in"])
def test_a_split_of_all_shapes_changes_nothing(lead: str) -> None:
    whole = mined(LINES, [name(lead.encode(), "x"), mute(lead.encode())])
    keys = tuple(of(whole, lead.encode()).keys)
    again = mined(LINES, [*whole.edits, SplitEdit(shapes=keys)])
    assert facts(again) == facts(whole)


def test_names_and_mutes_hold_for_the_whole_template() -> None:
    miner = mined(LINES, [name(b"user ann logged in", "login"), mute(b"user bob logged in")])
    template = of(miner, b"user cy logged in")
    assert (template.name, template.muted, template.text) == ("login", True, "user <*> logged in")
    assert sum(t.muted for t in miner.templates) == sum(bool(t.name) for t in miner.templates) == 1
    miner.edit([*miner.edits, name(b"user eve logged in", ""), mute(b"user eve logged in", False)])
    assert facts(miner) == facts(mined(LINES))


def test_a_merge_mutes_nothing_that_was_not() -> None:
    one, two = b"disk sda full", b"disk sdb full"
    assert not of(mined(LINES, [mute(one), merge(one, two)]), one).muted
    assert of(mined(LINES, [mute(one), mute(two), merge(one, two)]), one).muted
    assert of(mined(LINES, [merge(one, two), mute(one)]), two).muted
    # Of what history does not hold, nothing is known.
    assert of(mined(LINES, [mute(one), merge(one, b"wholly new")]), one).muted


def test_a_merge_keeps_the_last_name_and_a_split_leaves_it() -> None:
    one, two = b"disk sda full", b"disk sdb full"
    edits = [name(one, "old"), name(two, "new"), merge(two, one)]
    assert of(mined(LINES, edits), one).name == "new"
    apart = mined(LINES, [*edits, split(one)])
    assert (of(apart, one).name, of(apart, two).name) == (None, "new")


# --- properties -----------------------------------------------------------------------------------


@given(HISTORY, EDITS_OF_USERS)
def test_edits_of_a_loaded_model_give_what_learning_with_them_gives(
    lines: list[bytes], edits: list[Edit]
) -> None:
    native = mined(lines, edits)
    assert facts(Miner.from_table(mined(lines).to_table(), edits=edits)) == facts(native)
    again = Miner.from_table(native.to_table(), edits=edits)
    assert facts(again) == facts(native)
    assert again.learned()[0] == [t.id for t in native.templates]
    assert again.to_table() == native.to_table()
    again.group()
    assert facts(again) == facts(native)
    # The edits are in no table: without them the groups are the miner's own.
    assert facts(Miner.from_table(native.to_table())) == facts(mined(lines))


@given(HISTORY, EDITS_OF_USERS, st.randoms(use_true_random=False))
def test_order_and_batches_of_shapes_do_not_matter(
    lines: list[bytes], edits: list[Edit], rng: random.Random
) -> None:
    batches = Miner(edits=edits)
    for line in rng.sample(lines, len(lines)):
        batches.add(keys_of([line]), [line])
        if rng.random() < 0.2:
            batches.group()
    batches.group()
    assert facts(batches) == facts(mined(lines, edits))


@given(HISTORY, EDITS_OF_USERS, st.lists(SOME, min_size=2, max_size=5), st.randoms())
def test_merges_commute_and_associate(
    lines: list[bytes], before: list[Edit], some: list[list[bytes]], rng: random.Random
) -> None:
    merges = [merge(*x) for x in some if len(x) > 1]
    others = [merge(*x[::-1]) for x in some if len(x) > 1]
    rng.shuffle(others)
    assert facts(mined(lines, before + merges)) == facts(mined(lines, before + others))
    pairs = [merge(x[i], x[i + 1]) for x in some for i in range(len(x) - 1)]
    assert groups(mined(lines, before + merges)) == groups(mined(lines, before + pairs))


@given(HISTORY, EDITS_OF_USERS, st.data())
def test_a_split_merged_again_gives_the_former_groups(
    lines: list[bytes], edits: list[Edit], data: st.DataObject
) -> None:
    held = {key_of(line) for line in lines}
    edits = [e for e in edits if held.issuperset(k.hex() for k in e.shape_keys())]
    before = mined(lines, edits)
    template = data.draw(st.sampled_from(before.templates))
    some = data.draw(st.lists(st.sampled_from(template.keys), min_size=1, unique=True))
    away = SplitEdit(shapes=tuple(some))
    back = MergeEdit(groups=(tuple(some), tuple(template.keys)))
    again = mined(lines, [*edits, away, back])
    assert facts(again) == facts(before)
    assert [of(again, x).id for x in NEW] == [of(before, x).id for x in NEW]


@given(HISTORY, EDITS_OF_USERS)
def test_every_shape_is_in_one_template(lines: list[bytes], edits: list[Edit]) -> None:
    miner = mined(lines, edits)
    members = [k for t in miner.templates for k in t.members]
    assert len(members) == len(set(members)) == len(miner)
    for line, code in zip(lines, miner.of(keys_of(lines)).tolist(), strict=True):
        template = miner.templates[code]
        assert template is of(miner, line)
        assert template.render(template.parameters(line)) == line


@given(HISTORY, EDITS_OF_USERS, st.permutations(NEW))
def test_answers_for_new_shapes_do_not_depend_on_each_other(
    lines: list[bytes], edits: list[Edit], new: list[bytes]
) -> None:
    miner = mined(lines, edits)
    before = facts(miner)
    got = {line: of(miner, line).id for line in new}
    assert got == {line: of(mined(lines, edits), line).id for line in NEW}
    assert facts(miner) == before


# --- detectors go on ------------------------------------------------------------------------------


def vocabulary_of(miner: Miner, lines: list[bytes]) -> tuple[Vocabulary, list[int]]:
    """A fresh vocabulary, and the template index of each line; a line's number is its code."""
    vocabulary = Vocabulary(miner)
    codes = np.arange(len(lines), dtype=np.int32)
    vocabulary.meet_shapes(codes, keys_of(lines), lines)
    return vocabulary, vocabulary.of(codes).tolist()


@given(HISTORY, EDITS_OF_USERS, EDITS_OF_USERS)
def test_what_history_held_stays_known_under_its_hash(
    lines: list[bytes], before: list[Edit], after: list[Edit]
) -> None:
    learned = mined(lines, before)
    loaded = Miner.from_table(learned.to_table(), edits=after)
    assert facts(loaded) == facts(mined(lines, after))
    (then, old), (now, new) = vocabulary_of(learned, lines), vocabulary_of(loaded, lines)
    assert now.hashes[new].tolist() == then.hashes[old].tolist()
    assert len(now) == len(then) == now.known
    # Saved as it is, it is what it was.
    again = Miner.from_table(loaded.to_table(), edits=after)
    assert again.learned()[0] == loaded.learned()[0]
    assert shown(again) == shown(loaded)
    # What is shown is as edited, but for what a split divided.
    for line, at in zip(lines, new, strict=True):
        edited = of(loaded, line)
        if loaded.learned_ids(edited) is not None:
            assert (now.templates[at].id, now.templates[at].name) == (edited.id, edited.name)
            assert now.templates[at].muted == edited.muted


def shown(miner: Miner) -> list[tuple[object, ...]]:
    return [(t.id, t.text, t.name, t.muted) for t in miner.learned()[1]]


def sessions(lines: list[bytes], template: list[int]) -> Windows:
    starts = range(0, len(lines), 3)
    windows = Windows.of_sequences([template[i : i + 3] for i in starts], "session")
    windows.events.ts = np.arange(len(lines), dtype=np.int64) * 60
    return windows


@given(HISTORY, EDITS_OF_USERS, EDITS_OF_USERS)
def test_detectors_score_as_they_learned_whatever_is_edited(
    lines: list[bytes], before: list[Edit], after: list[Edit]
) -> None:
    learned = mined(lines, before)
    then, old = vocabulary_of(learned, lines)
    loaded = Miner.from_table(learned.to_table(), edits=after)
    now, new = vocabulary_of(loaded, lines)
    detectors: list[Detector] = [*map(Counts, UNITS), Unseen("template"), Unseen("bigram"), Rate()]
    for detector in detectors:
        detector.fit(sessions(lines, old), then)
        expected = detector.score(sessions(lines, old), then).tolist()
        fresh = type(detector)()
        fresh.load(detector.save())
        assert fresh.score(sessions(lines, new), now).tolist() == expected


@pytest.mark.parametrize("other", [b"disk full", b"disk sda full", b"took 12 ms", b"job x done"])
def test_a_new_shape_of_a_merged_template_is_judged_by_its_part(other: bytes) -> None:
    plain = mined(LINES)
    loaded = Miner.from_table(plain.to_table())
    loaded.edit([merge(b"user ann logged in", other), name(other, "login")])
    vocabulary, (at,) = vocabulary_of(loaded, [b"user gil logged in"])
    template = vocabulary.templates[at]
    assert at < vocabulary.known
    assert f"t-{vocabulary.hashes[at]:016x}" == of(plain, b"user ann logged in").id
    assert (template.id, template.name) == (of(loaded, other).id, "login")
    assert template.text == "user <*> logged in"
    both = sorted(of(plain, x).id for x in (b"user ann logged in", other))
    assert loaded.learned_ids(of(loaded, other)) == both


@pytest.mark.parametrize("at", range(len(NAMES)))
def test_a_split_is_judged_as_it_was_learned_and_muted_only_whole(at: int) -> None:
    loaded = Miner.from_table(mined(LINES).to_table())
    line, other = LINES[at], LINES[(at + 1) % len(NAMES)]
    loaded.edit([split(line), mute(line)])
    vocabulary, both = vocabulary_of(loaded, [line, other])
    assert both[0] == both[1] < vocabulary.known
    assert vocabulary.templates[both[0]].text == "user <*> logged in"
    assert not vocabulary.templates[both[0]].muted
    assert loaded.learned_ids(of(loaded, line)) is None
    loaded.edit([split(line), mute(line), mute(other)])
    vocabulary, both = vocabulary_of(loaded, [line, other])
    assert vocabulary.templates[both[0]].muted


def test_what_was_learned_merged_is_judged_merged_when_the_edit_goes() -> None:
    one, two = b"disk sda full", b"disk full"
    learned = mined(LINES, [merge(one, two)])
    loaded = Miner.from_table(learned.to_table())
    assert facts(loaded) == facts(mined(LINES))
    vocabulary, both = vocabulary_of(loaded, [one, two])
    assert both[0] == both[1] < vocabulary.known == len(learned.templates)
    assert vocabulary.templates[both[0]].id == of(learned, one).id
    assert [loaded.learned_ids(of(loaded, line)) for line in (one, two)] == [None, None]


def test_ids_in_a_table_are_ids() -> None:
    table = mined(LINES, [merge(b"disk sda full", b"disk full")]).to_table()
    rows = table.to_pylist()
    for row in rows:
        row["learned"] = ["x" for _ in row["learned"]]
    with pytest.raises(ValueError, match="expected ids of templates"):
        Miner.from_table(table.from_pylist(rows, schema=table.schema))


def test_edits_of_shapes_that_history_lacks_wait_for_them() -> None:
    gone = b"wholly new"
    known = of(mined(LINES), b"disk full")
    assert of(mined(LINES, [merge(gone, b"disk full")]), gone).members == known.members
    vocabulary, (at,) = vocabulary_of(mined(LINES, [merge(gone, b"disk full")]), [gone])
    assert at < vocabulary.known
    fresh = of(mined(LINES, [name(gone, "seen before"), mute(gone)]), gone)
    assert (fresh.name, fresh.muted, fresh.text) == ("seen before", True, "wholly new")
    apart = mined(LINES, [split(b"user gil logged in")])
    assert of(apart, b"user gil logged in").keys == [key_of(b"user gil logged in")]
    both = mined(LINES, [merge(gone, b"also new")])
    assert of(both, gone).id == of(both, b"also new").id


def test_an_edit_of_some_known_shapes_applies_to_those() -> None:
    edit = NameEdit(shapes=(key_of(b"wholly new"), key_of(b"disk full")), name="x")
    assert of(mined(LINES, [edit]), b"disk full").name == "x"


# --- the file -------------------------------------------------------------------------------------


@given(EDITS_OF_USERS)
def test_undo_takes_the_last_standing_edit_back(edits: list[Edit]) -> None:
    folder = Path(os.path.realpath(os.curdir))
    (folder / EDITS).unlink(missing_ok=True)
    for edit in edits:
        add_edit(folder, edit)
        add_edit(folder, name(b"disk full", "by mistake"))
        add_edit(folder, UndoEdit(by="ann"))
    assert read_edits(folder) == tuple(edits)
    assert [p.name for p in folder.iterdir() if EDITS in p.name] == [EDITS] * bool(edits)
    for n in range(len(edits), 0, -1):
        add_edit(folder, UndoEdit())
        assert read_edits(folder) == tuple(edits[: n - 1])
    with pytest.raises(LogwrightError, match="no edit to take back"):
        add_edit(folder, UndoEdit())


def test_the_file_is_one_json_object_a_line_in_shape_keys(tmp_path: Path) -> None:
    (tmp_path / EDITS).write_bytes(b"\n")
    add_edit(tmp_path, NameEdit(time=WHEN, by="ann", shapes=("0" * 32,), name="disk full ☃"))
    with open(tmp_path / EDITS, "rb+") as file:
        file.seek(-1, os.SEEK_END)
        file.truncate()  # an editor that ends the file without a newline
    add_edit(tmp_path, MergeEdit(time=WHEN, groups=(("0" * 32,), ("1" * 32,))))
    lines = (tmp_path / EDITS).read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines if line] == [
        {
            "time": "2024-05-01T00:00:00Z",
            "by": "ann",
            "shapes": ["0" * 32],
            "action": "name",
            "name": "disk full ☃",
        },
        {"time": "2024-05-01T00:00:00Z", "groups": [["0" * 32], ["1" * 32]], "action": "merge"},
    ]
    assert len(read_edits(tmp_path)) == 2


def test_a_failed_write_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_edit(tmp_path, name(b"x", "first"))
    before = (tmp_path / EDITS).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ModelError, match=r"edits\.jsonl cannot be written: No space left"):
        add_edit(tmp_path, name(b"x", "second"))
    assert (tmp_path / EDITS).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [EDITS]


GOOD = '{"time":"2024-05-01T00:00:00Z","action":"mute","shapes":["' + "0" * 32 + '"]}'
BAD = [
    b"nonsense",
    b"[]",
    b"\xff\xfe",
    b"{" * 5000,
    b'{"a":' * 5000,
    GOOD.replace("mute", "delete").encode(),
    GOOD.replace("0" * 32, "t-00").encode(),
    GOOD.replace("2024-05-01T00:00:00Z", "yesterday").encode(),
    GOOD.replace("2024-05-01T00:00:00Z", "2024-05-01T00:00:00").encode(),
    GOOD.replace('"mute"', '"mute","extra":1').encode(),
    GOOD.replace('["' + "0" * 32 + '"]', "[]").encode(),
    GOOD.replace('"mute"', '"name"').encode(),
    GOOD.replace('"mute"', '"merge"').encode(),
    GOOD.replace('"mute"', '"mute","by":"%s"' % ("x" * 201)).encode(),
    GOOD.replace(
        '"shapes":', f'"shapes":[{("%r," % ("0" * 32)).replace(chr(39), chr(34)) * 10_000}'
    )
    .replace('["0', '"0', 1)
    .encode(),
    b'{"time":"2024-05-01T00:00:00Z","action":"undo"}\n{"time":"2024-05-01T00:00:00Z","action":"undo"}',
    b'{"time":"2024-05-01T00:00:00Z","action":"merge","groups":[["' + b"0" * 32 + b'"]]}',
    b'"' + b"x" * (1 << 20) + b'"',
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / EDITS).write_bytes(GOOD.encode() + b"\n\n" + bad + b"\n")
    with pytest.raises(ModelError, match=r"edits\.jsonl line [34]\b") as error:
        read_edits(tmp_path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    with pytest.raises(ModelError):
        add_edit(tmp_path, mute(b"x"))
    assert (tmp_path / EDITS).read_bytes().endswith(bad + b"\n")


@given(st.binary(max_size=200))
def test_any_bytes_are_edits_or_one_error(raw: bytes) -> None:
    Path(EDITS).write_bytes(raw)
    with suppress(ModelError):
        assert read_edits(".") == ()


def test_files_that_are_too_large_or_none_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits_module, "_MOST_BYTES", 2048)
    monkeypatch.setattr(edits_module, "_MOST_EDITS", 3)
    (tmp_path / EDITS).write_text((GOOD + "\n") * 4)
    with pytest.raises(ModelError, match="line 4: more than 3 edits"):
        read_edits(tmp_path)
    (tmp_path / EDITS).write_text(" " * 2040)
    with pytest.raises(ModelError, match="is full"):
        add_edit(tmp_path, mute(b"x"))
    (tmp_path / EDITS).write_text(" " * 2049)
    with pytest.raises(ModelError, match="is larger than"):
        read_edits(tmp_path)
    (tmp_path / EDITS).unlink()
    (tmp_path / EDITS).mkdir()
    with pytest.raises(ModelError, match="is not a file"):
        read_edits(tmp_path)
    assert read_edits(tmp_path / "absent") == ()
    with pytest.raises(ModelError, match="cannot be written"):
        add_edit(tmp_path / "absent", mute(b"x"))


def test_an_edit_of_many_shapes_names_the_smallest() -> None:
    many = Template([n.to_bytes(16, "big") for n in range(MOST_SHAPES + 5)])
    assert keys_for_edit([many]) == [tuple(many.keys[:MOST_SHAPES])]
    halves = keys_for_edit([many, many])
    assert MergeEdit(groups=tuple(halves)).groups == (tuple(many.keys[: MOST_SHAPES // 2]),) * 2
    with pytest.raises(ValueError, match="at most"):
        MergeEdit(groups=(tuple(many.keys[:MOST_SHAPES]), tuple(many.keys[:1])))


# --- whole models ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log and its model, to be read only."""
    folder = tmp_path_factory.mktemp("made")
    lines = [f"job {n} done\n" for n in range(60)] + [
        f"user {x.decode()} logged in\n" for x in NAMES
    ]
    (folder / "history.log").write_text("".join(lines * 5) + "disk full\n" + "cpu hot\n")
    lw.learn(str(folder / "history.log")).save(folder / "model")
    return folder


def test_a_model_is_loaded_with_its_edits_and_nothing_becomes_new(
    made: Path, tmp_path: Path
) -> None:
    model = lw.load(str(made / "model"))
    model.save(tmp_path / "model")
    edits = [merge(b"disk full", b"cpu hot"), split(b"user ann logged in"), name(b"cpu hot", "bad")]
    for edit in edits:
        add_edit(tmp_path / "model", edit)
    edited = lw.load(str(tmp_path / "model"))
    assert edited.edits == tuple(edits)
    assert edited.detect(str(made / "history.log")) == []
    counts = {t.text: n for t, n in zip(edited.templates, edited.counts(), strict=True)}
    assert counts["job <*> done"] == 300
    assert sorted(counts.values(), key=str) == [2, 300, None, None]
    # Saved elsewhere it takes its edits along; the target's own are kept.
    edited.save(tmp_path / "copy")
    assert lw.load(str(tmp_path / "copy")).edits == tuple(edits)
    model.save(tmp_path / "copy")
    assert lw.load(str(tmp_path / "copy")).edits == tuple(edits)


def test_orphans_and_mutes_are_told(made: Path) -> None:
    model = lw.load(str(made / "model"))
    assert model.notes() == []
    lost = [name(b"gone", "gone"), merge(b"gone", b"lost")]
    model.miner.edit([lost[0], name(b"disk full", "x"), lost[1], merge(b"gone", b"disk full")])
    assert model.orphans() == lost
    assert "2 edits are of templates that the model does not hold" in model.notes()[0]
    model.miner.edit([lost[0], mute(b"disk full")])
    assert ["1 template muted" in n or "1 edit is of" in n for n in model.notes()] == [True, True]
