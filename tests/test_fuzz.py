"""Whatever stands in a file, reading it ends, every line is accounted for, and nothing crashes.

Inputs are samples of all formats, cut, joined, damaged, packed and encoded anew, from a seed. A
failure names the seed and the input: `replay(seed)` makes the same files again.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import faulthandler
import gzip
import json
import lzma
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logwright as lw
from logwright.errors import InputError
from logwright.findings import jsonl
from logwright.findings.terminal import render
from logwright.logs.batch import LineBatch
from logwright.logs.decompress import MAGICS
from logwright.logs.formats import FORMATS
from logwright.logs.reader import Reader
from logwright.logs.redaction import redact
from logwright.logs.sources import open_sources
from logwright.settings import Settings

FILES = 16
"""Inputs that one reader takes, as it takes the files of a folder."""

_SECONDS = 20.0  # for one reader; a hundred times what it takes
_SCANNED = 7  # of so many groups, one is scanned whole, too
_DETECTED = 12  # of so many groups, one is read as what it is found to be, which takes longest
_SAMPLES = Path(__file__).parent / "samples"


def accounted(batches: list[LineBatch]) -> Counter[int]:
    """Physical lines of each source: heads of records, and the lines that are joined to them."""
    lines: Counter[int] = Counter()
    for batch in batches:
        joined = 0 if batch.joined is None else int(batch.joined.sum())
        lines[batch.source_id] += len(batch) + joined + batch.carried
    return lines


_BOMS = {  # the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def physical(data: bytes) -> int:
    """The number of lines in text, which may begin with a byte order mark."""
    for bom, encoding in _BOMS.items():
        if data.startswith(bom):
            text = data.removeprefix(bom) if bom == codecs.BOM_UTF8 else None
            data = data.decode(encoding, "replace").encode() if text is None else text
            break
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


# --- Inputs ---


@dataclass
class Input:
    """A file: what it holds, and its physical lines (None where damage decides)."""

    data: bytes
    lines: int | None
    ending: str = ".log"


def _seeds() -> list[list[bytes]]:
    """Lines of each format and of each sample file."""
    files = sorted(_SAMPLES.glob("*.log")) if _SAMPLES.is_dir() else []
    texts = ["\n".join(f.samples).encode() for f in FORMATS if f.samples]
    texts += [file.read_bytes()[: 16 << 10] for file in files]
    return [text.splitlines(keepends=False) for text in texts]


SEEDS = _seeds()

_ODD = (
    *(b"\0", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b[31m", b"\x1b]0;x\x07"),
    *(b"\r", b"\r\n", b"\n", b"\n\n\n", b"\t", b"\x0b", b"\x0c", b"\x85", "\u2028".encode()),
    *(
        "\u202e".encode(),
        b"%s%n%x",
        b"\\",
        b'"',
        b"'",
        b"{",
        b"}",
        b"[",
        b"<_>",
        b"<*>",
        b"\\u0000",
    ),
    *(b"Traceback (most recent call last):", b"\tat a.b.C.d(C.java:1)", b"Caused by: x", b"    "),
)
_NUMBERS = (
    *(
        b"-1",
        b"0",
        b"-0",
        b"1e309",
        b"-1e309",
        b"NaN",
        b"Infinity",
        b"9" * 19,
        b"9" * 40,
        b"1" * 400,
    ),
    *(b"9223372036854775807", b"-9223372036854775808", b"18446744073709551616", b"0x1F", b"1_000"),
    *(
        b"0000-00-00",
        b"9999-12-31T23:59:60Z",
        b"2024-02-30 25:61:61,999",
        b"1969-12-31",
        b"00",
        b"99",
    ),
)
_JSON = (
    *(b"{}", b"[]", b"null", b"true", b'""', b'{"a":', b'{"msg":"x"}{"msg":"y"}', b'{"a":1,"a":2}'),
    *(b'{"time":-1e400}', b'{"time":1e300,"msg":"x"}', b'{"msg":{"msg":{"msg":[]}}}', b'{"":""}'),
    *(b'{"msg":"\\ud800"}', b'{"msg":"\\u0000\\n"}', b'{"level":{"x":1},"msg":["a"]}', b"[" * 3000),
    *(b'{"a":' * 1500, b'{"time":"now","msg":null,"level":99999999999}', b'{"ts":true,"host":[]}'),
)


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randint(1, 8)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    a, b = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:a] if rng.random() < 0.3 else data[:a] + data[b:]


def _insert(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randint(1, 5)):
        at = rng.randint(0, len(data))
        data[at:at] = rng.choice(_ODD)
    return data


def _random(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randint(0, len(data))
    data[at:at] = rng.randbytes(rng.randint(1, 60))
    return data


def _numbers(data: bytearray, rng: random.Random) -> bytearray:
    """Odd numbers and times in place of some."""
    return bytearray(
        re.sub(
            rb"\d+(?:[-:./T]\d+)*",
            lambda m: rng.choice(_NUMBERS) if rng.random() < 0.2 else m[0],
            bytes(data),
        )
    )


def _lines(data: bytearray, rng: random.Random) -> bytearray:
    """Lines doubled, dropped, swapped, joined, or ended in other ways."""
    lines = bytes(data).split(b"\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        act = rng.randrange(5)
        if act == 0:
            lines[at:at] = [lines[at]] * rng.randint(1, 9)
        elif act == 1 and len(lines) > 1:
            del lines[at]
        elif act == 2:
            lines.insert(at, rng.choice(_JSON))
        elif act == 3:
            rng.shuffle(lines)
        else:
            lines[at] += lines[rng.randrange(len(lines))]
    ends = [b"\n"] if rng.random() < 0.7 else [b"\n", b"\r\n", b"\r", b"\n\n"]
    return bytearray(b"".join(line + rng.choice(ends) for line in lines))


def _mix(data: bytearray, rng: random.Random) -> bytearray:
    """Another format's lines among these."""
    lines = bytes(data).split(b"\n")
    for line in rng.choices(rng.choice(SEEDS), k=rng.randint(1, 6)):
        lines.insert(rng.randint(0, len(lines)), line)
    return bytearray(b"\n".join(lines))


def _long(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randint(0, len(data))
    piece = rng.choice((*_ODD, b"a", b"1", b" ", b"=", b'{"a":', b"a=b ", b"\\x"))
    data[at:at] = piece * rng.choice((70, 300, 2000))
    return data


_MUTATIONS: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    *(_flip, _cut, _insert, _random, _numbers, _lines, _mix),
    *(_flip, _insert, _numbers, _lines, _long),
)


def _packed(text: bytes, rng: random.Random) -> Input:
    """The text compressed, and now and then damaged, cut short or continued by something else."""
    lines: int | None = physical(text)
    kind = rng.choice((".gz", ".zst", ".bz2", ".xz"))
    if kind == ".gz":
        data = gzip.compress(text, 1, mtime=0)
    elif kind == ".zst":
        data = bytes(pa.Codec("zstd").compress(text, asbytes=True))
    else:
        data = bz2.compress(text, 1) if kind == ".bz2" else lzma.compress(text, preset=0)
    act = rng.randrange(5)
    if act == 0:
        data, lines = data[: rng.randint(0, len(data))], None
    elif act == 1:
        data, lines = bytes(_flip(bytearray(data), rng)), None
    elif act == 2:
        data, lines = data + rng.randbytes(rng.randint(1, 40)), None
    elif act == 3:
        kind = rng.choice((".log", ".gz", ".zst"))  # a name that lies
    return Input(data, lines, kind)


def made(rng: random.Random) -> Input:
    """One input."""
    text = bytearray(b"\n".join(rng.choices(rng.choice(SEEDS), k=rng.randint(1, 12))))
    text += b"\n" * (rng.random() < 0.7)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
        text = rng.choice(_MUTATIONS)(text, rng)
    data, act = bytes(text[: 64 << 10]), rng.randrange(20)
    if act == 0:
        encoding = rng.choice(("utf-16", "utf-32", "utf-8-sig"))
        data = data.decode("utf-8", "replace").encode(encoding)
        data = data[: rng.randint(0, len(data))] if rng.random() < 0.4 else data
    elif act == 1:
        return _packed(data, rng)
    elif act == 2:
        data = rng.randbytes(rng.randint(0, 300))
    # What looks compressed by accident is not accounted for.
    return Input(data, None if data.startswith(tuple(MAGICS)) else physical(data))


@dataclass
class Group:
    """The inputs of one reader, and the settings it reads them with."""

    inputs: list[Input]
    options: dict[str, Any]


def replay(seed: int) -> Group:
    """The group of a seed."""
    rng = random.Random(f"group {seed}")
    options: dict[str, Any] = {
        "block_bytes": rng.choice((4096, 4096, 65_536, 4 << 20)),
        "max_line_bytes": rng.choice((64, 1000, 1 << 20)),
        "label_prefix": rng.random() < 0.1,
        "timezone": rng.choice(("UTC", "Europe/Berlin", "-09:30")),
        "max_shapes": rng.choice((100, 1_000_000)),
    }
    if seed % _DETECTED:
        options["format"] = rng.choice(FORMATS).name
    if rng.random() < 0.1:
        options["session"] = r"(blk_-?\d+|\d+)"
    return Group([made(rng) for _ in range(FILES)], options)


# --- Runs ---


@contextlib.contextmanager
def bounded(what: str) -> Iterator[None]:
    """No hang: an error after `_SECONDS`; where no Python runs any more, all stacks and the end."""

    def late(*_: object) -> None:
        raise TimeoutError(f"{what} takes over {_SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    faulthandler.dump_traceback_later(3 * _SECONDS, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


def read(inputs: list[Input], options: dict[str, Any], folder: Path) -> list[Path]:
    """Read the inputs as files of one run, and check what came out."""
    paths = []
    for at, given in enumerate(inputs):
        paths.append(folder / f"{at:02}{given.ending}")
        paths[-1].write_bytes(given.data)
    settings = Settings(**options)
    sources = open_sources([str(path) for path in paths], settings)
    reader = Reader(sources, settings)
    batches = []
    for batch in reader.batches():
        batches.append(batch)
        assert (batch.start >= 0).all()
        assert (batch.start <= batch.content_start).all()
        assert (batch.content_start <= batch.end).all()
        assert (batch.end <= len(batch.buf)).all()
        assert (np.diff(batch.line_no) > 0).all()
        assert len(batch.shape) == len(batch.ts) == len(batch.level) == len(batch)
        for content in reader.take_shapes().contents:
            assert redact(content) == content
    lines = accounted(batches)
    for at, given in enumerate(inputs):
        assert lines[at] == sources.sources[at].stats.lines
        assert given.lines is None or lines[at] == given.lines, f"input {at}: {lines[at]} lines"
    for note in reader.notes:
        assert "\n" not in note.text
    return paths


def scan(path: Path, options: dict[str, Any]) -> None:
    """Scan a file whole, and make every report of it."""
    try:
        result = lw.scan(str(path), **options)
    except InputError as error:
        if "holds no lines" not in str(error):
            raise
        return
    for finding in result.findings:
        json.loads(jsonl.dumps(finding))
    shown = render(result.run, result.findings)
    assert not {chr(c) for c in range(32)} - {"\n"} & set(shown)


def check(seed: int, folder: Path) -> int:
    """Run a group; where it fails, say which seed, and which input alone if one fails alone."""
    group = replay(seed)
    try:
        with bounded(f"seed {seed}"):
            paths = read(group.inputs, group.options, folder)
            if seed % _SCANNED == 0:
                scan(paths[seed // _SCANNED % FILES], group.options)
    except Exception as error:
        for given in group.inputs:
            try:
                with bounded("it"):
                    scan(read([given], group.options, folder)[0], group.options)
            except Exception as alone:
                told = f"seed {seed}, {group.options}: {alone!r} for {given.ending} "
                raise AssertionError(told + f"{given.data!r:.3000}") from alone
        raise AssertionError(f"seed {seed}, {group.options}: {error!r}") from error
    finally:
        for path in folder.iterdir():
            path.unlink()
    return len(group.inputs)


def run(inputs: int, seed: int, folder: Path) -> None:
    folder.mkdir()
    while inputs > 0:
        inputs -= check(seed, folder)
        seed += 1


@pytest.mark.slow
def test_two_thousand_odd_inputs(tmp_path: Path) -> None:
    run(2_000, 0, tmp_path / "in")


@pytest.mark.long
def test_two_hundred_thousand_odd_inputs(tmp_path: Path) -> None:
    started = time.process_time()
    run(200_000, 1_000_000, tmp_path / "in")
    assert time.process_time() - started < 12 * 60


def test_a_failure_names_its_seed_and_its_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    wrong = replay(7)
    for given in wrong.inputs:
        given.lines = None
    wrong.inputs[3] = Input(b"one\ntwo\n", 3)
    monkeypatch.setattr("test_fuzz.replay", lambda seed: wrong)
    with pytest.raises(AssertionError, match=r"seed 7, .*input 0: 2 lines.* b'one\\ntwo\\n'"):
        check(7, tmp_path / "in")
