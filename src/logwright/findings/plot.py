"""The timeline of a report as geometry: bars, error share, marks and ticks, in per cent.

Positions are percentages of the plot's width (x) and of its height (y, downwards), so the SVG in
`report.html` stretches to any width while its texts keep their size. It draws nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from logwright.findings.finding import Finding, Severity
from logwright.findings.run import Timeline, day, from_ns, many, parse_time, span

__all__ = ["Bar", "Mark", "Plot", "Tick", "plot"]

_BARS = 180  # more are narrower than a pixel or two on a small screen
_APART = 1.5  # per cent; marks that are closer are drawn as one
_TICKS = 7
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14)),
)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 12000)


@dataclass(frozen=True, slots=True)
class Bar:
    """Lines of one bucket."""

    x: float
    width: float
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One finding, or several that lie closer than a mark is wide: then the highest."""

    x: float
    end: float
    severity: Severity
    pattern: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on the time axis; `major` where a larger unit begins."""

    x: float
    label: str
    major: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """All that the SVG of a timeline needs."""

    period: str
    bucket: str
    bars: tuple[Bar, ...]
    most: int  # the value at the top of the left axis
    shares: tuple[str, ...]  # polylines of the error share; several where lines are missing
    most_share: float  # per cent at the top of the right axis; 0 where the log has no levels
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]


def plot(timeline: Timeline, findings: Sequence[Finding]) -> Plot | None:
    """The plot of a timeline with its ranked findings, or None when the log has no times.

    >>> plot(Timeline(), []) is None
    True
    >>> drawn = plot(Timeline(start=0, step=60 * 10**9, lines=(8, 0, 4), errors=(0, 0, 1)), [])
    >>> drawn.most, drawn.most_share, [tick.label for tick in drawn.ticks][:3]
    (8, 40.0, ['00:00', '00:00:30', '00:01'])
    """
    first, last = timeline.bounds
    if timeline.empty or first >= last:
        return None
    step, lines, errors = _coarse(timeline)
    last = from_ns(timeline.start + step * len(lines))
    most = _nice(max(lines))
    shares = [100 * e / n if n else None for n, e in zip(lines, errors, strict=True)]
    most_share = min(100.0, _nice(max((s for s in shares if s is not None), default=0.0)))
    width = 100 / len(lines)
    bars = []
    for index, (number, share) in enumerate(zip(lines, shares, strict=True)):
        if not number:
            continue
        start = timeline.start + step * index
        when = span(from_ns(start).isoformat(), from_ns(start + step).isoformat())
        level = f", {share:.2g} % of error level" if share and most_share else ""
        height = 100 * number / most
        bars.append(
            Bar(
                round(index * width, 3),
                round(width * (0.86 if len(lines) <= _BARS // 2 else 1), 3),
                round(100 - height, 2),
                round(height, 2),
                f"{when}: {many(number, 'line')}{level}",
            )
        )
    until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return Plot(
        period=f"{first:%Y-%m-%d %H:%M} to {until} UTC",
        bucket=_duration(step / 1e9),
        bars=tuple(bars),
        most=int(most),
        shares=tuple(_polylines(shares, most_share)) if most_share else (),
        most_share=most_share,
        marks=tuple(_marks(findings, first, last)),
        ticks=tuple(_ticks(first, last)),
    )


def _coarse(timeline: Timeline) -> tuple[int, list[int], list[int]]:
    lines = list(timeline.lines)
    errors = list(timeline.errors[: len(lines)])
    errors += [0] * (len(lines) - len(errors))
    join = -(-len(lines) // _BARS)
    starts = range(0, len(lines), join)
    return (
        timeline.step * join,
        [sum(lines[i : i + join]) for i in starts],
        [sum(errors[i : i + join]) for i in starts],
    )


def _nice(value: float) -> float:
    """The round number at or above `value` that an axis may end with.

    >>> _nice(3900), _nice(0.3), _nice(0)
    (4000.0, 0.4, 0.0)
    """
    if value <= 0:
        return 0.0
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(m * power for m in (1.0, 2.0, 4.0, 5.0, 8.0, 10.0) if m * power >= value)


def _polylines(shares: Sequence[float | None], most: float) -> Iterator[str]:
    points: list[str] = []
    for index, share in enumerate([*shares, None]):
        if share is not None:
            x = 100 * (index + 0.5) / len(shares)
            points.append(f"{x:.2f},{100 - 100 * share / most:.2f}")
        elif points:
            yield " ".join(points)
            points = []


def _marks(findings: Sequence[Finding], first: datetime, last: datetime) -> Iterator[Mark]:
    length = (last - first).total_seconds()

    def place(text: str | None) -> float | None:
        time = parse_time(text) if text is not None else None
        if time is None:
            return None
        return min(100.0, max(0.0, 100 * (time - first).total_seconds() / length))

    placed = [
        (x, rank) for rank, f in enumerate(findings) if (x := place(f.first_seen)) is not None
    ]
    heaps: list[list[tuple[float, int]]] = []
    for x, rank in sorted(placed):
        if heaps and x - heaps[-1][0][0] < _APART:
            heaps[-1].append((x, rank))
        else:
            heaps.append([(x, rank)])
    for heap in heaps:
        x, rank = min(heap, key=lambda member: member[1])
        finding = findings[rank]
        when = span(finding.first_seen, finding.last_seen)
        more = f" (and {many(len(heap) - 1, 'more finding')} here)" if len(heap) > 1 else ""
        yield Mark(
            round(x, 2),
            round(max(x, place(finding.last_seen) or x), 2),
            finding.severity,
            finding.pattern,
            f"{finding.severity}, {when}: {finding.summary}{more}",
        )


def _ticks(first: datetime, last: datetime) -> Iterator[Tick]:
    length = (last - first).total_seconds()
    step = next((s for s in _STEPS if length / s <= _TICKS), None)
    times = _months(first, last) if step is None else _even(first, last, step)
    for time in times:
        midnight = (time.hour, time.minute, time.second) == (0, 0, 0)
        if step is None:
            label, major = (f"{time:%Y}", True) if time.month == 1 else (day(time)[:3], False)
        elif step >= _DAY:
            label, major = day(time), False
        elif midnight and first.date() != last.date() and time.date() != first.date():
            label, major = day(time), True
        else:
            label, major = f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}", False
        yield Tick(round(100 * (time - first).total_seconds() / length, 2), label, major)


def _even(first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    # Counted from midnight of the first day, so steps of hours and minutes fall on full ones.
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    count = -(-(first - midnight).total_seconds() // step)
    while (time := midnight + timedelta(seconds=count * step)) <= last:
        yield time
        count += 1


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    start, end = first.year * 12 + first.month, last.year * 12 + last.month - 1
    step = next(s for s in _MONTHS if (end - start) / s <= _TICKS)
    for month in range(-(-start // step) * step, end + 1, step):
        yield datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _duration(seconds: float) -> str:
    """A length of time in words.

    >>> _duration(150), _duration(3600), _duration(0.5), _duration(86400)
    ('2 min 30 s', '1 h', '0.5 s', '1 d')
    """
    if seconds < _MINUTE:
        return f"{seconds:g} s"
    rest, parts = int(seconds), []
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2])
