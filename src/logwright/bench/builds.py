"""Build logs as continuous integration writes them, each with one fault and its stack trace.

They are made here, by a seeded generator, after the manner of Maven, pytest, Go, npm, Cargo and
.NET. The fault stands late, as in life, and ordinary lines follow it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["Build", "builds"]

_SEED = 20_261_123
_NOUNS = ("cart", "order", "price", "stock", "user", "login", "mail", "search", "cache", "queue")
_LIBS = ("slf4j-api", "guava", "commons-lang3", "jackson-core", "netty-all", "junit", "okhttp")


@dataclass(frozen=True, slots=True)
class Build:
    """A build log; `fault` is a regular expression of what names its fault."""

    name: str
    text: str
    fault: str


def builds() -> list[Build]:
    """All cases, always the same.

    >>> [b.name for b in builds()]
    ['maven', 'pytest', 'go test', 'npm', 'cargo', 'dotnet']
    """
    rng = random.Random(_SEED)
    makers = (_maven, _pytest, _go, _npm, _cargo, _dotnet)
    return [make(rng) for make in makers]


def _maven(rng: random.Random) -> Build:
    out = ["[INFO] Scanning for projects...", "[INFO] ", "[INFO] Building shop 1.4.2-SNAPSHOT"]
    for _ in range(220):
        lib, version = (
            rng.choice(_LIBS),
            f"{rng.randint(1, 5)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}",
        )
        url = f"https://repo.example.com/maven2/org/{lib}/{version}/{lib}-{version}.jar"
        out += [f"[INFO] Downloading from central: {url}"]
        size, speed = rng.randint(3, 900), rng.randint(20, 2000)
        out += [f"[INFO] Downloaded from central: {url} ({size} kB at {speed} kB/s)"]
    out += ["[INFO] Compiling 214 source files to target/classes"]
    out += ["[WARNING] src/main/java/shop/Old.java uses deprecated API."]
    for i in range(60):
        noun = _NOUNS[i % len(_NOUNS)].title()
        if i == 47:
            out += [
                f"[INFO] Running shop.{noun}Test{i}",
                f"[ERROR] Tests run: 4, Failures: 0, Errors: 1, Time elapsed: 0.4 s <<< ERROR! - "
                f"in shop.{noun}Test{i}",
                "java.lang.IllegalStateException: no exchange rate for EUR on 2024-02-29",
                "\tat shop.rates.Rates.find(Rates.java:88)",
                "\tat shop.rates.Rates.convert(Rates.java:41)",
                "\tat shop.cart.Cart.total(Cart.java:203)",
                "\tat java.base/java.lang.reflect.Method.invoke(Method.java:580)",
                "Caused by: java.util.NoSuchElementException: No value present",
                "\tat java.base/java.util.Optional.orElseThrow(Optional.java:377)",
                "\t... 31 more",
            ]
            continue
        out += [f"[INFO] Running shop.{noun}Test{i}"]
        time = rng.random() * 2
        out += [
            f"[INFO] Tests run: {rng.randint(1, 9)}, Failures: 0, Errors: 0, Skipped: 0, "
            f"Time elapsed: {time:.3f} s - in shop.{noun}Test{i}"
        ]
    out += ["[INFO] Results:", "[INFO] ------------------", "[INFO] BUILD FAILURE"]
    out += ["[INFO] Total time:  02:41 min", "[INFO] Finished at: 2024-03-01T10:02:41Z"]
    return Build("maven", "\n".join(out) + "\n", "no exchange rate for EUR")


def _pytest(rng: random.Random) -> Build:
    out = ["collecting ... collected 400 items", ""]
    for i in range(400):
        noun = rng.choice(_NOUNS)
        state = "FAILED" if i == 330 else "PASSED"
        out += [f"tests/test_{noun}.py::test_{noun}_{i} {state:<8} [{i // 4:3} %]"]
    out += [
        "=================================== FAILURES ===================================",
        "Traceback (most recent call last):",
        '  File "/home/ci/shop/tests/test_stock.py", line 61, in test_stock_330',
        "    assert reserve(17) == 3",
        '  File "/home/ci/shop/stock.py", line 118, in reserve',
        "    row = self.pool.take(timeout=5)",
        "          ^^^^^^^^^^^^^^^^^^^^^^^^^",
        "ConnectionError: database at db.example.com:5432 closed the connection",
        "--------------------------- Captured stdout call -----------------------------",
        "=========================== short test summary info ============================",
        "1 failed, 399 passed in 81.20s",
    ]
    return Build("pytest", "\n".join(out) + "\n", "closed the connection")


def _go(rng: random.Random) -> Build:
    out = [f"go: downloading example.com/lib/{lib} v1.{i}.0" for i, lib in enumerate(_LIBS)]
    for i in range(150):
        noun = rng.choice(_NOUNS).title()
        out += [f"=== RUN   Test{noun}{i}", f"--- PASS: Test{noun}{i} ({rng.random():.2f}s)"]
    out += [
        "=== RUN   TestQueueDrain",
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x4f2c31]",
        "",
        "goroutine 34 [running]:",
        "example.com/shop/queue.(*Queue).Drain(0x0)",
        "\t/home/ci/shop/queue/queue.go:77 +0x51",
        "testing.tRunner(0xc0000ac9c0, 0x5b1e20)",
        "\t/usr/local/go/src/testing/testing.go:1595 +0xff",
        "FAIL\texample.com/shop/queue\t0.112s",
    ]
    out += [f"ok  \texample.com/shop/{noun}\t{rng.random():.3f}s" for noun in _NOUNS]
    return Build("go test", "\n".join(out) + "\n", "nil pointer dereference")


def _npm(rng: random.Random) -> Build:
    out = ["> shop@1.4.2 build", "> webpack --mode production", ""]
    for i in range(300):
        noun = rng.choice(_NOUNS)
        out += [f"asset {noun}.{rng.getrandbits(32):08x}.js {rng.randint(2, 400)} KiB [emitted]"]
        if i == 240:
            out += [
                "Error: Cannot find module '@shop/rates' imported from src/cart.ts",
                "    at Resolver.resolve (/home/ci/shop/node_modules/resolve/lib/resolve.js:31:15)",
                "    at Object.load (/home/ci/shop/build/load.js:88:9)",
                "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
            ]
    out += ["webpack 5.90.1 compiled with 1 error in 8123 ms", "npm error code ELIFECYCLE"]
    return Build("npm", "\n".join(out) + "\n", "Cannot find module '@shop/rates'")


def _cargo(rng: random.Random) -> Build:
    out = [
        f"   Compiling {lib} v{rng.randint(0, 3)}.{rng.randint(0, 9)}.{i}"
        for i in range(120)
        for lib in (rng.choice(_LIBS),)
    ]
    out += ["    Finished test [unoptimized + debuginfo] target(s) in 41.33s", "running 180 tests"]
    for i in range(180):
        noun = rng.choice(_NOUNS)
        out += [f"test {noun}::tests::{noun}_{i} ... {'FAILED' if i == 140 else 'ok'}"]
    out += [
        "failures:",
        "---- queue::tests::queue_140 stdout ----",
        "thread 'queue::tests::queue_140' panicked at src/queue.rs:77:14:",
        'called `Result::unwrap()` on an `Err` value: Os { code: 28, message: "No space left" }',
        "stack backtrace:",
        "   0: rust_begin_unwind",
        "             at /rustc/82e1608d/library/std/src/panicking.rs:645:5",
        "   1: shop::queue::drain",
        "             at ./src/queue.rs:77",
        "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.",
        "test result: FAILED. 179 passed; 1 failed; 0 ignored; finished in 2.11s",
    ]
    return Build("cargo", "\n".join(out) + "\n", "No space left")


def _dotnet(rng: random.Random) -> Build:
    out = ["  Determining projects to restore..."]
    stamp = 36_000
    for i in range(260):
        stamp += rng.randint(0, 2)
        at = f"{stamp // 3600:02}:{stamp // 60 % 60:02}:{stamp % 60:02}.{rng.randint(0, 999):03}"
        noun = rng.choice(_NOUNS).title()
        out += [f"{at} info: Shop.Tests[{i}] Passed {noun}Test.Case{i} [{rng.randint(1, 90)} ms]"]
        if i == 200:
            out += [
                f"{at} fail: Shop.Tests[{i}] Failed MailTest.Sends [5 s]",
                "System.TimeoutException: no answer from smtp.example.com within 5000 ms",
                " ---> System.Net.Sockets.SocketException (110): Connection timed out",
                "   at Shop.Mail.Smtp.Open(String host) in /src/Mail/Smtp.cs:line 57",
                "   --- End of inner exception stack trace ---",
                "   at Shop.Tests.MailTest.Sends() in /src/Tests/MailTest.cs:line 21",
            ]
    out += ["Failed!  - Failed:     1, Passed:   260, Skipped:     0, Total:   261"]
    return Build("dotnet", "\n".join(out) + "\n", "no answer from smtp|Connection timed out")
