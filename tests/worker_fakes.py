"""Stand-ins for a worker's parts: lines in memory, and a pipeline simple enough to be foretold."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

from logwright.findings.finding import CitedLine, Finding, WindowRef, finding_id, pattern_id
from logwright.stream.feed import Entry, Feed
from logwright.stream.sink import SinkError


def finding(number: int, text: str = "disk full", severity: str = "high") -> Finding:
    """The finding that a line gives, `number` being its line number."""
    pattern = pattern_id("unseen", "template", [text.split()[0]])
    return Finding(
        id=finding_id(pattern, str(number), 0, text, 0),
        pattern=pattern,
        detector="unseen",
        unit="template",
        score=1.0,
        threshold=0.5,
        severity=severity,  # type: ignore[arg-type]
        summary=f"new: {text!r}",
        expected="never",
        seen="once",
        window=WindowRef(kind="count", key=str(number), lines=1),
        lines=(CitedLine(source="app.log", line_no=number, offset=0, text=text),),
    )


class Lines:
    """A feed of lines in memory, `batch` of them an entry; more can be added while it is read."""

    def __init__(self, name: str, lines: Sequence[str], batch: int = 3, ends: bool = False) -> None:
        self.name, self.source = name, name
        self.lines, self.batch, self.ends = list(lines), batch, ends
        self.at = 0
        self.kept: list[int] = []
        self.closed = 0
        self.read_at_once: int | None = None

    def seek(self, position: str | None) -> None:
        self.at = int(position or 0)

    def read(self, most: int, timeout: float) -> list[Entry]:
        some = self.lines[self.at : self.at + self.batch]
        if not some:
            threading.Event().wait(min(timeout, 0.005))
            return []
        self.at += len(some)
        data = "".join(f"{line}\n" for line in some).encode()
        return [Entry(data, str(self.at), 0)]

    @property
    def ended(self) -> bool:
        return self.ends and self.at >= len(self.lines)

    def done(self, position: str) -> None:
        self.kept.append(int(position))

    def lag(self) -> int | None:
        return len(self.lines) - self.at

    def close(self) -> None:
        self.closed += 1


class Given:
    """A source of given feeds, all at once."""

    def __init__(self, *feeds: Feed) -> None:
        self.all = list(feeds)
        self.new, self.gone = list(feeds), list[str]()
        self.closed = False

    @property
    def ended(self) -> bool:
        return all(isinstance(feed, Lines) and feed.ended for feed in self.all)

    def feeds(self) -> tuple[list[Feed], list[str]]:
        new, self.new, gone, self.gone = self.new, [], self.gone, []
        return new, gone

    def close(self) -> None:
        self.closed = True


class Counting:
    """A pipeline that counts lines. A line with 'bad' in it is a finding, and so is the sum of
    every window of 10 lines that held a 'bad' one: that is what must survive in a snapshot."""

    made: int = 0

    def __init__(self, feed: Feed, snapshot: bytes | None) -> None:
        state = json.loads(snapshot) if snapshot else {"line": 0, "bad": 0}
        self.line, self.bad = state["line"], state["bad"]
        self.advanced: list[float] = []
        self.closed = False

    def push(self, entries: Sequence[Entry]) -> list[Finding]:
        found = []
        for entry in entries:
            for line in entry.data.decode().splitlines():
                self.line += 1
                if "bad" in line:
                    self.bad += 1
                    found.append(finding(self.line, line))
                if self.line % 10 == 0:
                    found += self._window()
        return found

    def _window(self) -> list[Finding]:
        found = [finding(self.line, f"{self.bad} of ten")] if self.bad else []
        self.bad = 0
        return found

    def advance(self, seconds: float) -> list[Finding]:
        self.advanced.append(seconds)
        return []

    def finish(self) -> list[Finding]:
        return self._window()

    def snapshot(self) -> bytes:
        return json.dumps({"line": self.line, "bad": self.bad}).encode()

    def paused(self) -> Callable[[], bytes]:
        data = self.snapshot()
        return lambda: data

    @property
    def lines(self) -> int:
        return int(self.line)

    @property
    def open_windows(self) -> int:
        return int(self.bad > 0)

    @property
    def evicted(self) -> dict[str, int]:
        return {"sessions": self.line // 10}

    def close(self) -> None:
        self.closed = True


def foretold(lines: Sequence[str]) -> list[str]:
    """Ids of the findings of all these lines."""
    counting = Counting(Lines("x", ()), None)
    data = "".join(f"{line}\n" for line in lines).encode()
    return [f.id for f in [*counting.push([Entry(data, "", 0)]), *counting.finish()]]


class Heard:
    """A sink that keeps what it is given; it fails while `down` is set."""

    def __init__(self, name: str = "heard") -> None:
        self.name = name
        self.got: list[bytes] = []
        self.down = False
        self.closed = False
        self.tries = 0

    def put(self, findings: Sequence[bytes]) -> None:
        self.tries += 1
        if self.down:
            raise SinkError("the sink is down")
        self.got += findings

    @property
    def ids(self) -> list[str]:
        return [json.loads(text)["id"] for text in self.got]

    def close(self) -> None:
        self.closed = True
