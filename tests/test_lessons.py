"""Lessons: history becomes sequences as the model would cut it, or one sentence says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import logwright as lw
from logwright.api import detect
from logwright.errors import InputError
from logwright.feedback.standing import Found
from logwright.findings.verdict import Verdict
from logwright.lessons import LEARNED, LEAST, STOPPED, History, history_of
from logwright.model import Model
from logwright.settings import load_settings
from logwright.store import open_store
from training_logs import request, requests

KEY = r"req-[0-9a-f]+"


def read(model: Model, text: str, folder: Path, **settings: object) -> History:
    log = folder / "history.log"
    log.write_text(text)
    return history_of([str(log)], model, load_settings(**settings))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    log = tmp_path_factory.mktemp("lessons") / "a.log"
    log.write_text(requests(0, 200))
    return lw.learn(str(log), session=KEY, session_gap=20.0)


def test_windows_are_parted_by_time_and_only_the_first_part_is_known(
    model: Model, tmp_path: Path
) -> None:
    late = "".join(request(i, ["begins", "is refused"]) for i in range(190, 200))
    history = read(model, requests(0, 190) + late, tmp_path)
    lesson = history.lesson()
    n = len(history.windows)
    assert n > 180
    sizes = [len(part) for part in (lesson.train, lesson.check, lesson.calibration)]
    assert sizes == [int(n * LEARNED), int(n * STOPPED) - int(n * LEARNED), n - int(n * STOPPED)]
    assert sorted(lesson.events.texts[: lesson.events.known]) == sorted(
        t.text for t in model.templates
    )
    assert lesson.train.events.max() < lesson.events.learned
    refused = [t.text for t in history.vocabulary.templates].index("req-<*> is refused")
    assert (lesson.calibration.events.template == refused).any()
    assert "req-<*> is refused" in lesson.events.texts[lesson.events.known :]


def test_events_are_those_of_the_windows_in_their_order(model: Model, tmp_path: Path) -> None:
    history = read(model, requests(0, 100), tmp_path)
    lesson = history.lesson()
    for i in range(len(lesson.train)):
        span = history.windows.span(i)
        told = [history.vocabulary.templates[t].text for t in history.windows.events.template[span]]
        assert [lesson.events.text(code) for code in lesson.train.one(i).tolist()] == told


def test_suspect_stretches_are_left_out_as_in_learning(model: Model, tmp_path: Path) -> None:
    bad = "".join(
        request(i, ["begins", *["cannot reach the store"] * 20]).replace("INFO", "ERROR")
        for i in range(400, 420)
    )
    text = requests(0, 400) + bad + requests(420, 400)
    healthy, every = (read(model, text, tmp_path, keep_suspect=keep) for keep in (False, True))
    assert any("left out of what is normal" in note for note in healthy.notes)
    texts = [t.text for t in healthy.vocabulary.templates]
    strange = texts.index("req-<*> cannot reach the store")
    assert not (healthy.windows.events.template == strange).any()
    assert (every.windows.events.template == strange).any()


class TestRefused:
    def test_nothing_at_all(self, model: Model, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="holds no lines"):
            read(model, "", tmp_path)

    def test_too_few_sessions(self, model: Model, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=rf"comes to \d+ sessions: {LEAST} at the least"):
            read(model, requests(0, 30), tmp_path)

    def test_sessions_of_one_event(self, model: Model, tmp_path: Path) -> None:
        text = "".join(request(i, ["begins"]) for i in range(100))
        with pytest.raises(InputError, match="one event only: there is no order to learn"):
            read(model, text, tmp_path)

    def test_no_line_of_a_session(self, model: Model, tmp_path: Path) -> None:
        text = "".join(f"2026-01-01T00:00:{i % 60:02}Z INFO beat {i}\n" for i in range(500))
        with pytest.raises(InputError, match="no line of this history belongs to a session"):
            read(model, text, tmp_path)

    def test_another_log_with_the_same_keys(self, model: Model, tmp_path: Path) -> None:
        text = "".join(request(i, ["was seen", "was heard", "was felt"]) for i in range(100))
        with pytest.raises(InputError, match="of templates that the model does not hold"):
            read(model, text, tmp_path)

    def test_few_windows_say_how_to_get_more(self, tmp_path: Path) -> None:
        log = tmp_path / "a.log"
        log.write_text(requests(0, 100))
        tumbling = lw.learn(str(log), session="none", window="100")
        with pytest.raises(InputError, match="smaller --window"):
            history_of([str(log)], tumbling, load_settings())


def test_windows_of_a_fixed_size_are_fine(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(requests(0, 400))
    tumbling = lw.learn(str(log), session="none", window="20")
    history = history_of([str(log)], tumbling, load_settings())
    assert history.kind == "window"
    assert set(history.windows.sizes[:-1].tolist()) == {20}


def test_what_verdicts_say_comes_along_as_a_column(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    model.save(folder)
    held = Model.load(folder)
    log = tmp_path / "history.log"
    odd = [request(i, ["begins", "disk full"]) for i in (60, 61)]
    log.write_text(requests(0, 60) + "".join(odd) + requests(62, 100))
    found = detect([str(log)], held, store=folder / "store.db").findings
    (new,) = [f for f in found if f.detector == "unseen"][:1]
    with open_store(folder / "store.db") as store:
        store.add_entries([Verdict(word="real", subjects=(Found.of(new).subject(),))], [{}])
    history = history_of([str(log)], held, load_settings(keep_suspect=True), verdicts=True)
    assert history.marks is not None
    full = [t.text for t in history.vocabulary.templates].index("req-<*> disk full")
    holds = np.zeros(len(history.windows), bool)
    holds[history.windows.owner[history.windows.events.template == full]] = True
    assert (history.marks[holds] == 1).all()
    assert holds.sum() == 2
    assert (history.marks[~holds] != 1).all()
    lesson = history.lesson()
    assert [lesson.events.text(c) for c in lesson.real.one(0)][-1] == "req-<*> disk full"
    assert len(lesson.real) == 2
    left = len(lesson.train) + len(lesson.check) + len(lesson.calibration)
    assert left == len(history.windows) - 2
