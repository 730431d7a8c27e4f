"""Random rules (trees that are well typed, and normal ones) and random windows that excite them.

`functions` are trees as a person or a model might have meant them, `rules` the same in normal form,
as `parse` gives them. Texts of windows and of rules are made from the same few words, so that
predicates are neither always true nor always false.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NoReturn

from hypothesis import strategies as st

from logwright.rules.language.folding import normal
from logwright.rules.language.magnitudes import check_magnitudes
from logwright.rules.language.plain import Line, Window
from logwright.rules.language.problem import RuleError
from logwright.rules.language.tree import (
    And,
    Arith,
    Assign,
    Break,
    Bump,
    Call,
    Choice,
    Compare,
    Const,
    Continue,
    Expr,
    Field,
    For,
    Function,
    Gen,
    If,
    Item,
    Key,
    Lines,
    Method,
    Name,
    Neg,
    Not,
    Or,
    Return,
    Slice,
    Statement,
)  # fmt: skip

__all__ = [
    "bodies",
    "functions",
    "line_predicates",
    "lines",
    "rules",
    "texts",
    "windows",
    "written",
]

WORDS = (
    "error",
    "disk",
    "Data",
    "TLB",
    "ciod:",
    "7",
    "512",
    "node-3",
    "a=b",
    "é",
    "\udc80",
    "x" * 30,
)
GAPS = (" ", " ", " ", "", ", ", "\n")
PATTERNS = (
    r"\d+",
    r"disk (\d+)",
    r"error|TLB",
    r"(?i)data",
    r"^ciod: ",
    r"[a-z]+-(\d)$",
    r"\bTLB\b",
    "é",
    r"a=b.*7",
    r"x{3,9}",
    r"\S+: \w*",
)
NUMBERS = (r"disk (\d+)", r"(\d+)", r"node-(\d)", r"=(\w)")
LIKES = ("*disk*", "ciod: * error", "error", "*", "a*7", "*TLB *")
KEYS = ("", "a", "blk_1")
TEMPLATES = ("", "5", "7", "11")

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=4).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
_times = st.one_of(st.integers(0, 30).map(float), st.just(math.nan), st.sampled_from((1.5, -1.0)))

lines = st.builds(
    Line,
    text=texts,
    ts=_times,
    level=st.integers(0, 7),
    template=st.sampled_from(TEMPLATES),
    params=st.lists(st.sampled_from(WORDS), max_size=2),
    component=st.sampled_from(("", "kernel", "disk")),
    host=st.sampled_from(("", "node-3")),
)
windows = st.builds(Window, st.lists(lines, max_size=9), key=st.sampled_from(KEYS))


@dataclass(frozen=True)
class Scope:
    """What an expression may read: names by type; and how many loops and levels are left."""

    bools: tuple[str, ...] = ()
    ints: tuple[str, ...] = ()
    strs: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    loops: int = 2
    deep: int = 3

    def below(self) -> Scope:
        return replace(self, deep=self.deep - 1)

    def looped(self, *, line: str = "", text: str = "", index: str = "") -> Scope:
        return replace(
            self,
            lines=self.lines + ((line,) if line else ()),
            strs=self.strs + ((text,) if text else ()),
            ints=self.ints + ((index,) if index else ()),
            loops=self.loops - 1,
            deep=self.deep - 1,
        )


def _names(names: tuple[str, ...]) -> list[st.SearchStrategy[Expr]]:
    return [st.sampled_from(names).map(Name)] if names else []


_CONST_INTS = st.integers(-3, 6).map(Const)
_CONST_TEXTS = st.sampled_from(WORDS).map(Const)
_ORDER = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
_EQUAL = st.sampled_from(("==", "!="))


@st.composite
def _line(draw: st.DrawFn, scope: Scope) -> Expr:
    if scope.lines and draw(st.integers(0, 5)):
        return Name(draw(st.sampled_from(scope.lines)))
    return Item(Lines(), draw(ints(replace(scope, deep=0))))


@st.composite
def many_lines(draw: st.DrawFn, scope: Scope) -> Expr:
    """``w.lines`` and slices of it."""
    if draw(st.integers(0, 3)):
        return Lines()
    ends = st.none() | ints(replace(scope, deep=0))
    return Slice(Lines(), draw(ends), draw(ends))


@st.composite
def strs(draw: st.DrawFn, scope: Scope) -> Expr:
    """Expressions that are texts and no constants."""
    fields = st.sampled_from(("text", "text", "text", "template", "component", "host"))
    choices = [st.builds(Field, _line(scope), fields), *_names(scope.strs)]
    if scope.deep > 0:
        inner = scope.below()
        params = st.builds(Field, _line(inner), st.just("params"))
        choices += [
            st.just(Key()),
            st.builds(Item, params, ints(replace(inner, deep=0))),
            st.builds(
                Method, strs(inner), st.sampled_from(("lower", "upper", "strip")), st.just(())
            ),
            st.builds(Choice, bools(inner), strs(inner), _CONST_TEXTS),
        ]
    return draw(st.one_of(choices))


@st.composite
def _over(draw: st.DrawFn, scope: Scope) -> tuple[tuple[str, ...], Expr, Scope]:
    """Names, what they go over, and the scope inside."""
    used = 2 - scope.loops
    line, index = "line" + str(used or ""), "i" + str(used or "")
    match draw(
        st.sampled_from(("lines", "lines", "lines", "slice", "enumerate", "range", "params"))
    ):
        case "enumerate":
            over: Expr = Call("enumerate", (draw(many_lines(scope)),))
            return (index, line), over, scope.looped(line=line, index=index)
        case "range":
            count = Const(draw(st.integers(0, 6)))
            return (index,), Call("range", (count,)), scope.looped(index=index)
        case "params":
            of = draw(_line(scope))
            return (f"p{used}",), Field(of, "params"), scope.looped(text=f"p{used}")
        case "slice":
            return (line,), draw(many_lines(scope)), scope.looped(line=line)
    return (line,), Lines(), scope.looped(line=line)


@st.composite
def gens(draw: st.DrawFn, scope: Scope, kind: str) -> Gen:
    """Generators of bools, ints, floats or texts."""
    bound, over, inner = draw(_over(scope))
    value = {"bool": bools, "int": ints, "float": floats, "str": strs}[kind](inner)
    where = draw(st.none() | bools(inner)) if scope.deep > 1 else None
    return Gen(draw(value), bound, over, where)


@st.composite
def ints(draw: st.DrawFn, scope: Scope) -> Expr:
    """Whole numbers."""
    choices = [_CONST_INTS, *_names(scope.ints)]
    if scope.deep > 0:
        inner = scope.below()
        choices += [
            st.just(Call("len", (Lines(),))),
            st.builds(Field, _line(inner), st.just("level")),
            st.builds(lambda of, t: Method(of, "count", (t,)), strs(inner), _CONST_TEXTS),
            st.builds(lambda of: Call("len", (of,)), strs(inner)),
            st.builds(Neg, ints(inner)),
            st.builds(Arith, st.sampled_from("+-"), ints(inner), ints(inner)),
            st.builds(Arith, st.just("*"), ints(inner), _CONST_INTS),
            st.builds(Arith, st.sampled_from(("//", "%")), ints(inner), st.just(Const(3))),
            st.builds(Choice, bools(inner), ints(inner), ints(inner)),
            st.builds(lambda a, b: Call("max", (a, b)), ints(inner), ints(inner)),
            st.builds(lambda a: Call("abs", (a,)), ints(inner)),
        ]
        if scope.loops > 0:
            one = st.sampled_from(("first", "last", "sum", "sum"))
            choices += [
                st.builds(lambda f, g: Call(f, (g,)), one, gens(scope, "bool")),
                st.builds(lambda g: Call("distinct", (g,)), gens(scope, "str")),
            ]
            if scope.loops == 2:
                small = replace(scope, loops=1, ints=())
                choices += [st.builds(lambda g: Call("sum", (g,)), gens(small, "int"))]
    return draw(st.one_of(choices))


@st.composite
def floats(draw: st.DrawFn, scope: Scope) -> Expr:
    """Numbers with a fraction; nan among them."""
    choices: list[st.SearchStrategy[Expr]] = [
        st.sampled_from((0.0, 0.5, 2.0, 512.0, 1e9)).map(Const),
        st.builds(Field, _line(scope), st.just("ts")),
    ]
    if scope.deep > 0:
        inner = scope.below()
        choices += [
            st.builds(
                lambda p, t: Call("number", (Const(p), t)), st.sampled_from(NUMBERS), strs(inner)
            ),
            st.just(Call("longest_gap", (Name("w"),))),
            st.builds(Arith, st.sampled_from("+-"), floats(inner), floats(inner)),
            st.builds(Arith, st.just("/"), ints(inner), st.just(Const(4))),
            st.builds(lambda a, b: Call("ratio", (a, b)), ints(inner), ints(inner)),
        ]
        if scope.loops > 0:
            ends = st.sampled_from(("min", "max", "sum"))
            choices += [st.builds(lambda f, g: Call(f, (g,)), ends, gens(scope, "float"))]
    return draw(st.one_of(choices))


@st.composite
def bools(draw: st.DrawFn, scope: Scope) -> Expr:
    """Conditions."""
    flat = replace(scope, deep=0)
    choices = [
        st.builds(
            lambda p, t: Call("search", (Const(p), t)), st.sampled_from(PATTERNS), strs(flat)
        ),
        st.builds(lambda t, p: Call("phrase", (t, p)), strs(flat), _CONST_TEXTS),
        st.builds(lambda t, p: Call("like", (t, Const(p))), strs(flat), st.sampled_from(LIKES)),
        st.builds(Compare, st.sampled_from(("in", "not in")), _CONST_TEXTS, strs(flat)),
        st.builds(Compare, _EQUAL, strs(flat), _CONST_TEXTS),
        st.builds(Compare, _ORDER, ints(flat), _CONST_INTS),
        st.builds(
            lambda of, name, t: Method(of, name, (t,)),
            strs(flat),
            st.sampled_from(("startswith", "endswith")),
            _CONST_TEXTS,
        ),
        *_names(scope.bools),
    ]
    if scope.deep > 0:
        inner = scope.below()
        parts = st.lists(bools(inner), min_size=2, max_size=3).map(tuple)
        choices += [
            st.builds(And, parts),
            st.builds(Or, parts),
            st.builds(Not, bools(inner)),
            st.builds(Choice, bools(inner), bools(inner), bools(inner)),
            st.builds(Compare, _ORDER, ints(inner), ints(inner)),
            st.builds(Compare, _ORDER, floats(inner), floats(inner) | ints(inner)),
            st.booleans().map(Const),
        ]
        if scope.loops > 0:
            some = st.sampled_from(("any", "all", "any"))
            each = gens(scope, "bool")
            events = st.integers(1, 4).map(Const)
            seconds = st.sampled_from((1.0, 5.0, 0.5)).map(Const)
            ln = f"ln{scope.loops}"
            every = st.builds(lambda v: Gen(v, (ln,), Lines()), bools(scope.looped(line=ln)))
            choices += [
                st.builds(lambda f, g: Call(f, (g,)), some, each),
                st.builds(lambda f, g: Call(f, (g,)), some, each),
                st.builds(lambda a, b, n: Call("followed", (a, b, n)), each, each, events),
                st.builds(
                    lambda a, b, s: Call("followed_in", (Name("w"), a, b, s)), every, every, seconds
                ),
            ]
    return draw(st.one_of(choices))


@st.composite
def line_predicates(draw: st.DrawFn, deep: int = 2) -> Expr:
    """Conditions on one line, named ``line``."""
    return draw(bools(Scope(lines=("line",), loops=0, deep=deep)))


@st.composite
def bodies(
    draw: st.DrawFn, scope: Scope, deep: int, looping: bool
) -> tuple[tuple[Statement, ...], Scope]:
    """Statements that need not return; and what may be read after them."""
    out: list[Statement] = []
    for _ in range(draw(st.integers(1, 3))):
        node, scope = draw(_statement(scope, deep, looping))
        out.append(node)
    return tuple(out), scope


@st.composite
def _statement(draw: st.DrawFn, scope: Scope, deep: int, looping: bool) -> tuple[Statement, Scope]:
    small = replace(scope, deep=min(scope.deep, 2))
    kinds = ["bool", "return"] + ["break", "continue", "skip", "find", "count", "count"] * looping
    kinds += ["int", "bump"] * (not looping) + ["if", "if", "if"] * (deep > 0)
    kinds += ["for", "for"] * (deep > 0 and scope.loops > 0)
    counters = tuple(name for name in scope.ints if name in ("n", "m"))
    match draw(st.sampled_from(kinds)):
        case "bool":
            name = draw(st.sampled_from(("hit", "bad") if not looping else scope.bools or ("tmp",)))
            after = replace(scope, bools=tuple({*scope.bools, name}))
            return Assign(name, draw(bools(small))), after
        case "int":
            name = draw(st.sampled_from("nm"))
            after = replace(scope, ints=tuple({*scope.ints, name}))
            return Assign(name, draw(ints(small) | st.just(Const(0)))), after
        case "bump" if counters:
            name = draw(st.sampled_from(counters))
            value = draw(st.just(Const(1)) | ints(replace(small, ints=(), deep=1)))
            return Bump(name, draw(st.sampled_from(("+=", "+=", "-="))), value), scope
        case "skip":
            return If(draw(bools(small)), (Continue(),)), scope
        case "find":
            found: tuple[Statement, ...] = (Return(Const(draw(st.booleans()))),)
            return If(draw(bools(small)), found), scope
        case "count" if counters:
            step = Bump(draw(st.sampled_from(counters)), "+=", Const(draw(st.integers(1, 2))))
            return If(draw(bools(small)), (step,)), scope
        case "break" if looping:
            return Break(), scope
        case "continue" if looping:
            return Continue(), scope
        case "if":
            test = draw(bools(small))
            body, _ = draw(bodies(scope, deep - 1, looping))
            orelse = draw(bodies(scope, deep - 1, looping))[0] if draw(st.booleans()) else ()
            return If(test, body, orelse), scope
        case "for":
            bound, over, inner = draw(_over(scope))
            body, _ = draw(bodies(replace(inner, deep=2), deep - 1, True))
            return For(bound, over, body), scope
    return Return(draw(bools(small))), scope


@st.composite
def functions(draw: st.DrawFn, deep: int = 2) -> Function:
    """Rules as somebody might have written them: with loops, counters, flags, early returns."""
    scope = Scope(deep=deep)
    body: tuple[Statement, ...] = ()
    if draw(st.booleans()):
        body = (Assign("n", Const(0)), Assign("hit", Const(False)))
        scope = replace(scope, ints=("n",), bools=("hit",))
    for _ in range(draw(st.integers(0, 3))):
        more, scope = draw(bodies(scope, 2, False))
        body += more
    doc = draw(st.sampled_from(("", "What it catches.", 'Two\nlines with "quotes" and \\d.')))
    return Function(doc, (*body, Return(draw(bools(scope)))))


def _fits(function: Function) -> bool:
    """Not so where random sums of sums could grow beyond what the gate lets through."""

    def refuse(_node: object, sentence: str) -> NoReturn:
        raise RuleError(sentence)

    try:
        check_magnitudes(function, frozenset({"n", "m", "i", "i1"}), refuse)
    except RuleError:
        return False
    return True


rules = functions().map(normal).filter(_fits)
"""Rules in normal form: what `parse` gives."""


def written(text: str) -> str:
    """A rule's text from the lines of its body."""
    body = "\n".join("    " + line for line in text.strip("\n").split("\n"))
    return f"def rule(w: Window) -> bool:\n{body}\n"
