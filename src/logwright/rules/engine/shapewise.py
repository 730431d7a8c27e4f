"""Shapewise: all line predicates of a rulebook on a text that stands for many lines.

A predicate is a boolean combination of atoms (`rules.engine.atoms`), evaluated over True, False and
None. Atoms whose literals are not in a text are False there without being looked at; what is left
after one search for all literals is a handful, however many rules there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from logwright.rules.engine.atoms import Atom, Truth
from logwright.rules.engine.digits import Digits
from logwright.rules.engine.gating import Gate
from logwright.rules.engine.plan import Held
from logwright.rules.engine.pointwise import Plain, closure
from logwright.rules.engine.spots import Spots
from logwright.rules.language.plain import Line
from logwright.rules.language.tree import And, Compare, Const, Expr, Field, Not, Or
from logwright.rules.language.walk import walk

__all__ = ["How", "Known", "Predicates", "Split"]

How = Literal["exact", "level", "shape"]
_MOST_ASKED = 60

Values = Sequence[Truth]
Judge = Callable[[Values], Truth]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a text: predicates that are true, and those that need the line."""

    true: tuple[int, ...]
    open: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """What is asked of a line's digits, and the true predicates by which of it holds (bits)."""

    digits: list[Digits | Spots]
    judge: Callable[[int], tuple[int, ...]]


class Predicates:
    """Line predicates by number, and their atoms, each held once.

    A predicate that is true of a text in which no literal stands is held as its opposite, so that
    of most lines no predicate is true.

    >>> from logwright.rules.engine.pointwise import LINE
    >>> from logwright.rules.language.tree import Call
    >>> held = Predicates()
    >>> held.add(Not(Call("phrase", (Field(LINE, "text"), Const("disk full")))))
    Held(number=0, turned=True)
    >>> held.known([b"disk full", b"ok"], [Line("disk full"), Line("ok")].__getitem__, "exact")
    {0: Known(true=(0,), open=())}
    """

    def __init__(self) -> None:
        self.reads: set[str] = set()
        """The fields of lines that any predicate reads."""
        self.exact: list[Callable[[Line], bool]] = []
        self._judges: list[Judge] = []
        self._number: dict[Expr, Held] = {}
        self._atom_number: dict[Expr, int] = {}
        self.atoms: list[Atom] = []
        self._of_atom: list[list[int]] = []
        self._atoms_of: list[frozenset[int]] = []
        self._ready: _Ready | None = None

    def __len__(self) -> int:
        return len(self.exact)

    def add(self, expr: Expr) -> Held:
        """A predicate by number. `Plain` where it reads more than the line."""
        if expr not in self._number:
            exact = closure(expr)
            reads = {node.name for node in walk(expr) if isinstance(node, Field)}
            if "ts" in reads:
                raise Plain("it asks each line for its time")
            self.reads |= reads
            self._ready = None
            at = len(self.exact)
            mine: set[int] = set()
            judge = self._built(expr, mine)
            turned = judge([False] * len(self.atoms)) is True
            self.exact.append((lambda line: not exact(line)) if turned else exact)
            self._judges.append((lambda values: _not(judge(values))) if turned else judge)
            self._atoms_of.append(frozenset(mine))
            for atom in mine:
                self._of_atom[atom].append(at)
            self._number[expr] = Held(at, turned)
        return self._number[expr]

    def known(
        self, levels: Sequence[bytes], line: Callable[[int], Line], how: How
    ) -> dict[int, Known]:
        """What is known of texts, by number; of those that are left out no predicate is true.

        `levels` are the texts, levelled (shapes hold no digits); `line` gives a text as a line:
        with its own text, its level, or its shape with a mask in it, as `how` says.
        """
        ready = self._begin()
        text, atom = ready.gate.hits(levels)
        hits: dict[int, list[int]] = {}
        if ready.always:
            hits = {i: list(ready.always) for i in range(len(levels))}
        for i, number in zip(text.tolist(), atom.tolist(), strict=True):
            hits.setdefault(i, []).append(number)
        values = ready.start[how == "shape"]
        return {i: self._of_text(line(i), mine, values, how) for i, mine in hits.items()}

    def split(self, known: Known, line: Line) -> Split | None:
        """What is open of a level, by digits that stand at the same place in all its lines; None
        where other things are open too."""
        wanted = sorted({atom for p in known.open for atom in self._atoms_of[p]})
        values: list[Truth] = [False] * len(self.atoms)
        asked: dict[int, Digits | Spots] = {}
        for a in wanted:
            values[a] = self.atoms[a].on_level(line)
            if values[a] is None:
                digits = Digits.of(self.atoms[a], line) or Spots.of(self.atoms[a], line)
                if digits is None or len(asked) == _MOST_ASKED:
                    return None
                asked[a] = digits

        def judge(found: int) -> tuple[int, ...]:
            for at, a in enumerate(asked):
                values[a] = bool(found >> at & 1)
            more = [p for p in known.open if self._judges[p](values)]
            return tuple(sorted((*known.true, *more)))

        return Split(list(asked.values()), judge)

    @property
    def hides(self) -> bool:
        """Whether shapes are not to be asked: some predicate may hold for a line of any of them."""
        return self._begin().hides

    def _begin(self) -> _Ready:
        if self._ready is None:
            self._ready = _Ready(self.atoms, self._judges)
        return self._ready

    def _of_text(self, line: Line, hits: list[int], values: list[Truth], how: How) -> Known:
        """`values` are those of atoms without their literals; they are put back in the end."""
        before: dict[int, Truth] = {}
        for number in hits:
            atom = self.atoms[number]
            value: Truth
            if how == "exact":
                value = atom.exact(line)
            else:
                value = atom.on_level(line) if how == "level" else atom.on_shape(line)
            if value is not values[number]:
                before[number], values[number] = values[number], value
        touched = {p for number in before for p in self._of_atom[number]}
        found = {p: self._judges[p](values) for p in touched}
        for number, value in before.items():
            values[number] = value
        true = [p for p, value in found.items() if value]
        left = [p for p, value in found.items() if value is None]
        return Known(tuple(sorted(true)), tuple(sorted(left)))

    def gated(self, line: Line | None) -> tuple[Known, dict[int, Atom]]:
        """For texts of a shape, or of any (None): what is known of those in which none of the
        literals stands that the atoms given with it need. What stays open needs each line."""
        values: list[Truth]
        values = [None if line is None else atom.on_shape(line) for atom in self.atoms]
        asked = ((a, self.atoms[a]) for a, value in enumerate(values) if value is None)
        gates = {a: atom for a, atom in asked if atom.needs}
        for number in gates:
            values[number] = False
        found = [judge(values) for judge in self._judges]
        true = tuple(p for p, value in enumerate(found) if value)
        return Known(true, tuple(p for p, value in enumerate(found) if value is None)), gates

    def _built(self, expr: Expr, mine: set[int]) -> Judge:
        match expr:
            case And(parts):
                return _and([self._built(part, mine) for part in parts])
            case Or(parts):
                return _or([self._built(part, mine) for part in parts])
            case Not(part):
                inner = self._built(part, mine)
                return lambda values: _not(inner(values))
            case Compare("not in", left, right):
                return self._built(Not(Compare("in", left, right)), mine)
            case Compare("!=", left, Const(str()) as right):
                return self._built(Not(Compare("==", left, right)), mine)
            case Const(bool() as value):
                return lambda values: value
        number = self._atom_number.get(expr)
        if number is None:
            number = self._atom_number[expr] = len(self.atoms)
            self.atoms.append(Atom.of(expr))
            self._of_atom.append([])
        mine.add(number)
        at = number
        return lambda values: values[at]


class _Ready:
    """What is worked out once all predicates are there."""

    def __init__(self, atoms: Sequence[Atom], judges: Sequence[Judge]) -> None:
        self.gate = Gate({i: atom.needs for i, atom in enumerate(atoms) if atom.needs})
        self.always = [i for i, atom in enumerate(atoms) if not atom.needs]
        hidden: list[Truth] = [None if a.needs and not a.on_words else False for a in atoms]
        self.hides = any(judge(hidden) is None for judge in judges)
        shown: list[Truth] = [False for _ in atoms]
        self.start = shown, hidden


def _not(value: Truth) -> Truth:
    return None if value is None else not value


def _and(parts: Sequence[Judge]) -> Judge:
    def judge(values: Values) -> Truth:
        found: Truth = True
        for part in parts:
            value = part(values)
            if value is False:
                return False
            if value is None:
                found = None
        return found

    return judge


def _or(parts: Sequence[Judge]) -> Judge:
    def judge(values: Values) -> Truth:
        found: Truth = False
        for part in parts:
            value = part(values)
            if value is True:
                return True
            if value is None:
                found = None
        return found

    return judge
