"""`logwright templates`: what it prints, what it changes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import logwright as lw
from logwright.cli.templates import app
from logwright.errors import LogwrightError
from logwright.templates.edits import EDITS, NameEdit, add_edit, read_edits

USERS = ("ann", "bob", "cy", "dot", "eve", "fay")
LINES = [
    *[f"job {n} done\n" for n in range(60)],
    *[f"user {u} logged in\n" for u in USERS for _ in range(2)],
    "disk sda full password=hunter2\n",
    "disk sdb full password=hunter3\n",
    "disk sdb full password=hunter3\n",
]

Call = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "history.log").write_text("".join(LINES))
    lw.learn(str(folder / "history.log")).save(folder / "model")
    return folder


@pytest.fixture
def model(made: Path) -> Path:
    """The model without edits; tests may edit it, one after the other."""
    (made / "model" / EDITS).unlink(missing_ok=True)
    return made / "model"


@pytest.fixture
def templates(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> str:
        command = get_command(app)
        command.main([str(a) for a in arguments], "templates", standalone_mode=False)
        done = capsys.readouterr()
        assert done.err == ""
        return done.out

    return call


def listed(templates: Call, *arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(templates("list", *arguments, "--json"))["templates"]
    return found


def id_of(templates: Call, model: Path, text: str) -> str:
    (found,) = listed(templates, "-m", model, "--match", text)
    return str(found["id"])


def test_list_counts_the_lines_of_history(templates: Call, model: Path) -> None:
    found = listed(templates, "-m", model)
    assert [(t["text"], t["count"], t["shapes"]) for t in found] == [
        ("job <*> done", 60, 1),
        ("user <*> logged in", 12, 6),
        ("disk sdb full password=[redacted secret]", 2, 1),
        ("disk sda full password=[redacted secret]", 1, 1),
    ]
    out = templates("list", "-m", model).splitlines()
    assert out[0].split() == ["ID", "LINES", "SHAPES", "TEXT"]
    assert out[1].split()[1:] == ["60", "1", "job", "<*>", "done"]
    assert len({line.index(t["text"]) for line, t in zip(out[1:], found, strict=True)}) == 1


def test_list_sorts_matches_and_cuts(templates: Call, model: Path) -> None:
    ids = [t["id"] for t in listed(templates, "-m", model, "--sort", "id")]
    assert ids == sorted(ids)
    texts = [t["text"] for t in listed(templates, "-m", model, "--sort", "text")]
    assert texts == sorted(texts)
    assert [t["count"] for t in listed(templates, "-m", model, "--top", 2)] == [60, 12]
    assert [t["count"] for t in listed(templates, "-m", model, "--match", "^disk sd.")] == [2, 1]
    with pytest.raises(LogwrightError, match=r"--match \(: not a regular expression"):
        templates("list", "-m", model, "--match", "(")


def test_list_of_logs_needs_no_model(templates: Call, model: Path, made: Path) -> None:
    log = made / "history.log"
    assert listed(templates, log) == listed(templates, "-m", model)
    (made / "more.log").write_text("disk sda full password=hunter4\n" * 70)
    assert [t["count"] for t in listed(templates, log, made / "more.log")] == [71, 60, 12, 2]
    for arguments in ([], [log, "-m", model]):
        with pytest.raises(LogwrightError, match="either -m MODEL or names of log files"):
            templates("list", *arguments)


def test_a_name_is_shown_and_found_and_taken_away(templates: Call, model: Path) -> None:
    login = id_of(templates, model, "logged in")
    out = templates("name", login, "login", "-m", model, "--by", "ann").splitlines()
    assert out[0] == "touches 1 template, 12 lines of history"
    assert out[1] == f"named 'login': {login} [login] 'user <*> logged in'"
    assert [t["name"] for t in listed(templates, "-m", model)] == [None, "login", None, None]
    assert "NAME" in templates("list", "-m", model)
    shown = templates("show", "login", "-m", model)
    assert shown.startswith(f"{login}\n")
    assert "name 'login' (6 shapes)" in shown
    assert "by ann" in shown
    assert "has no name now" in templates("name", "login", "", "-m", model)
    with pytest.raises(LogwrightError, match="there is no template 'login'"):
        templates("show", "login", "-m", model)
    with pytest.raises(LogwrightError, match="name: string should have at most 200"):
        templates("name", login, "x" * 201, "-m", model)


def test_show_tells_all_and_no_secret(templates: Call, model: Path) -> None:
    found = json.loads(templates("show", "--json", id_of(templates, model, "in$"), "-m", model))
    assert found["types"] == ["word"]
    assert len(found["shapes"]) == 6
    assert {s["examples"][0] for s in found["shapes"]} == {f"user {u} logged in" for u in USERS}
    assert len(found["aliases"]) == 5
    out = templates("show", found["aliases"][0], "-m", model)  # a former id will do
    assert out.startswith(f"{found['id']}\n")
    assert "lines    12 of history" in out
    for template in listed(templates, "-m", model):
        assert "hunter" not in templates("show", template["id"], "-m", model)


def test_what_may_be_several_is_asked_back(templates: Call, model: Path) -> None:
    with pytest.raises(LogwrightError, match=r"'t-' may be several templates: t-\w+ \(.*\), t-"):
        templates("show", "t-", "-m", model)
    job = id_of(templates, model, "job")
    assert templates("show", job[2:7], "-m", model).startswith(job)
    with pytest.raises(LogwrightError, match="there is no template ''"):
        templates("show", "", "-m", model)


def test_merge_then_split_then_undo(templates: Call, model: Path) -> None:
    before = listed(templates, "-m", model)
    one, two = (t["id"] for t in before if t["text"].startswith("disk"))
    out = templates("merge", one, two, "-m", model).splitlines()
    assert out[0] == "touches 2 templates, 3 lines of history"
    assert out[1].startswith(f"merged: {min(one, two)} 'disk <*> full")
    (merged,) = listed(templates, "-m", model, "--match", "^disk")
    assert (merged["count"], merged["shapes"]) == (3, 2)
    assert templates("show", max(one, two), "-m", model).startswith(merged["id"])  # an alias
    out = templates("split", merged["id"], "--match", "sda", "-m", model)
    assert out.startswith("touches 1 template, 3 lines of history\nsplit: ")
    assert sorted(t["text"] for t in listed(templates, "-m", model)) == sorted(
        t["text"] for t in before
    )
    # Detectors knew them apart before the merge, so they can be counted.
    assert listed(templates, "-m", model) == before
    assert "took back: split (1 shape)" in templates("undo", "-m", model)
    assert listed(templates, "-m", model, "--match", "^disk") == [merged]
    assert "took back: merge of 2 templates" in templates("undo", "-m", model)
    assert listed(templates, "-m", model) == before
    with pytest.raises(LogwrightError, match="has no edit to take back"):
        templates("undo", "-m", model)


def test_what_a_split_divides_is_not_counted_apart(templates: Call, model: Path) -> None:
    login = id_of(templates, model, "logged in")
    shapes = json.loads(templates("show", login, "-m", model, "--json"))["shapes"]
    chosen = [f"--shape={s['key'][:12]}" for s in shapes[:2]]
    done = json.loads(templates("split", login, *chosen, "-m", model, "--json"))
    assert done["edit"]["shapes"] == sorted(s["key"] for s in shapes[:2])
    assert (done["lines"], done["before"]) == (12, [login])
    assert sorted((t["shapes"], t["count"]) for t in done["after"]) == [(2, None), (4, None)]
    out = templates("list", "-m", model, "--match", "logged").splitlines()
    assert [line.split()[1] for line in out[1:]] == ["-", "-"]
    for template in done["after"]:
        shown = templates("show", template["id"], "-m", model)
        assert "not counted apart" in shown
        assert "split (2 shapes)" in shown
    assert "edit" not in templates("show", id_of(templates, model, "job"), "-m", model)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "expected either --shape KEY or --match REGEX"),
        (["--match", "x", "--shape", "0"], "expected either --shape KEY or --match REGEX"),
        (["--match", "zebra"], "finds no example line"),
        (["--match", "logged"], "expected a part of its shapes"),
        (["--shape", "xyz"], "has no shape whose key begins with 'xyz'"),
        (["--shape", ""], "has no shape whose key begins with ''"),
    ],
)
def test_a_split_of_nothing_or_all_is_refused(
    templates: Call, model: Path, arguments: list[str], told: str
) -> None:
    with pytest.raises(LogwrightError, match=told):
        templates("split", id_of(templates, model, "logged in"), *arguments, "-m", model)
    assert read_edits(model) == ()


def test_a_merge_of_one_is_refused(templates: Call, model: Path) -> None:
    job = id_of(templates, model, "job")
    with pytest.raises(LogwrightError, match="two different templates or more"):
        templates("merge", job, job[:8], "-m", model)
    assert read_edits(model) == ()


def test_mute_and_unmute(templates: Call, model: Path) -> None:
    job, login = (id_of(templates, model, text) for text in ("job", "logged in"))
    out = templates("mute", job, login, "-m", model)
    assert out.startswith("touches 2 templates, 72 lines of history\nmuted: ")
    assert [t["muted"] for t in listed(templates, "-m", model)] == [True, True, False, False]
    assert "MUTED" in templates("list", "-m", model)
    assert templates("mute", job, "--unmute", "-m", model).splitlines()[1].startswith("unmuted: ")
    assert [t["muted"] for t in listed(templates, "-m", model)] == [False, True, False, False]


def test_orphans_are_listed(templates: Call, model: Path) -> None:
    add_edit(model, NameEdit(shapes=("ab" * 16,), name="gone"))
    out = templates("list", "-m", model)
    assert "1 edit of templates that the model does not hold:\n  name 'gone' (1 shape), 2" in out
    orphans = json.loads(templates("list", "-m", model, "--json"))["orphans"]
    assert [(o["action"], o["name"], o["shapes"]) for o in orphans] == [
        ("name", "gone", ["ab" * 16])
    ]


def test_what_is_shown_is_harmless(templates: Call, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"evil \x1b[31m \xff \xe2\x80\xae text\n" * 30)
    lw.learn(str(log)).save(tmp_path / "model")
    (evil,) = listed(templates, "-m", tmp_path / "model")
    out = templates("name", evil["id"], "\x1b[31mred", "-m", tmp_path / "model")
    out += templates("list", "-m", tmp_path / "model")
    out += templates("list", log)
    out += templates("show", evil["id"], "-m", tmp_path / "model")
    assert "\\x1b[31mred" in out
    assert all(char.isprintable() or char == "\n" for char in out)


def test_without_exemplars_there_is_nothing_to_match(templates: Call, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("took 5 ms\ntook  6 ms\n" * 30)
    lw.learn(str(log), exemplars=False).save(tmp_path / "model")
    (took,) = listed(templates, "-m", tmp_path / "model")
    assert "took <*> ms" in templates("show", took["id"], "-m", tmp_path / "model")
    with pytest.raises(LogwrightError, match="finds no example line"):
        templates("split", took["id"], "--match", "5", "-m", tmp_path / "model")
