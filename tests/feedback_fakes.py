"""Hand-made findings, and a store that holds some, for the tests of feedback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from logwright.findings.finding import (
    CitedLine,
    Finding,
    Severity,
    TemplateRef,
    WindowRef,
    finding_id,
    pattern_id,
)
from logwright.findings.run import Run
from logwright.store import open_store

START = datetime(2025, 6, 14, 3, 12, tzinfo=UTC)


def new_template(
    text: str,
    at: float = 0,
    *,
    host: str | None = "web1",
    component: str | None = "app",
    severity: Severity = "medium",
    source: str = "app.log",
    window: str = "",
    detector: str = "unseen",
    unit: str = "template",
    because: str | None = None,
) -> Finding:
    """A finding that says that a text is new, `at` minutes after the start."""
    time = (START + timedelta(minutes=at)).isoformat()
    template = "t-" + text.replace(" ", "-")[:40]
    pattern = pattern_id(detector, unit, [template])
    key = window or time
    line = CitedLine(
        source=source,
        line_no=int(at * 10) + 1,
        offset=int(at * 1000),
        text=f"{time} {component}: {text}",
        message_at=len(f"{time} {component}: "),
        time=time,
        host=host,
        component=component,
        template=template,
        highlight=True,
    )
    return Finding(
        id=finding_id(pattern, key, int(at * 1e9), text + str(host), 0),
        pattern=pattern,
        detector=detector,
        unit=unit,
        score=10.0,
        threshold=1.0,
        severity=severity,
        summary=f"New template: '{text}'",
        expected="no such line in 1,000 lines of history",
        seen="1 line",
        first_seen=time,
        last_seen=time,
        window=WindowRef(kind="time", key=key, start=key, end=time, lines=20),
        lines=(line,),
        templates=(TemplateRef(id=template, text=text, count=1),),
        state="suppressed" if because and because.startswith("decayed") else "open",
        because=because,
    )


def stored(path: Path, findings: Sequence[Finding]) -> Path:
    """A store with one run that found these."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_store(path) as store:
        store.add_run("run-1", Run(title="logwright detect", lines=5000), findings, {})
    return path


def some() -> list[Finding]:
    """Findings of a disk, of a network, and what a deploy brought."""
    disk = [
        new_template("disk sda: write failed", 60 * n, host=f"web{n % 3}", severity="high")
        for n in range(12)
    ]
    link = [new_template("link lost its carrier", 600 + 60 * n, host="sw1") for n in range(3)]
    words = ("cache", "index", "queue", "pool", "router")
    deploy = [
        new_template(f"{word} of version <*> ready", 1000 + n, component="deploy", severity="low")
        for n, word in enumerate(words)
    ]
    count = new_template("", 2000, detector="counts", unit="count_vector", severity="high")
    count = count.model_copy(update={"templates": (), "summary": "Session of an odd make-up"})
    return [*disk, *link, *deploy, count]
