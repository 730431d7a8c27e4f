"""The model folder: written whole, read back the same, refused with a sentence when it is not."""

from __future__ import annotations

import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import logwright as lw
from logwright.bundle import MODEL_FORMAT
from logwright.errors import ModelError
from logwright.findings.finding import Finding
from logwright.intake import Intake
from logwright.learning import learn_ladder, plan_of
from logwright.model import Model
from logwright.settings import load_settings
from logwright.templates.edits import MergeEdit, MuteEdit, NameEdit
from logwright.templates.miner import Miner

START = datetime(2024, 5, 1, tzinfo=UTC)


def at(second: float, message: str, level: str = "INFO") -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S},000 {level} app: {message}\n"


def traffic(first: int, minutes: int, seed: int = 1) -> list[str]:
    """Two to four lines a minute, in three statements."""
    rng = random.Random(seed)
    out = []
    for minute in range(first, first + minutes):
        out.append(at(60 * minute, f"heartbeat {minute} ok"))
        out.append(at(60 * minute + 20, f"job {rng.randrange(9999)} done in {rng.random():.3f} s"))
        if rng.random() < 0.5:
            out.append(at(60 * minute + 40, f"user u{rng.randrange(10**8)} logged in"))
    return out


HISTORY = "".join(traffic(0, 1500))


def today() -> str:
    lines = traffic(2000, 300, seed=2)
    lines.insert(200, at(60 * 2080, "disk full on /var/data7", "ERROR"))
    lines[500:500] = [at(60 * 2200 + 5, f"job {n} done in 1.5 s") for n in range(200)]
    return "".join(lines)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs and a saved model, to be copied or read only."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "history.log").write_text(HISTORY)
    (folder / "today.log").write_text(today())
    lw.learn(str(folder / "history.log"), timezone="UTC").save(folder / "model")
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "model", tmp_path / "model"))


def told(findings: list[Finding]) -> list[str]:
    return [f.model_dump_json() for f in findings]


def test_a_loaded_model_finds_what_the_learned_one_found(made: Path) -> None:
    log = str(made / "today.log")
    learned = lw.learn(str(made / "history.log"))
    found = told(learned.detect(log))
    assert len(found) >= 2
    assert told(lw.load(str(made / "model")).detect(log)) == found


def test_detecting_does_not_change_a_model(made: Path, tmp_path: Path) -> None:
    log = tmp_path / "quiet.log"
    lines = traffic(2000, 300, seed=2)
    log.write_text("".join(line for line in lines if "heartbeat" not in line))
    learned, loaded = lw.learn(str(made / "history.log")), lw.load(str(made / "model"))
    found = told(loaded.detect(str(log)))
    assert any("vanished: 'heartbeat <*> ok'" in f for f in found)
    assert told(learned.detect(str(log))) == found
    assert told(learned.detect(str(log))) == found
    assert told(loaded.detect(str(log))) == found


def test_saving_a_loaded_model_changes_nothing(made: Path, tmp_path: Path) -> None:
    lw.load(str(made / "model")).save(tmp_path / "again")
    first = json.loads((made / "model" / "manifest.json").read_text())
    again = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert again == first
    log = str(made / "today.log")
    assert told(lw.load(str(tmp_path / "again")).detect(log)) == told(
        lw.load(str(made / "model")).detect(log)
    )


def test_learning_the_same_history_gives_the_same_files(made: Path, tmp_path: Path) -> None:
    lw.learn(str(made / "history.log"), block_bytes=8192).save(tmp_path / "again")
    first = json.loads((made / "model" / "manifest.json").read_text())["sha256"]
    again = json.loads((tmp_path / "again" / "manifest.json").read_text())["sha256"]
    assert again == first


def test_the_folder_holds_what_it_says_and_no_pickle(model: Path) -> None:
    files = {str(p.relative_to(model)) for p in model.rglob("*") if p.is_file()}
    hashed = set(json.loads((model / "manifest.json").read_text())["sha256"])
    assert files == hashed | {"manifest.json"}
    assert {"templates.parquet", "thresholds.json", "card.md"} <= files
    assert {Path(f).suffix for f in files} == {".json", ".parquet", ".md"}
    card = (model / "card.md").read_text()
    assert f"Learned from {HISTORY.count(chr(10)):,} lines" in card
    assert "templates: 3" in card


NAMES = [
    "manifest.json",
    "templates.parquet",
    "thresholds.json",
    "card.md",
    "detectors/0-unseen.json",
    "detectors/0-unseen.known.parquet",
    "detectors/1-rate.json",
    "detectors/1-rate.templates.parquet",
    "detectors/2-parameters.json",
    "detectors/2-parameters.slots.parquet",
    "detectors/2-parameters.values.parquet",
]


def test_the_damage_tests_know_all_files(model: Path) -> None:
    assert {str(p.relative_to(model)) for p in model.rglob("*") if p.is_file()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["removed", "cut", "changed", "empty"])
def test_a_damaged_file_is_named(model: Path, name: str, damage: str) -> None:
    path = model / name
    raw = path.read_bytes()
    if damage == "removed":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "changed":
        path.write_bytes(b"\x00" + raw[1:])
    else:
        path.write_bytes(b"")
    with pytest.raises(ModelError) as error:
        lw.load(str(model))
    assert name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("version", [MODEL_FORMAT + 1, "2", None])
def test_a_newer_format_is_refused(model: Path, version: object) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["format"] = version
    (model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="upgrade Logwright, or learn the model again"):
        lw.load(str(model))


@pytest.mark.parametrize("key", ["plan", "history", "settings", "session"])
def test_a_manifest_that_lacks_something_is_refused(model: Path, key: str) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    del manifest[key]
    (model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="not a whole model"):
        lw.load(str(model))


def test_a_manifest_cannot_reach_out_of_its_folder(model: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["sha256"]["../secret"] = "0" * 64
    (model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"\.\./secret is missing"):
        lw.load(str(model))


@pytest.mark.parametrize("name", ["absent", "history.log", "."])
def test_what_is_no_model_is_said(made: Path, name: str) -> None:
    with pytest.raises(ModelError, match=r"is not a model|cannot be read"):
        lw.load(str(made / name))


def test_relearning_into_a_model_keeps_the_users_files(made: Path, model: Path) -> None:
    edits = '{"time":"2024-05-01T00:00:00Z","action":"undo"}\n'
    edits = edits.replace('"undo"', '"mute","shapes":["%s"]' % ("0" * 32)) + edits
    (model / "edits.jsonl").write_text(edits)
    (model / "store.db").write_bytes(b"sqlite")
    (model / "stale.parquet").write_bytes(b"of an older version")
    lw.load(str(made / "model")).save(model)
    assert (model / "edits.jsonl").read_text() == edits
    assert (model / "store.db").read_bytes() == b"sqlite"
    assert not (model / "stale.parquet").exists()
    hashed = json.loads((model / "manifest.json").read_text())["sha256"]
    assert not {"edits.jsonl", "store.db"} & set(hashed)
    lw.load(str(model))
    # Edits may change without making the model a damaged one.
    (model / "edits.jsonl").write_text("")
    lw.load(str(model))
    assert [p.name for p in model.parent.iterdir()] == ["model"]


def test_damaged_edits_are_named_with_their_line(model: Path) -> None:
    (model / "edits.jsonl").write_text("\n{}\n")
    with pytest.raises(ModelError, match=r"edits\.jsonl line 2 is not an edit"):
        lw.load(str(model))


def test_relearning_with_edits_makes_them_native(made: Path, tmp_path: Path) -> None:
    log = str(made / "history.log")
    beat, job, user = (
        next(t for t in lw.load(str(made / "model")).templates if word in t.text)
        for word in ("heartbeat", "job", "user")
    )
    edits = (
        MergeEdit(groups=(tuple(beat.keys), tuple(user.keys))),
        NameEdit(shapes=tuple(beat.keys), name="life"),
        MuteEdit(shapes=tuple(job.keys)),
    )
    settings = load_settings(timezone="UTC")
    given = Intake([log], settings)
    miner = Miner(edits=edits)
    given.read(miner, None)
    vocabulary = given.group(miner)
    plan = plan_of(given)
    ladder = learn_ladder(given, given.recording.rows, plan, vocabulary, exploratory=False)
    given.close()
    Model(miner, ladder, plan).save(tmp_path / "model")
    loaded = lw.load(str(tmp_path / "model"))
    assert loaded.edits == edits
    facts = {(t.name, t.muted): n for t, n in zip(loaded.templates, loaded.counts(), strict=True)}
    assert facts == {
        ("life", False): HISTORY.count("heartbeat") + HISTORY.count("user"),
        (None, True): HISTORY.count("job"),
    }
    assert len(loaded.vocabulary()) == 2
    assert loaded.detect(log) == []
    # And back: without the edits nothing that history held is new.
    (tmp_path / "model" / "edits.jsonl").unlink()
    loaded = lw.load(str(tmp_path / "model"))
    assert len(loaded.templates) == 3
    assert [f.detector for f in loaded.detect(log)] == []


def test_a_folder_that_is_no_model_is_not_touched(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "photos"
    target.mkdir()
    (target / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(ModelError, match="is not a model: choose another folder"):
        lw.load(str(made / "model")).save(target)
    assert [p.name for p in target.rglob("*")] == ["cat.jpg"]
    assert [p.name for p in tmp_path.iterdir()] == ["photos"]


def test_an_empty_folder_and_new_parents_are_taken(made: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "a" / "b" / "model"):
        lw.load(str(made / "model")).save(target)
        lw.load(str(target))


def test_a_failed_save_leaves_the_old_model_whole(
    made: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {p: p.read_bytes() for p in model.rglob("*") if p.is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    loaded = lw.load(str(made / "model"))
    monkeypatch.setattr("logwright.bundle._write_json", full)
    with pytest.raises(ModelError, match="cannot be written: No space left on device"):
        loaded.save(model)
    assert {p: p.read_bytes() for p in model.rglob("*") if p.is_file()} == before
    assert [p.name for p in model.parent.iterdir()] == ["model"]


def everything(folder: Path) -> bytes:
    """All that can be read from a model, tables in clear."""
    parts = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            parts.append(str(pq.read_table(path).to_pylist()).encode())
        elif path.is_file():
            parts.append(path.read_bytes())
    return b"\n".join(parts)


def test_without_exemplars_no_line_is_kept(made: Path, tmp_path: Path) -> None:
    loaded = lw.load(str(made / "model"))
    loaded.settings["exemplars"] = False
    loaded.save(tmp_path / "bare")
    bare, full = everything(tmp_path / "bare"), everything(made / "model")
    values = [line.split(" user ")[1].split()[0] for line in HISTORY.splitlines() if "user" in line]
    assert any(v.encode() in full for v in values)  # exemplars are kept unless told otherwise
    assert not any(v.encode() in bare for v in values)
    found = told(lw.load(str(tmp_path / "bare")).detect(str(made / "today.log")))
    assert found == told(lw.load(str(made / "model")).detect(str(made / "today.log")))


def test_secrets_in_the_log_are_not_in_the_model(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    secrets = ["hunterX", "s3cretpw", "AKIA" + "IOSFODNN7EXAMPLE", "topsecretvalue"]
    log.write_text(
        "".join(
            at(n, f"login password={secrets[0]} ok")
            + at(n, f"connect to postgres://ann:{secrets[1]}@db:5432/x")
            + at(n, f"assume {secrets[2]} for upload")
            + at(n, f"client_secret: {secrets[3]} rotated")
            for n in range(100)
        )
    )
    lw.learn(str(log)).save(tmp_path / "model")
    kept = everything(tmp_path / "model")
    assert b"[redacted " in kept
    assert not [s for s in secrets if s.encode() in kept]


def test_a_model_reads_as_it_learned(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"INFO|web|job {n} done\n" for n in range(200)))
    layout = "<Level>|<Component>|<Content>"
    lw.learn(str(log), format=layout).save(tmp_path / "model")
    loaded = lw.load(str(tmp_path / "model"))
    assert loaded.settings["format"] == layout
    assert loaded.history.lines == 200
    assert loaded.detect(str(log)) == []
    assert [t.text for t in loaded.templates] == ["job <*> done"]
