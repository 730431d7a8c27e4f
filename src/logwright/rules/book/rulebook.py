"""The rulebook: a folder of rules, and what people decided about each.

::

    RULEBOOK/
      NAME.py           a rule: its code and what is said of the code (`rulefile`)
      rulebook.json     the windows it is made for; of each rule state, mute, exceptions, history,
                        backtests; and a number that grows with each change

A state speaks of code: who edits a rule has a draft again, until that code was backtested and
promoted anew. Every change is one reading and one writing of rulebook.json while nobody else writes
it, under another name first, so that two people who promote at once lose nothing.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from logwright.rules.book.rulefile import RuleFile, hash_of
from logwright.rules.book.shelved import Shelved, may_be
from logwright.rules.book.standing import Index, Move, Standing, State
from logwright.rules.language.problem import RuleError

__all__ = ["INDEX", "Rulebook", "alone"]

INDEX = "rulebook.json"
"""The file's name in a rulebook's folder."""

MOST_RULES = 5_000
_MOST_BYTES = 64 << 20

_MAY: dict[State, tuple[State, ...]] = {
    "draft": ("shadow", "active", "retired"),
    "shadow": ("draft", "active", "retired"),
    "active": ("shadow", "retired"),
    "retired": ("draft", "shadow"),
}


class Rulebook:
    """A rulebook as it was when it was read: `rules` by name, in order of names.

    >>> import tempfile
    >>> book = Rulebook.made(tempfile.mkdtemp() + "/book")
    >>> book.rules, book.index.revision
    ({}, 1)
    """

    def __init__(self, path: Path, index: Index, rules: dict[str, Shelved]) -> None:
        self.path, self.index, self.rules = path, index, rules

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Rulebook:
        """Read a rulebook. A rule that cannot be read does not run: its `problem` says why."""
        path = Path(folder)
        index = _index(path)
        names = sorted({*index.rules, *_names(path)})
        rules = {n: Shelved.read(path, n, index.rules.get(n, Standing())) for n in names}
        return cls(path, index, rules)

    @classmethod
    def made(cls, folder: str | os.PathLike[str]) -> Rulebook:
        """The rulebook in a folder, made where there is none."""
        path = Path(folder)
        if not (path / INDEX).exists():
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RuleError("exists and is not a rulebook: choose another folder", str(folder))
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritable(path, error) from None
            with alone(path):
                if not (path / INDEX).exists():
                    _store(path, Index())
        return cls.load(path)

    @property
    def active(self) -> list[Shelved]:
        """The rules whose word counts."""
        return [rule for rule in self.rules.values() if rule.alerts]

    @property
    def running(self) -> list[Shelved]:
        """The rules that windows are judged by: active ones that are not muted, and shadows."""
        return [r for r in self.rules.values() if r.alerts or (r.runs and r.state == "shadow")]

    def rule(self, name: str) -> Shelved:
        """The rule of a name, or of the only one that begins so, with or without its first word
        (which says the kind of those that are made from logs)."""
        if name in self.rules:
            return self.rules[name]
        near = [k for k in self.rules if k.startswith(name) or k.partition("_")[2].startswith(name)]
        if len(near) == 1:
            return self.rules[near[0]]
        told = f"several rules begin so: {', '.join(near[:5])}" if near else "no such rule"
        raise RuleError(f"{name!r:.80}: {told}", str(self.path))

    def notes(self) -> list[str]:
        """What is to be said of this rulebook whenever it is used, a sentence each."""
        told = []
        for rule in self.rules.values():
            if rule.problem:
                told.append(f"rule {rule.name} does not run: {rule.problem}")
            elif rule.edited and rule.standing.state in ("active", "shadow"):
                told.append(
                    f"rule {rule.name} was edited since it was {_past(rule.standing.state)}: it is "
                    "a draft and does not run until it is backtested and promoted again"
                )
        return told

    def add(self, files: Iterable[RuleFile], by: str, why: str) -> list[str]:
        """Put rules in as drafts; gives their names. Code that is there already stays as it is;
        where a name is taken, a number is put behind it."""
        added: list[str] = []

        def adding(book: Rulebook) -> None:
            held = {rule.hash for rule in book.rules.values()}
            for file in files:
                mark = hash_of(file.function)
                if mark in held:
                    continue
                if not may_be(file.name):
                    raise RuleError(f"{file.name!r:.80} cannot be a rule's name", str(self.path))
                name = _free(file.name, {*book.rules, *added})
                if len(book.rules) + len(added) >= MOST_RULES:
                    raise RuleError(
                        f"a rulebook holds {MOST_RULES:,} rules at most", str(self.path)
                    )
                replace(file, name=name).sealed().write(self.path)
                held.add(mark)
                added.append(name)
                made = Move(at=datetime.now(UTC), by=by, before="", after="draft", why=why)
                book.index.rules[name] = Standing(hash=mark, history=(made,))

        self.change(adding)
        return added

    def change(self, change: Callable[[Rulebook], None]) -> None:
        """Read the rulebook, let `change` alter `index`, and write it, while nobody else does."""
        with alone(self.path):
            book = Rulebook.load(self.path)
            try:
                change(book)
            except OSError as error:
                raise _unwritable(self.path, error) from None
            _store(self.path, book.index)
        self._renew()

    def move(self, names: Sequence[str], to: State, by: str, why: str = "") -> list[str]:
        """Give rules another state, all or none; gives the names of those that had another one.
        Only code that was backtested becomes active."""
        moved: list[str] = []

        def moving(book: Rulebook) -> None:
            for name in names:
                rule = book.rule(name)
                if rule.state == to and not rule.edited:
                    continue
                _check(rule, to, book.path)
                now = Move(at=datetime.now(UTC), by=by, before=rule.state, after=to, why=why)
                book.index.rules[rule.name] = rule.standing.model_copy(
                    update={
                        "state": to,
                        "hash": rule.hash or rule.standing.hash,
                        "history": (*rule.standing.history, now),
                    }
                )
                moved.append(rule.name)

        self.change(moving)
        return moved

    def set(self, names: Iterable[str], change: Callable[[Standing], Standing]) -> None:
        """Change what is decided about rules, all or none."""

        def setting(book: Rulebook) -> None:
            for name in names:
                rule = book.rule(name)
                standing = rule.standing
                if not standing.hash:  # a file that nobody has decided anything about so far
                    standing = standing.model_copy(update={"hash": rule.hash})
                book.index.rules[rule.name] = change(standing)

        self.change(setting)

    def _renew(self) -> None:
        now = Rulebook.load(self.path)
        self.index, self.rules = now.index, now.rules


def _check(rule: Shelved, to: State, path: Path) -> None:
    """`RuleError` where a rule may not go to a state."""
    file = str(path / f"{rule.name}.py")
    if to == "retired":
        return
    if rule.file is None:
        raise RuleError(rule.problem.removeprefix(f"{file}: "), file)
    if to not in _MAY[rule.state] and to != rule.state:
        ways = " or ".join(_MAY[rule.state])
        raise RuleError(f"a rule that is {rule.state} cannot be {to}: {ways} comes next", file)
    if to == "active" and rule.rating is None:
        edited = ", which was edited since" if rule.standing.backtests else ""
        raise RuleError(
            f"has no backtest of this code{edited}: 'logwright rules backtest' comes before "
            "'logwright rules promote'",
            file,
        )


def _past(state: State) -> str:
    return {"active": "promoted", "shadow": "made a shadow"}.get(state, state)


def _free(name: str, taken: Iterable[str]) -> str:
    held = set(taken)
    if name not in held:
        return name
    return next(f"{name}_{n}" for n in range(2, len(held) + 3) if f"{name}_{n}" not in held)


def _names(path: Path) -> Iterator[str]:
    for file in path.glob("*.py"):
        if may_be(file.stem):
            yield file.stem


def _index(path: Path) -> Index:
    file = path / INDEX
    try:
        if not file.is_file():
            raise RuleError(
                f"is not a rulebook: there is no {INDEX} in it; 'logwright rules induce' makes one",
                str(path),
            )
        if file.stat().st_size > _MOST_BYTES:
            raise RuleError(f"is larger than {_MOST_BYTES >> 20} MiB", str(file))
        return Index.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RuleError(f"{where}: {first['msg']}"[:300].lstrip(": "), str(file)) from None
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror or error}", str(file)) from None


def _store(path: Path, index: Index) -> None:
    index.revision += 1
    # Written again from what it reads as: what was set without being looked at is looked at here.
    text = Index.model_validate(index.model_dump()).model_dump_json(indent=1)
    work = path / f".{INDEX}.{secrets.token_hex(8)}"
    try:
        try:
            with open(work, "xb") as file:
                file.write(text.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(work, path / INDEX)
        finally:
            work.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path / INDEX, error) from None


def _unwritable(path: Path, error: OSError) -> RuleError:
    return RuleError(f"cannot be written: {error.strerror or error}", str(path))


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until nobody else writes the rulebook (where the system can tell)."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    try:
        held = os.open(path, os.O_RDONLY)
    except OSError:  # said by who reads or writes it
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
