"""Language: the gate. Text in, a checked tree in normal form out, or one sentence with its place.

The text is parsed by Python's own parser and never executed. Only what is known is let through:
`expressions`, `generators` and `calls` read values, this module reads the function and its
statements. The tree that comes out means the same as the text, on every window, and is all that is
ever run. docs/rules.md describes the language.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from logwright.rules.language import generators, refusals
from logwright.rules.language.emit import emit
from logwright.rules.language.expressions import Reader, Scope
from logwright.rules.language.folding import exits, normal
from logwright.rules.language.generators import bound, check_name
from logwright.rules.language.loops import unrolled
from logwright.rules.language.magnitudes import check_magnitudes
from logwright.rules.language.problem import RuleError
from logwright.rules.language.syntax import MOST_SOURCE, is_import_re, syntax
from logwright.rules.language.tree import (
    And,
    Assign,
    Break,
    Bump,
    Const,
    Continue,
    Expr,
    For,
    Function,
    If,
    Or,
    Return,
    Statement,
)  # fmt: skip
from logwright.rules.language.walk import MOST_DEPTH, MOST_NODES, depth, size
from logwright.rules.language.words import cleaned

__all__ = ["MOST_DEPTH", "MOST_NODES", "MOST_SOURCE", "RuleError", "parse", "read_function"]

_MOST_STATEMENTS = 200
_MOST_DOC = 2_000
_HEAD = "write def rule(w: Window) -> bool:"


def parse(source: str, file: str = "<rule>") -> Function:
    """The tree of a rule in normal form; `RuleError` says what stands against it, and where.

    >>> from logwright.rules.language.emit import emit
    >>> text = '''
    ... def rule(w):
    ...     for line in w.lines:
    ...         if "fatal" in line.text:
    ...             return True
    ...     return False
    ... '''
    >>> print(emit(parse(text)), end="")
    def rule(w: Window) -> bool:
        return any("fatal" in line.text for line in w.lines)
    >>> parse("def rule(w):\\n    return open(w.key)")
    Traceback (most recent call last):
    logwright.rules.language.problem.RuleError: <rule>:2:12: there is no "open" here: a rule ...
    """
    body = syntax(source, file, MOST_SOURCE)
    if body and is_import_re(body[0]):
        body = body[1:]
    for node in body:
        if not isinstance(node, ast.FunctionDef):
            sentence = f"a rule is one function: {_HEAD}"
            if isinstance(node, ast.Import | ast.ImportFrom | ast.AsyncFunctionDef | ast.ClassDef):
                sentence = refusals.statement(node)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                sentence += " and names are given inside it: move this line below that one"
            raise RuleError(sentence, file, node.lineno, node.col_offset + 1)
    if len(body) != 1:
        line = body[1].lineno if body else 1
        raise RuleError(f"a rule is one function: {_HEAD}", file, line, 1)
    function = body[0]
    assert isinstance(function, ast.FunctionDef)
    return read_function(function, file)


def read_function(node: ast.FunctionDef, file: str) -> Function:
    """The rule that a function of Python's tree is, in normal form."""
    return _FunctionReader(node, file).read()


class _FunctionReader:
    def __init__(self, node: ast.FunctionDef, file: str) -> None:
        self.node = node
        self.reader = Reader(file)
        self.types: dict[str, str] = {}
        self.statements = 0
        self.once: frozenset[str] = frozenset()

    def read(self) -> Function:
        self._head()
        doc, body = self._doc()
        if body and is_import_re(body[0]):
            body = body[1:]
        times = self._assigned(body)
        self.once = frozenset(name for name, count in times.items() if count == 1)
        known = frozenset(n.id for n in ast.walk(self.node) if isinstance(n, ast.Name))
        while True:
            before = dict(self.types)
            self.reader, self.statements = Reader(self.reader.file, known), 0
            tree, _ = self._block(body, Scope(assigned=frozenset(times)), looping=False)
            if self.types == before:
                break
        function = Function(doc, tree)
        ints = frozenset(name for name, kind in self.types.items() if kind == "int")
        self._check_shape(function)
        check_magnitudes(function, ints | self.reader.counters, self._refuse_at)
        function = normal(function)
        self._check_shape(function)
        if len(emit(function)) > MOST_SOURCE:
            self.reader.refuse(self.node, f"written out this is over {MOST_SOURCE} characters")
        return function

    def _check_shape(self, function: Function) -> None:
        if size(function) > MOST_NODES or depth(function) > MOST_DEPTH:
            self.reader.refuse(
                self.node,
                f"a rule has at most {MOST_NODES} parts, {MOST_DEPTH} inside each other (each elif "
                "stands inside the one before): join conditions that do the same with or, or write "
                "two rules",
            )

    def _refuse_at(self, tree: object, sentence: str) -> NoReturn:
        line, column = self.reader.places.get(id(tree), (self.node.lineno, 1))
        raise RuleError(sentence, self.reader.file, line, column)

    def _head(self) -> None:
        node, args = self.node, self.node.args
        if node.decorator_list:
            self.reader.refuse(node.decorator_list[0], "rules have no decorators: leave it out")
        if node.name != "rule":
            self.reader.refuse(
                node, f'the function is called rule, not "{node.name[:40]}": {_HEAD}'
            )
        given = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        extra = args.vararg or args.kwarg or (given[1] if len(given) > 1 else None)
        if extra is not None:
            self.reader.refuse(extra, f"a rule takes one window: {_HEAD}")
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self.reader.refuse(default, f"a rule's window has no default: {_HEAD}")
        if len(given) != 1 or not args.args or given[0].arg != "w":
            self.reader.refuse(given[0] if given else node, f"a rule takes one window, w: {_HEAD}")
        for annotation, name in ((args.args[0].annotation, "Window"), (node.returns, "bool")):
            match annotation:
                case None | ast.Name() | ast.Constant() if annotation is None or name in (
                    getattr(annotation, "id", None), getattr(annotation, "value", None)
                ):  # fmt: skip
                    continue
            assert annotation is not None
            self.reader.refuse(annotation, f"this annotation is {name}: {_HEAD}")
        if getattr(node, "type_params", None):
            self.reader.refuse(node, f"a rule has no type parameters: {_HEAD}")

    def _doc(self) -> tuple[str, list[ast.stmt]]:
        match self.node.body:
            case [ast.Expr(value=ast.Constant(value=str() as text)) as first, *rest]:
                if len(text) > _MOST_DOC:
                    self.reader.refuse(first, f"a docstring has at most {_MOST_DOC} characters")
                return cleaned(text), rest
        return "", self.node.body

    def _assigned(self, body: list[ast.stmt]) -> Counter[str]:
        found: Counter[str] = Counter()
        for top in body:
            for node in ast.walk(top):
                if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        parts = target.elts if isinstance(target, ast.Tuple) else [target]
                        found.update(part.id for part in parts if isinstance(part, ast.Name))
        return found

    def _block(
        self, body: list[ast.stmt], scope: Scope, *, looping: bool
    ) -> tuple[tuple[Statement, ...], Scope]:
        out: list[Statement] = []
        for node in body:
            self.statements += 1
            if self.statements > _MOST_STATEMENTS:
                self.reader.refuse(node, f"a rule has at most {_MOST_STATEMENTS} statements")
            more, scope = self._statement(node, scope, looping)
            for tree in more:
                self.reader.placed(tree, node)
            out.extend(more)
        return tuple(out), scope

    def _statement(
        self, node: ast.stmt, scope: Scope, looping: bool
    ) -> tuple[Sequence[Statement], Scope]:
        match node:
            case ast.Return(value=None):
                raise self.reader.fault(node, "a rule returns True or False")
            case ast.Return(value=ast.expr() as value):
                why = "a rule returns True or False, so what is returned must be"
                return [Return(self.reader.want(value, scope, "bool", why))], scope
            case ast.Assign():
                return self._assign(node, scope, looping)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if isinstance(
                node.annotation, ast.Name | ast.Subscript | ast.Constant
            ):
                same = ast.copy_location(ast.Assign([target], value), node)
                return self._assign(same, scope, looping)
            case ast.AugAssign():
                return [self._bump(node, scope)], scope
            case ast.If(test=test, body=yes, orelse=no):
                condition = self.reader.truth(test, scope)
                a, after = self._block(yes, scope, looping=looping)
                b, other = self._block(no, scope, looping=looping)
                return [If(condition, a, b)], _after(scope, a, after, b, other)
            case ast.For():
                listed = self.reader.texts(node.iter, scope)
                if listed is not None:
                    return self._written_out(node, listed, scope), scope
                return [self._for(node, scope)], scope
            case ast.Break() | ast.Continue():
                if not looping:
                    self.reader.refuse(node, "this stands in no loop: leave it out")
                return [Break() if isinstance(node, ast.Break) else Continue()], scope
            case ast.Pass():
                return [], scope
        raise self.reader.fault(node, refusals.statement(node))

    def _for(self, node: ast.For, scope: Scope) -> For:
        if node.orelse:
            self.reader.refuse(node.orelse[0], "rules have no else behind a loop: write it after")
        bound_, over, types = bound(self.reader, node, node.target, node.iter, scope)
        body, _ = self._block(node.body, scope.inside(types), looping=True)
        return For(bound_, over, body)

    def _written_out(
        self, node: ast.For, listed: Sequence[Const], scope: Scope
    ) -> Sequence[Statement]:
        """A loop over values that are written out: its body, for one after the other."""
        if node.orelse:
            self.reader.refuse(node.orelse[0], "rules have no else behind a loop: write it after")
        if not isinstance(node.target, ast.Name):
            self.reader.refuse(node.target, "a loop over a list gives one name: for word in WORDS")
        generators.fix(self.reader, node.target, node.target.id, listed, scope)
        rounds = []
        for const in listed:
            inner = replace(scope, fixed={**scope.fixed, node.target.id: const})
            rounds.append(self._block(node.body, inner, looping=True)[0])
        tree = unrolled(rounds)
        if tree is None:
            self.reader.refuse(
                node, "in a loop over a list, break and continue stand last in an if: write it so"
            )
        return tree

    def _assign(
        self, node: ast.Assign, scope: Scope, looping: bool
    ) -> tuple[Sequence[Statement], Scope]:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Name):
            listed = self.reader.texts(node.value, scope)
            if listed is not None:
                return [], self._list(node, target, listed, scope, looping)
        pairs = [(target, node.value) for target in node.targets]
        if len(pairs) == 1 and isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
            if len(target.elts) != len(node.value.elts):
                self.reader.refuse(node, "give each name its value on a line of its own")
        out: list[Statement] = []
        for part, given in pairs:
            if not isinstance(part, ast.Name):
                self.reader.refuse(part, "only names are assigned: write name = value")
            value, kind = self.reader.read(given, scope)
            if part.id in self.once and kind == "str" and isinstance(value, Const):
                check_name(self.reader, part, part.id)
                scope = replace(scope, fixed={**scope.fixed, part.id: value})
                continue
            if len(pairs) > 1 and not isinstance(value, Const):
                self.reader.refuse(node, "give each name its value on a line of its own")
            out.append(Assign(part.id, value))
            scope = self._give(part, part.id, kind, scope)
        return out, scope

    def _list(
        self,
        node: ast.Assign,
        target: ast.Name,
        listed: tuple[Const, ...],
        scope: Scope,
        looping: bool,
    ) -> Scope:
        check_name(self.reader, target, target.id)
        again = target.id in scope.lists or target.id in self.types
        if looping or again or scope.loops:
            self.reader.refuse(node, "a list is given its name once, before all loops")
        return replace(scope, lists={**scope.lists, target.id: listed})

    def _give(self, node: ast.AST, name: str, kind: str, scope: Scope) -> Scope:
        check_name(self.reader, node, name)
        if name in scope.lists:
            self.reader.refuse(node, f'"{name}" is a list: take another name')
        if kind == "window":
            self.reader.refuse(node, "the window is called w: use that name")
        if name in scope.types and name not in self.types:
            self.reader.refuse(node, f'"{name}" belongs to the loop: take another name')
        joined = self.reader.joined(self.types.get(name, kind), kind, node)
        self.types[name] = joined
        return replace(scope, types={**scope.types, name: joined})

    def _bump(self, node: ast.AugAssign, scope: Scope) -> Statement:
        target = node.target
        if not isinstance(target, ast.Name):
            self.reader.refuse(target, "only names are assigned: write name += 1")
        old: Expr
        old, kind = self.reader.read(ast.copy_location(ast.Name(target.id), target), scope)
        if kind == "bool" and isinstance(node.op, ast.BitOr | ast.BitAnd):
            value = self.reader.truth(node.value, scope)
            both = (old, value)
            return Assign(target.id, Or(both) if isinstance(node.op, ast.BitOr) else And(both))
        if not isinstance(node.op, ast.Add | ast.Sub) or kind not in ("int", "float"):
            self.reader.refuse(
                node, "numbers are changed by += and -= only, conditions by |= and &="
            )
        value, found = self.reader.read(node.value, scope)
        if found not in ("int", "float"):
            self.reader.refuse(
                node.value, f"this is {refusals.TYPES[found]}: write if ...: {target.id} += 1"
            )
        self._give(target, target.id, found, scope)
        return Bump(target.id, "+=" if isinstance(node.op, ast.Add) else "-=", value)


def _after(
    scope: Scope, a: Sequence[Statement], after: Scope, b: Sequence[Statement], other: Scope
) -> Scope:
    """What may be read behind an if: what both ways give, or the only way that goes on."""
    if exits(a):
        return other if not exits(b) else scope
    if exits(b):
        return after
    types = {name: kind for name, kind in after.types.items() if name in other.types}
    return replace(scope, types=types)
