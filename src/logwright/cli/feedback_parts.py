"""What the commands on findings and verdicts share: options, how a store is found, how times are
read, and how things are told."""

from __future__ import annotations

import getpass
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.errors import ModelError, SettingsError, StoreError

if TYPE_CHECKING:
    from logwright.findings.verdict import Verdict
    from logwright.store.base import Kind, Store, What

__all__ = [
    "ByOption",
    "ExportArgument",
    "ModelOption",
    "NoteOption",
    "StoreOption",
    "TopOption",
    "again",
    "author",
    "columns",
    "exported",
    "is_past",
    "later",
    "made",
    "opened",
    "since",
    "sized",
    "spelled",
    "store_path",
    "table",
    "width",
]

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="Folder of the model whose findings it is about.",
        show_default=False,
    ),
]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="FILE",
        help="File of the store; without it and MODEL, the one of commands without a model.",
        show_default=False,
    ),
]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME", help="Who says so (default: your user name).", show_default=False
    ),
]
NoteOption = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="Why; it is shown with the verdict.")
]
TopOption = Annotated[
    int | None,
    typer.Option("--top", metavar="N", min=1, help="Only the newest N.", show_default=False),
]
ExportArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Its name ends in .jsonl or .parquet.")
]

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt]?)i?b?", re.I)
_UNLIMITED = 1000


def store_path(model: Path | None, store: Path | None) -> Path:
    """The file of the store that the options name."""
    from logwright.store import NAME, default_path

    if model is not None and store is not None:
        raise SettingsError("expected either -m MODEL or --store FILE, not both")
    if store is not None:
        return store
    if model is None:
        return default_path()
    if not model.is_dir():
        raise ModelError(f"{model} is not the folder of a model")
    return model / NAME


def opened(
    model: Path | None, store: Path | None, *, write: bool = False, new: bool = False
) -> Store:
    """The store that the options name; one that is absent is made where it may be `new`."""
    from logwright.store import is_remembered, open_store

    path = store_path(model, store)
    if not new and not path.exists():
        if model is None and store is None and is_remembered(path):
            raise StoreError(
                f"the last run kept its findings in {path}, which is gone: run it again, or name "
                "another store with --store FILE or -m MODEL"
            )
        maker = f"logwright detect FILE -m {model}" if model else "logwright scan FILE"
        raise StoreError(f"there is no store at {path} yet: {maker!r} makes one")
    return open_store(path, write)


def again(model: Path | None, store: Path | None) -> str:
    """The options that name the same store once more, for a command that is shown."""
    from shlex import quote

    if model is not None:
        return f" -m {quote(str(model))}"
    return f" --store {quote(str(store))}" if store is not None else ""


def exported(file: Path, model: Path | None, store: Path | None, what: What) -> str:
    """Write one sort of record of the store that the options name; a sentence that says where."""
    from logwright.findings.escape import safe

    if file.suffix not in (".jsonl", ".parquet"):
        raise SettingsError(f"{file}: expected a name that ends in .jsonl or .parquet")
    kind: Kind = "jsonl" if file.suffix == ".jsonl" else "parquet"
    with opened(model, store) as there:
        target = there.export(file, kind, what)
    return f"wrote {safe(str(target))}\n"


def author(by: str | None) -> str:
    """Who gives a verdict."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user, as in a container
        return ""


def made(**values: Any) -> Verdict:
    """A verdict; a `SettingsError` where the command line holds what no verdict may hold."""
    from pydantic import ValidationError

    from logwright.findings.verdict import Verdict

    try:
        return Verdict(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}: {message}" if where else message) from None


def later(text: str, now: datetime | None = None) -> datetime:
    """A time to come: ISO 8601, in UTC where it names no zone, or how long from now.

    >>> later("7d", datetime(2026, 11, 20, tzinfo=UTC)).isoformat()
    '2026-11-27T00:00:00+00:00'
    >>> later("soon")
    Traceback (most recent call last):
    logwright.errors.SettingsError: 'soon' is no time: expected such as '2026-12-01', ...
    """
    return _time(text, 1, now)


def since(text: str, now: datetime | None = None) -> datetime:
    """A time that is past: ISO 8601, in UTC where it names no zone, or how long ago.

    >>> since("2w", datetime(2026, 11, 20, tzinfo=UTC)).isoformat()
    '2026-11-06T00:00:00+00:00'
    """
    return _time(text, -1, now)


def _time(text: str, sign: int, now: datetime | None) -> datetime:
    from logwright.findings.run import parse_time

    ago = _AGO.fullmatch(text)
    moment = parse_time(text)
    try:
        if ago is not None:
            span = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            moment = (now or datetime.now(UTC)) + sign * span
    except OverflowError:
        moment = None
    if moment is None:
        raise SettingsError(
            f"{text!r:.60} is no time: expected such as '2026-12-01', '2026-12-01T06:00' or '7d'"
        )
    return moment


def sized(text: str) -> int:
    """A size in bytes.

    >>> sized("1GB"), sized("1.5 k"), sized("200")
    (1000000000, 1500, 200)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r:.40} is no size: expected such as '500MB' or '1GB'")
    return int(float(match[1]) * 1000 ** " kmgt".index(match[2].lower() or " "))


def is_past(until: datetime | None, now: datetime | None = None) -> bool:
    """Whether a time is over: what is expected until then may lie in an old log all the same.

    >>> is_past(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    True
    """
    return until is not None and until <= (now or datetime.now(UTC))


def spelled(moment: datetime | None) -> str:
    """A time as it stands in a table.

    >>> spelled(datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
    '2026-11-20 08:30'
    >>> spelled(datetime.fromisoformat("0001-01-01T00:00+14:00"))
    '0001-01-01 00:00+14:00'
    """
    try:
        return "-" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
    except OverflowError:  # a time zone that leads out of the years 1 to 9999
        return moment.isoformat(sep=" ", timespec="minutes") if moment else "-"


def width() -> int:
    """The columns that text of one thing may take: it is not cut where nobody sees it end."""
    return columns() if sys.stdout.isatty() else _UNLIMITED


def columns() -> int:
    """The columns of the terminal, as far as that is known."""
    return max(shutil.get_terminal_size((100, 24)).columns, 40)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Aligned columns, harmless to a terminal; the last one is cut to what is left of the width,
    where nobody looks on too: a list is to choose from, ``show`` and ``--json`` tell all.

    >>> print(table(["ID", "LINES", "TEXT"], [["t-1", "12", "disk full"]], right=[1]), end="")
    ID   LINES  TEXT
    t-1     12  disk full
    """
    from rich.cells import cell_len

    from logwright.findings.escape import fit, safe

    shown = [[*map(safe, row[:-1]), row[-1]] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(head, *shown, strict=True)][:-1]
    left = max(columns() - sum(widths) - 2 * len(widths), 20)
    out = []
    for row in [head, *shown]:
        cells = []
        for at, (cell, wide) in enumerate(zip(row[:-1], widths, strict=True)):
            blank = " " * (wide - cell_len(cell))
            cells.append(blank + cell if at in right else cell + blank)
        out.append("  ".join([*cells, fit(row[-1], left)]).rstrip())
    return "".join(f"{line}\n" for line in out)
