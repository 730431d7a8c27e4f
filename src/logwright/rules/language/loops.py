"""Loops: a loop that only looks for something, or only counts, as ``any`` and ``sum``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from logwright.rules.language.kinds import Kinds
from logwright.rules.language.simple import both, inverse
from logwright.rules.language.tree import (
    Arith,
    Assign,
    Break,
    Bump,
    Call,
    Const,
    Continue,
    Expr,
    For,
    Gen,
    If,
    Return,
    Statement,
)  # fmt: skip
from logwright.rules.language.walk import Node, names, walk

__all__ = ["folded", "mentions", "unrolled", "written"]

_TRUE, _ONE = Const(True), Const(1)
Block = tuple[Statement, ...]
Leaf = tuple[Expr, Assign | Bump]


def folded(loop: For, kinds: Kinds) -> tuple[Statement, ...]:
    """The statements that do what the loop does, as few of them loops as can be.

    >>> count = If(Const(True), (Bump("n", "+=", Const(1)),))
    >>> from logwright.rules.language.tree import Lines
    >>> loop = For(("line",), Lines(), (count,))
    >>> isinstance(folded(loop, Kinds(ints=frozenset("n")))[0], Bump)
    True
    """
    if not loop.body:
        return ()
    for way in (_found(loop), _counted(loop, kinds)):
        if way is not None:
            return way
    return (loop,)


def unrolled(rounds: Sequence[Block]) -> Block | None:
    """The rounds of a loop one after the other, without its ``break`` and ``continue``; None where
    these do not stand last in an if.

    >>> from logwright.rules.language.tree import Name
    >>> a, b = (If(Name(n), (Assign("m", Const(n)), Break())) for n in "ab")
    >>> unrolled([(a,), (b,)]) == (If(Name("a"), a.body[:1], (If(Name("b"), b.body[:1]),)),)
    True
    """
    after: Block | None = ()
    for body in reversed(rounds):
        if after is not None:
            after = _round(body, after)
    return after


def _round(body: Block, after: Block) -> Block | None:
    """A round, and what comes after it."""
    for i, node in enumerate(body):
        match node:
            case Break():
                return body[:i]
            case Continue():
                return (*body[:i], *after)
            case If(test, (*does, Break()), no) if not any(map(_jumps, does)):
                rest = _round((*no, *body[i + 1 :]), after)
                return None if rest is None else (*body[:i], If(test, tuple(does), rest))
            case If(test, (*does, Continue()), no) if not any(map(_jumps, does)):
                rest = _round((*no, *body[i + 1 :]), ())
                if rest is None or any(_breaks(part) for part in (*no, *body[i + 1 :])):
                    return None
                return (*body[:i], If(test, tuple(does), rest), *after)
            case _ if _jumps(node):
                return None
    return (*body, *after)


def _jumps(node: Statement) -> bool:
    """Whether it leaves the round of the loop that it stands in."""
    return isinstance(node, Continue) or _breaks(node) or _within(node, _jumps)


def _breaks(node: Statement) -> bool:
    return isinstance(node, Break) or _within(node, _breaks)


def _within(node: Statement, asked: Callable[[Statement], bool]) -> bool:
    return isinstance(node, If) and any(map(asked, (*node.body, *node.orelse)))


def mentions(node: Node, name: str) -> bool:
    """Whether the name is read or assigned in it."""
    return names(node)[name] > 0 or name in written(node)


def written(node: Node) -> set[str]:
    """The names that are assigned in it; variables of loops are not among them."""
    return {part.name for part in walk(node) if isinstance(part, Assign | Bump)}


def _found(loop: For) -> tuple[Statement, ...] | None:
    """``for ..: if test: leave`` is ``if any(test for ..): leave``."""
    match loop.body:
        case (If(test, (*does, Return() | Break() as leave), ()),):
            pass
        case _:
            return None
    done: tuple[Statement, ...] = (*does, leave) if isinstance(leave, Return) else tuple(does)
    if any(isinstance(node, For) for node in done):
        return None
    if any(names(node)[name] for node in done for name in loop.names):
        return None
    if any(isinstance(part, Break | Continue) for node in done for part in walk(node)):
        return None
    anywhere = Call("any", (Gen(test, loop.names, loop.over),))
    return (If(anywhere, done),) if done else ()


def _counted(loop: For, kinds: Kinds) -> tuple[Statement, ...] | None:
    leaves = list(_leaves(loop.body, _TRUE))
    if None in leaves:
        return None
    steps = [leaf for leaf in leaves if leaf is not None]
    changed = {step.name for _, step in steps} | set(loop.names)
    out: list[Statement] = []
    flags: dict[str, Expr] = {}
    bumped: set[str] = set()
    for test, step in steps:
        read = names(test) + names(step.value)
        if any(read[name] for name in changed - set(loop.names)):
            return None
        if isinstance(step, Assign):
            if flags.setdefault(step.name, step.value) != step.value:
                return None
            if not isinstance(step.value, Const):
                return None
            anywhere = Call("any", (Gen(test, loop.names, loop.over),))
            out.append(If(anywhere, (step,)))
            continue
        bumped.add(step.name)
        if step.name not in kinds.ints:
            return None
        out.append(Bump(step.name, step.op, _summed(test, step.value, loop)))
    return None if bumped & set(flags) else tuple(out)


def _summed(test: Expr, value: Expr, loop: For) -> Expr:
    if isinstance(value, Const):
        count = Call("sum", (Gen(test, loop.names, loop.over),))
        return count if value == _ONE else Arith("*", count, value)
    where = None if test == _TRUE else test
    return Call("sum", (Gen(value, loop.names, loop.over, where),))


def _leaves(body: tuple[Statement, ...], test: Expr) -> Iterator[Leaf | None]:
    """Each assignment with the condition under which it is made; None where something else is
    done."""
    for node in body:
        match node:
            case Assign() | Bump():
                yield test, node
            case If(inner, yes, no):
                yield from _leaves(yes, both(test, inner))
                yield from _leaves(no, both(test, inverse(inner)))
            case _:
                yield None
