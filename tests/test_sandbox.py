"""The sandbox: right answers for harmless rules, and nothing at all for hostile ones."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks import ATTACKS, FENCE_DOWN, Attack
from logwright.rules.language import plain
from logwright.rules.sandbox import child as sandbox_child
from logwright.rules.sandbox import confine, sandbox
from logwright.rules.sandbox.sandbox import Failure, Sandbox

pytestmark = pytest.mark.slow

SECONDS = 0.1
HARMLESS = "def rule(w):\n    return any('full' in line.text for line in w.lines)\n"


def line(text: str, **fields: Any) -> dict[str, Any]:
    given = {"ts": 0.0, "level": 0, "template": "", "params": [], "component": "", "host": ""}
    return {"text": text} | given | fields


FULL = {"key": "a", "lines": [line("up"), line("disk full")]}
QUIET = {"key": "b", "lines": [line("up")]}


@dataclass
class Target:
    """What attacks aim at: a canary file alone in a folder, and two sockets nobody may reach."""

    folder: Path
    tcp: socket.socket
    udp: socket.socket

    @property
    def canary(self) -> Path:
        return self.folder / "canary.txt"

    def aimed(self, attack: Attack) -> str:
        return attack.aimed(
            CANARY=self.canary,
            FOLDER=self.folder,
            PORT=self.tcp.getsockname()[1],
            UDP=self.udp.getsockname()[1],
            PARENT=os.getpid(),
        )

    def state(self) -> dict[str, Any]:
        """All that an attack could have changed, as far as the file system shows it."""
        return {p.name: (p.read_text(), p.stat().st_mode, p.stat().st_mtime_ns)
                for p in self.folder.iterdir()}  # fmt: skip

    def reached(self) -> bool:
        """Whether anything came in on either socket."""
        for read in (self.tcp.accept, lambda: self.udp.recv(9)):
            try:
                read()
            except BlockingIOError:
                continue
            return True
        return False


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("target")
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        for one in (tcp, udp):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        tcp.listen()
        target = Target(folder, tcp, udp)
        target.canary.write_text("canary")
        for path in (folder, target.canary):  # so that being another user is no protection here
            path.chmod(0o777)
        yield target


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", "canary")
        with Sandbox(seconds=SECONDS) as box:
            box.load("harmless", HARMLESS)
            yield box


def locked(box: Sandbox) -> None:
    if any(name.startswith(("Landlock", "seccomp")) for name in box.missing):
        pytest.skip(f"this machine lacks: {'; '.join(box.missing)}")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_without_gate_has_no_effect(attack: Attack, target: Target, box: Sandbox) -> None:
    locked(box)
    source = target.aimed(attack)
    # What takes time or memory does so in both forms; once is enough.
    forms = [source] if attack.wants in ("forever", "memory") else [source, FENCE_DOWN + source]
    if attack.wants in ("forever", "memory") and ("import" in source or "__base__" in source):
        forms = [FENCE_DOWN + source]
    before = target.state()
    for form in forms:
        start = time.monotonic()
        refused = box.load("attack", form)
        [answer] = box.run("attack", [FULL])
        assert time.monotonic() - start < 20 * SECONDS
        assert refused is None or answer == refused
        if attack.wants != "forge":  # that one may answer for itself as it likes
            assert answer is not True
        if attack.wants in ("forever", "memory", "crash"):
            assert isinstance(answer, Failure)
        assert not target.reached()
        assert target.state() == before
        assert box.run("harmless", [FULL, QUIET]) == [True, False]


def test_attacks_are_many_and_each_kind_is_tried() -> None:
    assert len(ATTACKS) >= 60
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    tried = Counter(attack.wants for attack in ATTACKS)
    kinds = ("read", "write", "connect", "fork", "signal", "forever", "memory", "crash", "forge")
    assert set(tried) == set(kinds)
    assert min(tried.values()) >= 5


def test_attacks_would_succeed_in_an_open_process(target: Target) -> None:
    """The list has teeth: outside the sandbox most of what reads does learn the canary."""
    sources = [FENCE_DOWN + target.aimed(a) for a in ATTACKS if a.wants == "read"]
    script = """
import json, sys
from logwright.rules.language import plain
won = 0
for source in json.load(sys.stdin):
    scope = {"__builtins__": dict(plain.NAMES)}
    try:
        exec(source, scope)
        won += scope["rule"](plain.Window([])) is True
    except BaseException as error:
        print(source, repr(error), file=sys.stderr)
print(won)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(sources), capture_output=True, text=True
    )
    assert int(done.stdout) > len(sources) // 2


def test_what_a_failure_says(box: Sandbox) -> None:
    assert box.load("bad", "def rule(w:\n  x") == Failure(
        "error", "the rule failed in line 1: SyntaxError: '(' was never closed"
    )
    box.load("zero", "def rule(w):\n    n = 0\n    return 1 / n > 0")
    said = "the rule failed in line 3: ZeroDivisionError: division by zero"
    assert box.run("zero", [QUIET]) == [Failure("error", said)]
    box.load("slow", "def rule(w):\n    n = 0\n    while True: n += 1")
    [slow] = box.run("slow", [QUIET])
    assert isinstance(slow, Failure)
    assert (slow.kind, slow.sentence) == ("time", "the rule took longer than 0.1 s in line 3")
    box.load("number", "def rule(w):\n    return 1")
    said = "the rule returned int, not True or False"
    assert box.run("number", [QUIET]) == [Failure("error", said)]
    box.load("terminal", FENCE_DOWN + "def rule(w):\n    raise ValueError('\\x1b[2J\\n')")
    [said_by_rule] = box.run("terminal", [QUIET])
    assert isinstance(said_by_rule, Failure)
    assert said_by_rule.sentence.isprintable()


def test_windows_after_a_kill_are_answered(box: Sandbox) -> None:
    stuck = (
        "def rule(w):\n    return bool(7 ** (10 ** 8) if w.key == 'stuck' else w.key == 'yes')\n"
    )
    box.load("some", FENCE_DOWN + stuck)
    keys = ["yes", "stuck", "no", "yes", "stuck", "yes"]
    answers = box.run("some", [{"key": key, "lines": []} for key in keys])
    kinds = [a.kind if isinstance(a, Failure) else a for a in answers]
    assert kinds == [True, "time", False, True, "time", True]


def test_third_failure_switches_off_until_loaded_again(box: Sandbox) -> None:
    box.load("odd", "def rule(w):\n    return w.key / 1 == 1")
    answers = box.run("odd", [QUIET] * 5)
    assert [isinstance(a, Failure) and "switched off" in a.sentence for a in answers] == (
        [False] * 3 + [True] * 2
    )
    assert "switched off" in str(box.run("odd", [QUIET]))
    box.load("odd", HARMLESS)
    assert box.run("odd", [FULL]) == [True]


def test_memory_is_bounded_as_stated(box: Sandbox) -> None:
    locked(box)
    source = """
def rule(w):
    kept = []
    try:
        while True:
            kept.append(bytearray(1 << 20))
    except MemoryError:
        return 20 < len(kept) < 96
"""
    with Sandbox(memory=96 << 20) as small:
        small.load("hoard", FENCE_DOWN + source)
        assert small.run("hoard", [QUIET]) == [True]


def test_a_window_too_large_to_send_is_a_failure_and_others_are_answered(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_LARGEST", 500)
    large = {"key": "", "lines": [line("x" * 600)]}
    first, second, third = box.run("harmless", [FULL, large, FULL])
    assert (first, third) == (True, True)
    assert isinstance(second, Failure)


def test_an_ended_nursery_is_replaced(box: Sandbox) -> None:
    box.load("other", HARMLESS)
    box._child.kill()
    box._child.wait()
    assert box.run("harmless", [FULL, QUIET]) == [True, False]


texts = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=8)
lines = st.builds(
    line,
    texts | st.sampled_from(["disk full", "full"]),
    ts=st.floats(width=64),
    level=st.integers(0, 7),
    template=texts,
    params=st.lists(texts, max_size=3),
    component=st.sampled_from(["", "a"]),
    host=st.just("h"),
)
windows = st.builds(lambda key, lines: {"key": key, "lines": lines}, texts, st.lists(lines))


@given(window=windows)
def test_a_window_arrives_as_it_was(window: dict[str, Any]) -> None:
    seen = sandbox_child._window(*json.loads(sandbox._columns(window)))
    assert seen.key == window["key"]
    got = [{name: getattr(one, name) for name in plain.FIELDS} for one in seen.lines]
    for one, sent in zip(got, window["lines"], strict=True):
        assert one["ts"] == sent["ts"] or (math.isnan(one["ts"]) and math.isnan(sent["ts"]))
        assert {**one, "ts": 0, "params": list(one["params"])} == {**sent, "ts": 0}


@given(given_windows=st.lists(windows, max_size=12), batch=st.sampled_from([1, 300, 1 << 18]))
def test_answers_are_those_of_the_plain_function(
    box: Sandbox, given_windows: list[dict[str, Any]], batch: int
) -> None:
    source = "def rule(w):\n    return sum(l.level for l in w.lines) > 9 or 'full' in w.key\n"
    scope: dict[str, Any] = {}
    exec(source, scope)  # our own text
    expected = [
        scope["rule"](plain.Window([plain.Line(**one) for one in w["lines"]], w["key"]))
        for w in given_windows
    ]
    if "level" not in box._sources:
        box.load("level", source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_BATCH", batch)
        assert box.run("level", given_windows) == expected


def alone(step: str, attempt: str) -> str:
    """What an attempt ends with in a process that took one protective step only."""
    script = f"""
import errno, os, socket
from logwright.rules.sandbox import confine
try:
    confine.{step}
except OSError as error:
    print("lacking:", error)
    raise SystemExit
try:
    {attempt}
    word = "done"
except OSError as error:
    word = errno.errorcode[error.errno]
except MemoryError:
    word = "memory"
os.write(1, word.encode())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if run.stdout.startswith("lacking"):
        pytest.skip(run.stdout)
    return run.stdout


@pytest.mark.parametrize(
    ("step", "attempt", "ends"),
    [
        ("forbid_files()", "open(os.__file__)", "EACCES"),
        ("filter_calls(1)", "open(os.__file__)", "EPERM"),
        ("filter_calls(1)", "os.fork()", "EPERM"),
        ("filter_calls(1)", "socket.socket()", "EPERM"),
        ("filter_calls(1)", "os.write(2, b'x')", "EPERM"),
        ("limit_resources(256 << 20)", "bytes(1 << 29)", "memory"),
        ("limit_resources(256 << 20)", "os.pipe()", "EMFILE"),
        ("drop_user()", "os.setuid(0)", "EPERM"),
    ],
)
def test_each_protection_holds_alone(step: str, attempt: str, ends: str) -> None:
    assert alone(step, attempt) == ends


def test_without_root_only_the_change_of_user_is_missing(box: Sandbox) -> None:
    locked(box)
    script = """
import json, os
from logwright.rules.sandbox import confine
if os.getuid() == 0:
    os.setresgid(1234, 1234, 1234)
    os.setresuid(1234, 1234, 1234)
os.write(1, json.dumps(confine.confine(256 << 20, 1)).encode())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    active, missing = json.loads(run.stdout)
    assert [name.split(":")[0] for name in active] == ["Landlock", "resource limits", "seccomp"]
    assert [name.split(":")[0] for name in missing] == ["unprivileged user"]


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("drop_user", "limit_resources"):
        monkeypatch.setattr(confine, name, lambda *_: "done")
    monkeypatch.setattr(sys, "platform", "plan9")
    active, missing = confine.confine(1, 3)
    assert [name.split(":")[0] for name in active] == ["unprivileged user", "resource limits"]
    assert missing == ["Landlock: not on plan9", "seccomp: not on plan9"]
