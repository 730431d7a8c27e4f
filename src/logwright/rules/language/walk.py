"""Walk: what can be asked of any tree (its parts, names, size) and how trees are made from trees.

All functions take expressions, statements and whole functions alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from logwright.rules.language.tree import Assign, Bump, Expr, For, Function, Gen, Name, Statement

__all__ = [
    "MOST_DEPTH", "MOST_NODES", "Node", "assigned", "children", "depth", "mapped", "names", "put",
    "size", "walk",
]  # fmt: skip

MOST_NODES, MOST_DEPTH = 2_000, 40
"""Of a rule's tree."""

Node = Expr | Statement | Function


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below.

    >>> from logwright.rules.language.tree import Const, Not
    >>> list(children(Not(Const(True))))
    [Const(value=True, kind='bool')]
    """
    for name in node.__slots__:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (part for part in value if not isinstance(part, str))
        elif is_dataclass(value):
            yield value  # type: ignore[misc]


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, each before what is below it."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(tuple(children(node))))


def size(node: Node) -> int:
    """How many nodes there are."""
    return sum(1 for _ in walk(node))


def depth(node: Node) -> int:
    """How many nodes stand on the longest way down."""
    deepest, stack = 0, [(node, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(node))
    return deepest


def mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """The node with each node directly below replaced by what `change` makes of it."""
    changes: dict[str, Any] = {}
    for field in fields(node):
        old = getattr(node, field.name)
        if isinstance(old, tuple):
            new: Any = tuple(change(part) if is_dataclass(part) else part for part in old)
        elif is_dataclass(old):
            new = change(old)
        else:
            continue
        if new != old:
            changes[field.name] = new
    return replace(node, **changes) if changes else node


def names(node: Node) -> Counter[str]:
    """How often each local name is read below, `w` included; not those that a generator binds.

    >>> from logwright.rules.language.tree import Compare
    >>> names(Compare("<", Name("n"), Name("m")))["n"]
    1
    """
    if isinstance(node, Name):
        return Counter([node.id])
    found: Counter[str] = Counter()
    for child in children(node):
        found += names(child)
    if isinstance(node, Bump):
        found[node.name] += 1
    if isinstance(node, Gen):
        inner = names(node.value) + (names(node.where) if node.where is not None else Counter())
        found = names(node.over) + Counter({k: n for k, n in inner.items() if k not in node.names})
    return found


def assigned(node: Node) -> Counter[str]:
    """How often each name is assigned below, variables of loops included."""
    found: Counter[str] = Counter()
    for part in walk(node):
        if isinstance(part, Assign | Bump):
            found[part.name] += 1
        elif isinstance(part, For):
            found.update(part.names)
    return found


def put(node: Any, values: dict[str, Expr]) -> Any:
    """The node with expressions put for names that are read. Whoever calls sees to it that no
    generator or loop inside binds a name that the expressions read.

    >>> from logwright.rules.language.tree import Const, Not
    >>> put(Not(Name("a")), {"a": Const(True)})
    Not(part=Const(value=True, kind='bool'))
    """
    if isinstance(node, Name):
        return values.get(node.id, node)
    if isinstance(node, Gen | For):
        inner = {k: v for k, v in values.items() if k not in node.names}
        changed = mapped(node, lambda part: put(part, inner))
        return replace(changed, over=put(node.over, values))
    return mapped(node, lambda part: put(part, values))
