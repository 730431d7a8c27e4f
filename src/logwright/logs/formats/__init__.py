"""Log formats: the built-in ones, and finding the one that fits.

A format fits a line if one of its header programs runs to its end, what it reads as a level is one,
what it reads as a component does not open a JSON object, and the year, where it is named, lies
between 1980 and 2100. Indented lines (stack traces) and blank
ones do not count. The first format in `FORMATS` that fits four lines in five is taken; else the one
that fits most, if that is at least half of them. Of two that fit as many, one with times is taken
before one without.

A source may mix JSON lines with text (a service's records and its crashes). Where at least 5 % of
the lines are objects and at least 5 % are not, the format is JSON, and the layout is that of the
other lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logwright.errors import FormatError
from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.formats import (
    access,
    airflow,
    android,
    apache,
    audit,
    bgl,
    compose,
    container,
    database,
    dmesg,
    dotnet,
    env_logger,
    envoy,
    etcd,
    generic,
    github,
    gitlab,
    hadoop,
    haproxy,
    hclog,
    hdfs,
    healthapp,
    hpc,
    jenkins,
    json_lines,
    klog,
    log4j,
    logfmt,
    macos,
    maven,
    mongodb,
    mysqlslow,
    nginx,
    openstack,
    php,
    plain,
    proxifier,
    python_logging,
    rabbitmq,
    redis,
    ruby,
    spark,
    squid,
    syslog,
    syslog_rfc5424,
    thunderbird,
    tracing,
    windows_cbs,
    winevent,
    zookeeper,
)
from logwright.logs.formats.base import Format
from logwright.logs.json_records import load_object
from logwright.logs.kernel import lines
from logwright.logs.layout import Layout, compile_layout, is_level, run_on

__all__ = ["FORMATS", "Detected", "Format", "detect", "sample_lines", "use"]

FORMATS = (
    json_lines.FORMAT,
    bgl.FORMAT,
    thunderbird.FORMAT,
    hpc.FORMAT,
    hdfs.FORMAT,
    healthapp.FORMAT,
    proxifier.FORMAT,
    apache.FORMAT,
    access.FORMAT,
    haproxy.FORMAT,
    squid.FORMAT,
    nginx.FORMAT,
    windows_cbs.FORMAT,
    winevent.FORMAT,
    zookeeper.FORMAT,
    android.FORMAT,
    spark.FORMAT,
    hadoop.FORMAT,
    github.FORMAT,
    gitlab.FORMAT,
    jenkins.FORMAT,
    airflow.FORMAT,
    dotnet.FORMAT,
    tracing.FORMAT,
    env_logger.FORMAT,
    python_logging.FORMAT,
    hclog.FORMAT,
    database.FORMAT,
    log4j.FORMAT,
    openstack.FORMAT,
    ruby.FORMAT,
    klog.FORMAT,
    logfmt.FORMAT,
    container.FORMAT,
    redis.FORMAT,
    mongodb.FORMAT,
    rabbitmq.FORMAT,
    etcd.FORMAT,
    envoy.FORMAT,
    php.FORMAT,
    audit.FORMAT,
    macos.FORMAT,
    dmesg.FORMAT,
    syslog_rfc5424.FORMAT,
    syslog.FORMAT,
    generic.FORMAT,
    compose.FORMAT,
    mysqlslow.FORMAT,
    maven.FORMAT,
    plain.FORMAT,
)
"""The built-in formats in the order in which they are tried: special ones before general ones."""

_SAMPLES = 200
_SURE, _ENOUGH = 0.8, 0.5
_MIXED, _FEWEST_OBJECTS = 0.05, 3
"""The least share of either kind of line in a mixed source, and the fewest sampled objects."""

_FIRST_LOOK = 16
"""Lines on which a layout is tried first: one that fits none of them is passed over."""

_EARLIEST, _LATEST = 315_532_800 * 10**9, 4_102_444_800 * 10**9
"""1980 and 2100: a time outside is no time."""

_OPENING = re.compile(r"[^<{\\ \t]*")
"""What a layout's lines begin with, as it stands in its text."""

_NO_LAYOUT = Layout("<content>", b"")


@dataclass(frozen=True, slots=True)
class Detected:
    """The format of a source, its compiled layout, and why it was taken (for people).

    For a source that mixes JSON lines with text the format is JSON and the layout is that of the
    lines that are not JSON.
    """

    format: Format
    layout: Layout
    reason: str

    @property
    def program(self) -> bytes:
        """The header program; empty where there is no header to read."""
        return self.layout.program

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots that the program fills."""
        return self.layout.slots

    @property
    def names_year(self) -> bool:
        """Whether the times name the year."""
        return self.layout.names_year

    @property
    def names_day(self) -> bool:
        """Whether the times name the day, and not only the time of day."""
        return self.layout.names_day

    @property
    def names_zone(self) -> bool:
        """Whether the times name their zone, or count from 1970."""
        return self.layout.names_zone


def sample_lines(block: bytes) -> list[bytes]:
    """Up to 200 lines that are not blank, spread over a block.

    >>> sample_lines(b"one\\n\\ntwo\\n")
    [b'one', b'two']
    """
    start, end = lines(block)
    rows = np.flatnonzero(end > start)
    if len(rows) > _SAMPLES:
        rows = rows[np.linspace(0, len(rows) - 1, _SAMPLES).astype(np.int64)]
    return [block[s:e] for s, e in zip(start[rows].tolist(), end[rows].tolist(), strict=True)]


def detect(
    samples: Sequence[bytes], *, label_prefix: bool = False, before: Sequence[Detected] = ()
) -> Detected:
    """The format of some sampled lines; with `label_prefix` each begins with a label token.

    `before` are formats of other sources of the run: a special one that fits every line is taken
    at once, since files of a folder mostly look alike.

    >>> detect([b"Jun 14 15:16:01 combo sshd[19939]: check pass"]).reason
    'syslog RFC 3164: 100 % of 1 sampled lines'
    """
    texts = _unlabelled(samples) if label_prefix else list(samples)
    heads = _heads(texts)
    for known in before if heads and not label_prefix else ():
        special = known.format.kind == "text" and known.format is not generic.FORMAT
        if special and bool(_fits(known.format, known.layout, heads).all()):
            reason = _reason(known.format.title, 1, len(heads))
            return Detected(known.format, known.layout, reason)
    rest = [] if label_prefix else _beside_objects(heads)
    if rest:
        return _mixed(rest, 1 - len(rest) / len(heads))
    found, _ = _best(heads, ("text",) if label_prefix else ("text", "json"))
    layout = found.layout.labelled() if label_prefix else found.layout
    return Detected(found.format, layout, found.reason)


def _best(heads: Sequence[bytes], kinds: Sequence[str]) -> tuple[Detected, float]:
    """The format that fits some lines, among those of some kinds, and its share of them."""
    best, best_share = Detected(plain.FORMAT, _NO_LAYOUT, ""), 0.0
    for format in FORMATS:
        if format.kind not in kinds:
            continue
        layout, share = _fit(format, heads)
        if (share, layout.time) > (best_share, best.layout.time):
            best, best_share = Detected(format, layout, ""), share
        if best_share >= _SURE:
            break
    if best_share < _ENOUGH:
        reason = _no_format(best, best_share, len(heads))
        return Detected(plain.FORMAT, _NO_LAYOUT, reason), 0.0
    reason = _reason(best.format.title, best_share, len(heads)) + _override(best_share)
    return Detected(best.format, best.layout, reason), best_share


def _beside_objects(heads: Sequence[bytes]) -> list[bytes]:
    """The text lines of a source that mixes text with JSON; none where it does not."""
    rest = [line for line in heads if line.lstrip()[:1] != b"{"]
    if not rest or not _MIXED * len(heads) <= len(rest) <= (1 - _MIXED) * len(heads):
        return []
    objects = sum(load_object(line) is not None for line in heads)
    return rest if objects >= max(_FEWEST_OBJECTS, _MIXED * len(heads)) else []


def _mixed(rest: Sequence[bytes], objects: float) -> Detected:
    """What a source is that mixes a share of JSON objects with the lines `rest`."""
    found, share = _best(rest, ("text",))
    reason = (
        f"{json_lines.FORMAT.title}: mixed with {found.format.title}, {100 * objects:.0f} % objects"
    )
    if share:
        reason += f", {100 * share:.0f} % of the other {len(rest):,} sampled lines"
    return Detected(json_lines.FORMAT, found.layout, reason + _override(share))


def use(format: str, samples: Sequence[bytes], *, label_prefix: bool = False) -> Detected:
    """The format a user asks for: the name of a built-in one, or a layout.

    >>> use("<Level> - <Content>", [b"INFO - up"]).reason
    'layout as given: 100 % of 1 sampled lines'
    """
    texts = _unlabelled(samples) if label_prefix else list(samples)
    heads = _heads(texts)
    found = next((f for f in FORMATS if f.name == format.strip().lower()), None)
    if found is None and "<" not in format:
        names = ", ".join(sorted(f.name for f in FORMATS))
        raise FormatError(
            f"format {format!r} is unknown: expected one of {names}, or a layout such as "
            "'<Time> <Level> <Content>'"
        )
    if found is None:
        found = Format("layout", "layout as given", (format,))
        layout = compile_layout(format, texts)
        share = float(np.mean(_fits(found, layout, heads))) if heads else 0.0
    else:
        layout, share = _fit(found, heads, thorough=True)
    layout = layout.labelled() if label_prefix else layout
    return Detected(found, layout, _reason(found.title, share, len(heads)))


def _unlabelled(samples: Sequence[bytes]) -> list[bytes]:
    """The lines without their first token."""
    return [(line.split(None, 1)[1:] or [b""])[0] for line in samples]


def _heads(samples: Sequence[bytes]) -> list[bytes]:
    """The lines that can begin a record: not blank, not indented."""
    return [line for line in samples if line.strip() and line[:1] not in b" \t"]


def _fit(format: Format, heads: Sequence[bytes], thorough: bool = False) -> tuple[Layout, float]:
    """The layout of `format` that fits best, and its share of the lines."""
    best, best_share = _NO_LAYOUT, 0.0
    if format.kind == "json" and heads:
        objects = [line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in heads]
        return best, float(np.mean(objects))
    if format.telltales and not thorough:
        told = [text.encode() for text in format.telltales]
        if not any(text in line for line in heads for text in told):
            return best, best_share
    first_look = heads[:: max(1, len(heads) // _FIRST_LOOK)]
    for text in format.layouts:
        opening = _OPENING.match(text)
        start = opening[0].encode() if opening else b""
        if not thorough and not any(line.startswith(start) for line in first_look):
            continue  # most layouts need not be compiled
        layout = compile_layout(text)
        if thorough and best is _NO_LAYOUT:
            best = layout  # asked for by name: better a layout that fits nothing than none
        if not heads or not _fits(format, layout, first_look).any():
            continue
        share = float(np.mean(_fits(format, layout, heads)))
        if share > best_share:
            best, best_share = layout, share
        if best_share >= _SURE and not thorough:
            break
    return best, best_share


def _fits(format: Format, layout: Layout, heads: Sequence[bytes]) -> np.ndarray:
    """For each line, whether the layout fits: the program ends, and what it reads makes sense."""
    _, ts, spans, status = run_on(layout.program, heads)
    fits: np.ndarray = status == p.FULL
    if layout.names_year:  # so that not every long number is an epoch
        sensible = (ts >= _EARLIEST) & (ts < _LATEST)
        if format.telltales:  # whose times may be optional
            sensible |= ts == NO_TIME
        fits &= sensible
    if fits.any():
        text = b"".join(heads)
        component, level = (2 * p.SLOTS[slot] for slot in ("component", "level"))
        for row in np.flatnonzero(fits & (spans[:, component] >= 0)).tolist():
            at = int(spans[row, component])
            fits[row] = text[at : at + 1] != b"{"  # JSON behind a header is no component
        for row in np.flatnonzero(fits & (spans[:, level] >= 0)).tolist():
            found = text[spans[row, level] : spans[row, level + 1]]
            fits[row] = not found or is_level(found, format.levels)
    return fits


def _reason(title: str, share: float, count: int) -> str:
    return f"{title}: {100 * share:.0f} % of {count:,} sampled lines"


def _override(share: float) -> str:
    return "" if share >= _SURE else "; if that is wrong, see --format"


def _no_format(best: Detected, share: float, count: int) -> str:
    if not count:
        return "plain text: there are no lines to look at"
    nearest = f"best: {_reason(best.format.title, share, count)}" if share else "none fits any"
    return f"plain text: no format fits half of the sampled lines ({nearest}); see --format"
