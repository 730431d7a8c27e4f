"""Tree: rules as data of our own. What is parsed is checked and turned into this tree; what runs,
plainly or in the engine, is made from this tree and from nothing else.

An expression has one of the types bool, int, float, str, strs (texts by position), line, lines and
window. A statement list is a rule's body. All nodes are frozen, so that they can be compared and
used as keys: two line predicates that are equal are evaluated once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "And", "Arith", "Assign", "Break", "Bump", "Call", "Choice", "Compare", "Const", "Continue",
    "Expr", "Field", "For", "Function", "Gen", "If", "Item", "Key", "Lines", "Method", "Name",
    "Neg", "Not", "Or", "Return", "Slice", "Statement",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Const:
    """A bool, an int, a float or a text."""

    value: bool | int | float | str
    kind: str = ""  # the type's name: 1, 1.0 and True are equal values but not equal nodes

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", type(self.value).__name__)


@dataclass(frozen=True, slots=True)
class Name:
    """A local name: assigned, or the variable of a loop or generator."""

    id: str


@dataclass(frozen=True, slots=True)
class Lines:
    """``w.lines``."""


@dataclass(frozen=True, slots=True)
class Key:
    """``w.key``."""


@dataclass(frozen=True, slots=True)
class Field:
    """``line.text`` and its like; `line` is a `Name` or an `Item` of lines."""

    line: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """``of[index]``, of lines or of `params`; beyond the end an empty line or text."""

    of: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Slice:
    """``of[low:high]``, of lines; None for an open end."""

    of: Expr
    low: Expr | None
    high: Expr | None


@dataclass(frozen=True, slots=True)
class Compare:
    """``left op right``; op is one of == != < <= > >= in, "not in"."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class And:
    """All of them, from left to right."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them, from left to right."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``not part``."""

    part: Expr


@dataclass(frozen=True, slots=True)
class Neg:
    """``-part``."""

    part: Expr


@dataclass(frozen=True, slots=True)
class Arith:
    """``left op right``; op is one of + - * / // %. Of ``*`` one side is a constant; of the
    divisions the right side is a constant that is not 0 (else: ``ratio``)."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language (`plain.NAMES`); ``w`` as an argument is `Name("w")`."""

    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """``of.name(args)``: startswith, endswith, lower, upper, strip and count of a text."""

    of: Expr
    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Gen:
    """``value for names in over if where``: the argument of a function that takes many. `over` is
    lines, a `Slice` of them, strs, or a `Call` of enumerate or range; `names` are one or, for
    enumerate, two; `where` is None where there is no condition."""

    value: Expr
    names: tuple[str, ...]
    over: Expr
    where: Expr | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """``yes if test else no``."""

    test: Expr
    yes: Expr
    no: Expr


Expr = (
    Const | Name | Lines | Key | Field | Item | Slice | Compare | And | Or | Not | Neg | Arith
    | Call | Method | Gen | Choice
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assign:
    """``name = value``."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Bump:
    """``name += value`` or ``name -= value``."""

    name: str
    op: str
    value: Expr


@dataclass(frozen=True, slots=True)
class For:
    """``for names in over: body``."""

    names: tuple[str, ...]
    over: Expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    """``if test: body else: orelse``."""

    test: Expr
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Return:
    """``return value``, which is a bool."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Break:
    """``break``."""


@dataclass(frozen=True, slots=True)
class Continue:
    """``continue``."""


Statement = Assign | Bump | For | If | Return | Break | Continue


@dataclass(frozen=True, slots=True)
class Function:
    """A rule: its docstring, which does not count when rules are compared, and its body."""

    doc: str = field(compare=False)
    body: tuple[Statement, ...]
