"""Folding: a rule's body in normal form: where it is exactly the same, assignments and one return.

Loops that look for something become ``any``, loops that count become ``sum``, early returns join
the condition of the last one. Exactly the same means: on every window, for rules that the gate
admits (names are assigned before they are read, generators hide no name, nothing can raise). Loops
that carry something else from line to line stay loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from logwright.rules.language.kinds import Kinds
from logwright.rules.language.loops import folded, mentions, written
from logwright.rules.language.simple import both, either, inverse, simple
from logwright.rules.language.tree import (
    Arith,
    Assign,
    Break,
    Bump,
    Choice,
    Const,
    Continue,
    Expr,
    Field,
    For,
    Function,
    Gen,
    If,
    Item,
    Lines,
    Method,
    Name,
    Return,
    Slice,
    Statement,
)  # fmt: skip
from logwright.rules.language.walk import (
    MOST_DEPTH,
    MOST_NODES,
    assigned,
    depth,
    names,
    put,
    size,
    walk,
)

__all__ = ["normal"]

_MOST_ROUNDS = 60
_DEEPEST = MOST_DEPTH - 10
"""Of an expression that is made of several; beyond, statements stay apart."""

_TRUE, _FALSE, _ZERO = Const(True), Const(False), Const(0)
Block = tuple[Statement, ...]


def normal(function: Function) -> Function:
    """The function in normal form; of a normal one, itself.

    >>> from logwright.rules.language.emit import emit
    >>> seen = If(Field(Name("line"), "level"), (Return(Const(True)),))
    >>> print(emit(normal(Function("", (For(("line",), Lines(), (seen,)),)))), end="")
    def rule(w: Window) -> bool:
        return any(line.level for line in w.lines)
    """
    body = function.body if exits(function.body) else (*function.body, Return(_FALSE))
    function = Function(function.doc, body)
    for _ in range(_MOST_ROUNDS):
        kinds = Kinds.of(function)
        changed = simple(_aliased(function), kinds)
        changed = Function(function.doc, _block(changed.body, kinds, looping=False))
        if changed == function:
            break
        function = changed
        if size(function) > MOST_NODES:  # refused whatever comes of it
            break
    return function


def exits(body: Sequence[Statement]) -> bool:
    """Whether what stands behind these statements is never reached."""
    if not body:
        return False
    match body[-1]:
        case Return() | Break() | Continue():
            return True
        case If(_, yes, no):
            return exits(yes) and exits(no)
    return False


def _aliased(function: Function) -> Function:
    """Other names for a line, lines or a text, and short values in loops, are put in place; until
    that makes more of the function than a rule may be, as each can double what is there."""
    while True:
        node = _alias(function)
        if node is None:
            return function
        more = names(function)[node.name] * (size(node.value) - 1)
        if size(function) + more > MOST_NODES:
            return function
        changed = _dropped(function, node)
        if depth(changed) > MOST_DEPTH:
            return function
        function = changed


def _alias(function: Function) -> Assign | None:
    times = assigned(function)
    inside = {n for node in walk(function) if isinstance(node, For) for n in assigned(node)}
    bound = {n for node in walk(function) if isinstance(node, For) for n in node.names}
    for node in walk(function):
        if not isinstance(node, Assign) or times[node.name] > 1:
            continue
        steady = all(times[n] <= 1 or n in bound for n in names(node.value))
        short = not any(isinstance(part, Gen) for part in walk(node.value))
        if steady and short and (node.name in inside or _textual(node.value)):
            return node
    return None


def _textual(node: Expr) -> bool:
    match node:
        case Lines() | Slice() | Item() | Const(str()):
            return True
        case Field(_, name):
            return name not in ("ts", "level")
        case Method(_, name, _):
            return name in ("lower", "upper", "strip")
    return False


def _dropped(function: Function, node: Assign) -> Function:
    def without(body: Block) -> Block:
        out: list[Statement] = []
        for part in body:
            match part:
                case Assign() if part == node:
                    continue
                case For(bound, over, inner):
                    part = For(bound, over, without(inner))
                case If(test, yes, no):
                    part = If(test, without(yes), without(no))
            out.append(part)
        return tuple(out)

    changed: Function = put(Function(function.doc, without(function.body)), {node.name: node.value})
    return changed


def _block(body: Block, kinds: Kinds, *, looping: bool) -> Block:
    out: list[Statement] = []
    for node in body:
        match node:
            case For(bound, over, inner):
                rounds = _continued(_block(inner, kinds, looping=True))
                out.extend(folded(For(bound, over, rounds), kinds))
            case If(test, yes, no):
                yes = _block(yes, kinds, looping=looping)
                no = _block(no, kinds, looping=looping)
                out.extend(_conditional(test, yes, no))
            case Bump(name, op, value) if not looping:
                out.append(Assign(name, Arith(op[0], Name(name), value)))
            case _:
                out.append(node)
        if exits(out):
            break
    if looping:
        return tuple(_joined(out))
    return tuple(_tail(_merged(_chosen(out, kinds))))


def _conditional(test: Expr, yes: Block, no: Block) -> Block:
    """What is left of an if: no empty branch, no else behind a branch that leaves."""
    if test == _TRUE:
        return yes
    if test == _FALSE:
        return no
    if not yes:
        return (If(inverse(test), no),) if no else ()
    if exits(yes):
        return (If(test, yes), *no)
    if exits(no):
        return (If(inverse(test), no), *yes)
    if len(yes) == 1 and isinstance(yes[0], If) and not yes[0].orelse and not no:
        return (If(both(test, yes[0].test), yes[0].body),)
    match no:
        case (If(other, same, rest),) if same == yes:
            return (If(either(test, other), yes, rest),)
    return (If(test, yes, no),)


def _joined(body: Sequence[Statement]) -> list[Statement]:
    """Neighbouring ifs that leave the loop in the same way become one."""
    out: list[Statement] = []
    for node in body:
        match out[-1:], node:
            case [If(test, done, ())], If(other, same, ()) if same == done and _leaves(done):
                out[-1] = If(either(test, other), done)
            case _:
                out.append(node)
    return out


def _leaves(body: Block) -> bool:
    return isinstance(body[-1], Return | Break)


def _continued(body: Block) -> Block:
    """A loop's body without ``continue`` where an if does the same."""
    for i, node in enumerate(body):
        if isinstance(node, If) and node.body[-1] == Continue() and not node.orelse:
            rest = _continued(body[i + 1 :])
            return (*body[:i], *_conditional(node.test, node.body[:-1], rest))
    return body[:-1] if body and body[-1] == Continue() else body


def _chosen(body: list[Statement], kinds: Kinds) -> list[Statement]:
    """Ifs that only assign become assignments of what is chosen."""
    out: list[Statement] = []
    known: set[str] = set()
    for node in body:
        parts: Sequence[Statement] = [node]
        if isinstance(node, If):
            parts = _choices(node, known, kinds) or parts
        out.extend(parts)
        known.update(part.name for part in parts if isinstance(part, Assign))
    return out


def _choices(node: If, known: set[str], kinds: Kinds) -> list[Statement] | None:
    yes, no = _values(node.body), _values(node.orelse)
    if yes is None or no is None:
        return None
    order = list(dict.fromkeys([*yes, *no]))
    if any(name not in known and not (name in yes and name in no) for name in order):
        return None
    if len(order) > 1 and any(mentions(node.test, n) for n in order):
        return None
    out: list[Statement] = []
    for name in order:
        old = Name(name)
        a, b = yes.get(name, old), no.get(name, old)
        if any(mentions(v, other) for v in (a, b) for other in order if other != name):
            return None
        match a, b:
            case Arith("+" | "-" as op, Name(id), more), Name(same) if (
                id == same == name and kinds.is_int(old) and kinds.is_int(more)
            ):
                out.append(Assign(name, Arith(op, old, Choice(node.test, more, _ZERO))))
            case _:
                out.append(Assign(name, Choice(node.test, a, b)))
    return out


def _values(body: Block) -> dict[str, Expr] | None:
    """What each name is assigned, if the statements do nothing else and each name comes once."""
    values: dict[str, Expr] = {}
    for node in body:
        if not isinstance(node, Assign) or node.name in values:
            return None
        if any(mentions(node.value, name) for name in values):
            return None
        values[node.name] = node.value
    return values


def _merged(body: list[Statement]) -> list[Statement]:
    """An assignment goes into the next one of its name, or away if nobody reads it."""
    i = 0
    while i < len(body):
        node, rest = body[i], body[i + 1 :]
        i += 1
        if not isinstance(node, Assign):
            continue
        after = next((j for j, s in enumerate(rest) if mentions(s, node.name)), len(rest))
        if after < len(rest):
            then = rest[after]
            between = set().union(*map(written, rest[:after]))
            steady = not any(n in between for n in names(node.value))
            match then:
                case Assign(name, value) if name == node.name and not mentions(value, name):
                    pass
                case Assign(name, value) if name == node.name and steady and _once(value, node):
                    joined = put(value, {name: node.value})
                    if depth(joined) > _DEEPEST:
                        continue
                    rest[after] = Assign(name, joined)
                case Return(Name(id)) if id == node.name and steady:
                    rest[after] = Return(node.value)
                case _:
                    continue
        elif not exits(rest):
            continue
        i -= 1
        body = [*body[:i], *rest]
    return body


def _once(value: Expr, node: Assign) -> bool:
    if isinstance(node.value, Const):
        return True
    gens = (part for part in walk(value) if isinstance(part, Gen))
    return names(value)[node.name] == 1 and not any(mentions(gen, node.name) for gen in gens)


def _tail(body: list[Statement]) -> list[Statement]:
    """An early return joins the last return; assignments between go before both."""
    for i in range(len(body) - 2, -1, -1):
        node, rest = body[i], body[i + 1 :]
        if isinstance(node, Assign):
            continue
        if not isinstance(node, If) or node.orelse or not _straight(node.body):
            return body
        inner, outer = _values(node.body[:-1]), _values(tuple(rest[:-1]))
        early, late = node.body[-1], rest[-1]
        if inner is None or outer is None or not isinstance(early, Return):
            return body
        if not isinstance(late, Return) or any(mentions(node.test, n) for n in (*inner, *outer)):
            return body
        if any(mentions(s, n) for s in rest for n in inner):
            return body
        if any(mentions(s, n) for s in node.body for n in outer):
            return body
        value = Choice(node.test, early.value, late.value)
        if depth(value) > _DEEPEST:
            return body
        body = [*body[:i], *node.body[:-1], *rest[:-1], Return(value)]
    return body


def _straight(body: Sequence[Statement]) -> bool:
    if not body or not isinstance(body[-1], Return):
        return False
    return all(isinstance(node, Assign) for node in islice(body, len(body) - 1))
