"""`logwright data`: the labelled logs that benchmarks run on: which there are, get one, add one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from logwright.cli.options import SessionOption
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import InputError

__all__ = ["DataOption", "app"]

app = typer.Typer(help="List, fetch and add the data sets of benchmarks.", no_args_is_help=True)

DataOption = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", envvar="LOGWRIGHT_DATA", help="Folder of the data sets."),
]
_DATA = Path("../shared/data")


@app.command(name="list")
def list_(data: DataOption = _DATA, json: JsonOption = False) -> None:
    """List the data sets, and whether they are there.

    Example: logwright data list
    """
    from logwright.bench.catalog import SOURCES
    from logwright.bench.datasets import known

    published = {source.name: source for source in SOURCES}
    rows = []
    for name, (title, present) in known(data).items():
        source = published.get(name)
        rows.append(
            {
                "name": name,
                "present": present,
                "title": title,
                "lines": None if source is None else source.lines,
                "bytes": None if source is None else source.size,
                "md5": None if source is None else source.md5,
                "url": None if source is None else source.url,
            }
        )
    if json:
        print_json({"data": str(data), "sets": rows})
        return
    wide = max(len(str(row["name"])) for row in rows)
    sys.stdout.write(f"{'NAME':{wide}}  THERE  DOWNLOAD  WHAT\n")
    for row in rows:
        there = "yes" if row["present"] else "no"
        size = row["bytes"]
        told = (
            f"{size / 1e6:,.0f} MB" if isinstance(size, int) else "not told" if row["url"] else ""
        )
        sys.stdout.write(f"{row['name']:{wide}}  {there:5}  {told:>8}  {row['title']}\n")
    sys.stdout.write(f"in {data}; 'logwright data get NAME' fetches what has a download\n")


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Which set.", show_default=False)],
    data: DataOption = _DATA,
    where: Annotated[
        bool,
        typer.Option(
            "--where", help="Say only what is fetched, and where to put it without a network."
        ),
    ] = False,
) -> None:
    """Fetch a published set, check it and unpack it; an interrupted download goes on.

    Without a network it says where to put the file, which it then checks and unpacks.

    Example: logwright data get bgl --where
    """
    from logwright.bench.archives import unpack
    from logwright.bench.catalog import source_of
    from logwright.bench.download import checked, download

    source = source_of(name)
    if where:
        size = "not published" if source.size is None else f"{source.size:,} bytes"
        sys.stdout.write(
            f"from: {source.url}\nto:   {source.archive(data)}\nsize: {size}\n"
            f"md5:  {source.md5 or 'not published'}\n"
        )
        return
    if source.present(data):
        sys.stdout.write(f"{name} is in {source.folder(data)}\n")
        return
    archive = source.archive(data)
    if archive.is_file():
        wrong = checked(archive, source.size, source.md5)
        if wrong is not None:
            raise InputError(f"{archive} is not what was published: {wrong}; remove it")
    else:
        with _bar(source.file) as told:
            download(source.url, archive, source.size, source.md5, told)
    if source.folder(data).exists():
        raise InputError(f"{source.folder(data)} is there but not whole: remove it")
    unpack(archive, source.folder(data), source.unpacked)
    if not source.present(data):
        raise InputError(f"{archive} does not hold {' and '.join(source.holds)}")
    proven = "MD5 as published" if source.md5 else "its MD5 is not published"
    sys.stdout.write(
        f"{name} is in {source.folder(data)} ({proven}); {archive} is needed no longer\n"
    )


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A log.", show_default=False)],
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Name of the set.", show_default=False)
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="A label for each line, or a CSV file of 'session,label'. Without it the first "
            "word of each line is its label, '-' for normal.",
            show_default=False,
        ),
    ] = None,
    session: SessionOption = None,
    link: Annotated[bool, typer.Option("--link", help="Link the files, do not copy.")] = False,
    data: DataOption = _DATA,
) -> None:
    """Add a labelled log of your own.

    Example: logwright data add demo/today.log --as demo --data data
    """
    from logwright.bench import additions
    from logwright.bench.datasets import check_session, known, of_files
    from logwright.settings import load_settings

    theirs = {own.name for own in additions.own_sets(data)}
    settings = load_settings(session=session)
    dataset = of_files(
        file, labels, settings
    )  # what does not fit is told before anything is written
    check_session(session, dataset)
    taken = frozenset(known(data)) - theirs
    own = additions.add(data, name, file, labels, link, taken, settings.session)
    sys.stdout.write(
        f"{own.name} is in {own.log.parent} ({own.size:,} bytes); "
        f"'logwright bench run log --set {own.name}' runs it\n"
    )


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A progress bar on standard error; none unless it is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    from rich.progress import TimeRemainingColumn as Left

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), Left())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda at, total: bar.update(task, completed=at, total=total)
