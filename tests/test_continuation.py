"""Lines that continue a record are joined to it, and what names the trouble never disappears."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logwright.logs.continuation import FRAME, TROUBLE, line_kind
from logwright.logs.reader import Reader
from logwright.logs.recording import Recording
from logwright.logs.sources import open_sources
from logwright.settings import Settings

HEAD = "2024-05-01 10:00:{:02} {} app: {}"

JAVA = """\
java.lang.IllegalStateException: pool is empty
\tat com.example.shop.Pool.take(Pool.java:71)
\tat com.example.shop.Cart.pay(Cart.java:118) ~[shop.jar:1.2]
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 14 more"""
PYTHON = """\
Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in handle
    raise KeyError(name)
          ^^^^^^^^^^^^^^
KeyError: 'sku'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/main.py", line 40, in <module>
    handle("x")  # fails on an error
RuntimeError: order 17 lost"""
GO = """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.pick(...)
\t/src/app/main.go:9
main.main()
\t/src/app/main.go:14 +0x1d
created by net/http.(*Server).Serve in goroutine 1
exit status 2"""
NODE = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at load (/app/src/cart.js:10:21)
    at async Promise.all (index 0)
    at processTicksAndRejections (node:internal/process/task_queues:95:5)
    at /app/src/server.js:3:1"""
RUST = """\
thread 'main' panicked at src/main.rs:4:5:
index out of bounds: the len is 3 but the index is 7
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b431/library/std/src/panicking.rs:647:5
   1: shop::pick
             at ./src/main.rs:4
note: Some details are omitted, run with `RUST_BACKTRACE=full`"""
CSHARP = """\
Unhandled exception. System.InvalidOperationException: no rate for EUR
 ---> System.IO.IOException: disk is gone
   at Shop.Rates.Read(String name) in /src/Rates.cs:line 31
   --- End of inner exception stack trace ---
   at Shop.Program.Main(String[] args)"""
RUBY = """\
app.rb:10:in `pay': no gateway (RuntimeError)
\tfrom app.rb:20:in `block in run'
\tfrom app.rb:30:in `<main>'"""
PHP = """\
PHP Fatal error:  Uncaught Exception: no cart in /app/cart.php:12
Stack trace:
#0 /app/index.php(4): Cart->load()
#1 {main}
  thrown in /app/cart.php on line 12"""

HEADS = {
    "java": (JAVA, ["java.lang.Ill", "Caused by:"]),
    "python": (PYTHON, ["KeyError:", "", "", "RuntimeError:"]),
    "go": (GO, ["panic:", "", "exit status 2"]),
    "node": (NODE, ["TypeError:"]),
    "rust": (RUST, ["thread 'main' panicked", "index out of bounds"]),
    "c#": (CSHARP, ["Unhandled exception.", " ---> System.IO.IOException"]),
    "ruby": (RUBY, ["app.rb:10"]),
    "php": (PHP, ["PHP Fatal error"]),
}
"""Each trace, and how those of its lines begin that stay records of their own."""


def read(log: Path, text: str | bytes, **options: object) -> tuple[list[str], list[str], Reader]:
    """Records' head lines, whole records, and the reader."""
    log.write_bytes(text if isinstance(text, bytes) else text.encode())
    chosen = Settings(**options)
    sources = open_sources([str(log)], chosen)
    reader = Reader(sources, chosen)
    recording = Recording([s.plain_path for s in sources.sources])
    for batch in reader.batches():
        recording.append(batch)
    places = [recording.place(row) for row in range(recording.rows)]
    recording.close()
    heads = [p.text.decode() for p in places]
    return (
        heads,
        ["\n".join([p.text.decode(), *(m.decode() for m in p.more)]) for p in places],
        reader,
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.mark.parametrize("language", HEADS)
def test_a_trace_behind_a_head_line(log: Path, language: str) -> None:
    trace, begins = HEADS[language]
    lines = [HEAD.format(n, "INFO", f"request {n} served") for n in range(20)]
    lines[10:10] = [HEAD.format(10, "ERROR", "request failed"), *trace.split("\n")]
    heads, records, reader = read(log, "\n".join(lines) + "\n")
    extra = [h for h in heads if not h.startswith("2024")]
    assert len(extra) == len(begins), extra
    assert all(h.startswith(b) for h, b in zip(extra, begins, strict=True))
    assert "\n".join(records) == "\n".join(lines)  # nothing is lost
    assert len(records) + reader.joined == len(lines)


@pytest.mark.parametrize("language", ["java", "node", "c#", "ruby"])
def test_a_trace_with_a_header_on_every_line(log: Path, language: str) -> None:
    trace, begins = HEADS[language]
    lines = [f"request {n} served" for n in range(20)]
    lines[10:10] = trace.split("\n")
    text = "\n".join(f"2024-05-01T10:00:{n:02}.5Z stdout F {x}" for n, x in enumerate(lines)) + "\n"
    heads, records, reader = read(log, text)
    assert reader.formats[0].format.name == "cri"
    assert len(heads) == 20 + len(begins)
    assert "\n".join(records) + "\n" == text


def test_an_indented_line_that_names_trouble_is_a_record(log: Path) -> None:
    lines = ["=== RUN TestPay", "    pay.go says hello", "    --- FAIL: TestPay (0.00s)", "ok shop"]
    heads, records, _ = read(log, "\n".join(lines * 5) + "\n")
    assert heads[:3] == [lines[0], lines[2], lines[3]]
    assert records[0] == "\n".join(lines[:2])


def test_text_that_is_indented_throughout_is_not_joined(log: Path) -> None:
    heads, _, reader = read(log, "  step one\n  step two\nstep three\n" * 10)
    assert len(heads) == 30
    assert reader.joined == 0


def test_the_first_line_has_nothing_to_continue(log: Path) -> None:
    heads, _, _ = read(log, "\tat a.B.c(B.java:3)\n\tat a.B.d(B.java:4)\nstarted\nended\nended\n")
    assert heads == ["\tat a.B.c(B.java:3)", "started", "ended", "ended"]


@pytest.mark.parametrize(
    "text",
    [
        "at startup (took 3 ms)",
        "at 10:00 the backup began",
        "created by admin",
        "note: disk is slow",
        "from 10.0.0.1 port 22",
        "raise limit to 5",
        "#12 is closed",
        "File not found: x",
        "at http://10.0.0.1:8080 listening",
    ],
)
def test_ordinary_messages_are_no_frames(text: str) -> None:
    assert line_kind(text.encode()) & FRAME == 0


def test_what_names_the_trouble_is_no_frame() -> None:
    for trace, begins in HEADS.values():
        for line in trace.split("\n"):
            if any(b and line.startswith(b) for b in begins):
                assert line_kind(line.encode()) & FRAME == 0, line
    assert line_kind(b"  disk failed") == TROUBLE


line = st.sampled_from(
    [
        *{x for trace, _ in HEADS.values() for x in trace.split("\n")},
        *(HEAD.format(n, "INFO", "served") for n in range(4)),
        "  indented",
        "    indented error",
        "",
        "plain",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(line, min_size=1, max_size=40), st.booleans())
def test_records_do_not_depend_on_blocks(log: Path, lines: list[str], header: bool) -> None:
    first = [HEAD.format(n % 60, "INFO", f"fill {n}") for n in range(60)] if header else ["x"] * 30
    text = "\n".join([*first, *(lines * 8)]) + "\n"
    small = read(log, text, block_bytes=4096)
    large = read(log, text)
    assert small[:2] == large[:2]
    assert small[2].joined == large[2].joined
    assert "\n".join(large[1]) + "\n" == text


def test_a_piped_log_is_joined_alike(tmp_path: Path, log: Path) -> None:
    import gzip

    lines = [HEAD.format(n % 60, "INFO", f"fill {n} " + "x" * 60) for n in range(40)]
    text = "\n".join([*lines, JAVA, *lines, JAVA, *lines] * 2) + "\n"
    plain = read(log, text, block_bytes=4096)
    packed = read(tmp_path / "app.log.gz", gzip.compress(text.encode()), block_bytes=4096)
    assert packed[:2] == plain[:2]


def test_a_trace_in_json_records_is_joined(log: Path) -> None:
    lines = [f'{{"log":"request {n} served\\n","stream":"stdout"}}' for n in range(20)]
    lines[9:9] = [
        f'{{"log":"{x}\\n","stream":"stderr"}}'.replace("\t", "\\t") for x in JAVA.split("\n")
    ]
    heads, records, reader = read(log, "\n".join(lines) + "\n")
    assert reader.formats[0].format.name == "json"
    assert len(heads) == 22
    assert "\n".join(records) == "\n".join(lines)
