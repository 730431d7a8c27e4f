"""`logwright worker`: judges what comes, without an end, and hands findings on."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import kept_in
from logwright.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from logwright.findings.finding import Severity
    from logwright.settings import Settings
    from logwright.stream.sinks import TextSink
    from logwright.stream.worker import Worker
    from logwright.windows.plan import WindowPlan

__all__ = ["worker"]

_SECOND = 1_000_000_000
_MMAP_THRESHOLD, _LARGE = -3, 1 << 20  # glibc's name for it, and bytes
_SWITCH = 0.0005  # seconds: who delivers would wait 5 ms for who judges, several times a finding


def worker(
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="Folder of the model.")
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="SOURCE",
            help="What to read: a file, glob or folder (followed as it grows), '-' for standard "
            "input (the default), kafka://HOST/TOPIC, redis://HOST/STREAM, otlp://:4318, "
            "syslog://:514. Can be given several times.",
            show_default=False,
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            metavar="SINK",
            help="Where findings go: '-' for standard output, a file, store, kafka://HOST/TOPIC, "
            "redis://HOST/STREAM, http://HOST for Alertmanager. Can be given several times "
            "(default: '-' and store).",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="Where the worker keeps how far it is: a file, or redis://HOST/NAME (default: "
            "worker.db beside the model).",
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST]:PORT",
            help="Serve /metrics for Prometheus, /healthz and /readyz at this port.",
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Worker processes that share the work.")
    ] = 1,
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="This worker's name; no two workers have the same (default: host and a number).",
            show_default=False,
        ),
    ] = None,
    severity: o.SeverityOption = None,
    ignore: o.IgnoreOption = None,
    store: o.StoreOption = None,
    rules: o.RulesOption = None,
    json: o.JsonOption = False,
    share: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Judge what comes, line by line and without an end, and hand findings on.

    Nothing is lost and nothing doubled, whatever is killed: a worker that is started again goes on
    where it was. SIGTERM ends it in good order, SIGHUP takes model and rules anew.

    Example: $ logwright worker -m model --in /var/log/app.log --out http://alerts:9093
    """
    from logwright.settings import load_settings
    from logwright.stream.opening import is_shared, own_name

    given = inputs or ["-"]
    settings = load_settings(severity=severity, ignore=ignore, store=store, rules=rules)
    place = state if state is not None else str(model / "worker.db")
    if not model.is_dir():
        from logwright import api

        api.load(str(model))  # which says what is wrong
    beside = Path(place.removeprefix("file:")) if "://" not in place else model / "worker.db"
    name = owner if owner is not None else own_name(beside)
    if processes > 1:
        if not is_shared(given):
            raise SettingsError(
                "--processes needs a source that several processes can read: files, kafka:// or "
                "redis://"
            )
        raise typer.Exit(_several(processes, name))
    number, among, parent = _share_of(share)
    part = Part(model, given, outputs, place, beside, store is not None, json)
    _run(part, settings, name, metrics, (number, among), parent)


class Part:
    """What the command line said of one worker process."""

    def __init__(
        self,
        model: Path,
        inputs: Sequence[str],
        outputs: Sequence[str] | None,
        state: str,
        beside: Path,
        asked_store: bool,
        json: bool,
    ) -> None:
        self.model, self.inputs, self.state, self.beside = model, inputs, state, beside
        self.outputs = list(dict.fromkeys(outputs)) if outputs else ["-", "store"]
        self.by_default = not outputs
        self.asked_store = asked_store or "store" in (outputs or ())
        self.json = json


def _run(
    part: Part,
    settings: Settings,
    name: str,
    address: str | None,
    share: tuple[int, int],
    parent: int | None,
) -> None:
    from logwright import api
    from logwright.findings.run import many
    from logwright.stream import metrics as m
    from logwright.stream import opening as op
    from logwright.stream.delivery import Delivery
    from logwright.stream.making import Maker
    from logwright.stream.processes import orphaned
    from logwright.stream.worker import Worker

    signals = _Signals()
    _return_memory()
    learned = api.load(str(part.model))
    store = _store_of(part, settings)
    meters = m.opened(address, share[0])
    meters.model((part.model / "manifest.json").stat().st_mtime)
    text = _text_sink(settings.severity, part.json)
    sinks = [
        op.open_sink(given, store, part.inputs, text, _say)
        for given in part.outputs
        if not (given == "store" and store is None and part.by_default)
    ]
    maker = Maker(learned, settings, store, _say, meters)
    keeper = op.open_keeper(part.state, _say)
    deliveries = [
        Delivery(keeper, sink, name, meters, _say, _wanted(sink.name, settings.severity))
        for sink in sinks
    ]
    source = op.open_source(
        part.inputs, Path(f"{part.beside}.spool"), settings.max_line_bytes, meters, _say
    )

    def renewed() -> Maker:
        nonlocal maker
        new = Maker(api.load(str(part.model)), settings, store, _say, meters)
        meters.model((part.model / "manifest.json").stat().st_mtime)
        maker.close()
        maker = new
        return new

    work = Worker(
        source,
        keeper,
        deliveries,
        maker,
        name,
        meters,
        _say,
        renewed=renewed,
        share=(0, 1) if op.is_dealt(part.inputs) else share,
        orphaned=(lambda: False) if parent is None else orphaned(parent),
    )
    signals.reach(work)
    templates = many(len(learned.templates), "template")
    _say(f"model {part.model}: {templates}, {_windows(learned.plan)}")
    gc.freeze()  # the model stays to the end: looking through it again would hold findings up
    sys.setswitchinterval(_SWITCH)
    try:
        work.run()
    finally:
        maker.close()
        meters.close()


def _return_memory() -> None:
    """From now on large blocks of memory go back to the system once they are free: heaps that keep
    them grow for as long as a process runs, by what small blocks leave between large ones."""
    import ctypes

    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other libraries than glibc
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def _windows(plan: WindowPlan) -> str:
    """Which windows lines are judged in, and when, in words."""
    from logwright.findings.run import many

    if plan.kind == "count":
        return f"windows of {many(plan.size, 'line')}"
    size = many(-(-plan.size // _SECOND), "second")
    after = many(-(-(plan.size + plan.lateness) // _SECOND), "second")
    if plan.kind == "time":
        return f"windows of {size}, judged up to {after} after a line"
    return f"sessions, judged {after} after their last line"


def _store_of(part: Part, settings: Settings) -> Path | None:
    """The store; None for none. One that cannot be made, where nobody asked for it, is said."""
    from logwright.store import open_store

    place = kept_in(settings.store, lambda: part.model / "store.db")
    if place is None:
        return None
    try:
        open_store(place).close()
    except StoreError as error:
        if part.asked_store:
            raise
        _say(f"findings are kept in no store, verdicts cannot be given: {error}")
        return None
    return place


def _text_sink(severity: Severity, json: bool) -> TextSink:
    from logwright.stream.sinks import TextSink

    if json or not sys.stdout.isatty():
        return TextSink(lambda: sys.stdout)
    from logwright.findings.ticker import Ticker

    width = shutil.get_terminal_size((100, 24)).columns
    ticker = Ticker(sys.stdout, sys.stderr, width=width, color=True, severity=severity)
    return TextSink(lambda: sys.stdout, ticker.raised)


def _wanted(sink: str, severity: Severity) -> Callable[[bytes], bool]:
    """Which findings a sink takes: the store all, as verdicts decide there; others those that
    would be shown."""
    from pydantic_core import from_json

    from logwright.findings.finding import SEVERITIES

    least = SEVERITIES.index(severity)

    def shown(text: bytes) -> bool:
        finding = from_json(text)  # who judges waits for this thread: not for a whole `Finding`
        is_shown = SEVERITIES.index(finding["severity"]) >= least
        return is_shown and finding["state"] != "suppressed"

    return (lambda text: True) if sink == "store" else shown


class _Signals:
    """SIGTERM and Ctrl-C end in good order, a second Ctrl-C at once; SIGHUP reloads. Those that
    come while the worker is being made reach it then."""

    def __init__(self) -> None:
        self._work: Worker | None = None
        self._stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)

    def reach(self, work: Worker) -> None:
        """From now on signals reach this worker."""
        self._work = work
        if self._stopped:
            work.stop()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._stopped = True
        if self._work is not None:
            self._work.stop()

    def _reload(self, number: int, frame: FrameType | None) -> None:
        if self._work is not None:  # else it is just being loaded
            self._work.reload()


def _several(processes: int, name: str) -> int:
    """This command in several processes; gives the exit code."""
    from logwright.stream.processes import Processes, python

    given = sys.argv[1:]

    def command(number: int) -> list[str]:
        own = ["--processes", "1", "--owner", f"{name}.{number}"]
        return [*python(), *given, *own, "--share", f"{number}/{processes}/{os.getpid()}"]

    return Processes(processes, command, _say).run()


def _share_of(share: str | None) -> tuple[int, int, int | None]:
    if share is None:
        return 0, 1, None
    number, among, parent = share.split("/")
    return int(number), int(among), int(parent)


def _say(text: str) -> None:
    """Tell a person what happens, on standard error."""
    from logwright.findings.escape import safe

    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {safe(text)}\n")
    sys.stderr.flush()
