"""The engine against the plain functions, over random rules, windows and batch boundaries."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME, LineBatch
from logwright.logs.coder import ShapeCoder
from logwright.logs.shapes import mask
from logwright.rules.engine import classing
from logwright.rules.engine import engine as engine_module
from logwright.rules.engine.classing import Naming
from logwright.rules.engine.engine import Bools, Engine
from logwright.rules.engine.table import Table
from logwright.rules.language.emit import callable_of
from logwright.rules.language.plain import READ, Line, Window
from logwright.rules.language.tree import (
    And,
    Arith,
    Assign,
    Call,
    Choice,
    Compare,
    Const,
    Expr,
    Field,
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
)  # fmt: skip
from logwright.windows.window import Events, Windows
from rule_strategies import NUMBERS, PATTERNS, line_predicates, rules, windows

_LINE = Name("line")
_TEXT = Field(_LINE, "text")


def _is(value: Expr) -> Function:
    return Function("", (Return(value),))


def _any(test: Expr, over: Expr = Lines()) -> Expr:  # noqa: B008 - frozen
    return Call("any", (Gen(test, ("line",), over),))


def _sum(test: Expr, over: Expr = Lines()) -> Expr:  # noqa: B008
    return Call("sum", (Gen(test, ("line",), over),))


def _template(content: bytes) -> str:
    """A template's id, which depends on the shape alone."""
    return ("5", "7", "11")[len(mask(content)) % 3] if content.strip() else ""


def _sound(shown: Sequence[Window]) -> list[Window]:
    """The windows with templates and parameters that follow from the text, as in logs."""
    out = []
    for window in shown:
        told = []
        for line in window.lines:
            template = _template(line.text.encode("utf-8", "surrogateescape"))
            params = [line.text[-3:]]
            host, component = line.host, line.component
            told.append(Line(line.text, line.ts, line.level, template, params, component, host))
        out.append(Window(told, window.key))
    return out


# --- a log made of windows ------------------------------------------------------------------------


class Log:
    """The lines of windows, interleaved or not, as batches cut anywhere."""

    def __init__(
        self,
        shown: Sequence[Window],
        cuts: Sequence[int] = (),
        json: bool = False,
        most_shapes: int = 10_000,
    ) -> None:
        self.shown, self.json = shown, json
        self.lines = [line for window in shown for line in window.lines]
        self.hosts = sorted({line.host for line in self.lines} - {""})
        self.components = sorted({line.component for line in self.lines} - {""})
        self.coder = ShapeCoder(most_shapes)
        self.templates: dict[int, str] = {}
        edges = [0, *sorted({min(c, len(self.lines)) for c in cuts} - {0}), len(self.lines)]
        self.batches = [self._batch(self.lines[a:b]) for a, b in itertools.pairwise(edges)]
        self.naming = Naming(
            [h.encode() for h in self.hosts],
            [c.encode() for c in self.components],
            self.templates.__getitem__,
            lambda shape, content: [content.decode("utf-8", "surrogateescape")[-3:]],
        )

    def _batch(self, some: Sequence[Line]) -> LineBatch:
        contents = [line.text.encode("utf-8", "surrogateescape") for line in some]
        # headers with digits of their own, which no rule may see
        buf, begin, stop = b"", [], []
        for i, content in enumerate(contents):
            buf += b"%d error 7 " % i
            begin.append(len(buf))
            buf += content
            stop.append(len(buf))
            buf += b"\n"
        start, end = np.array(begin, np.int64), np.array(stop, np.int64)
        none = np.full(len(some), -1, np.int32)
        shape = self.coder.encode(buf, start, end)
        self.templates |= {c: _template(t) for c, t in zip(shape.tolist(), contents, strict=True)}

        def code(names: Sequence[str], values: Sequence[str]) -> np.ndarray:
            return np.array([names.index(v) if v else -1 for v in values], np.int32)

        ts = [NO_TIME if math.isnan(line.ts) else round(line.ts * 1e9) for line in some]
        return LineBatch(
            buf, 0, start, end, start, shape, np.array(ts, np.int64),
            np.array([line.level for line in some], np.int8),
            code(self.hosts, [line.host for line in some]),
            code(self.components, [line.component for line in some]),
            none, none, start, np.arange(len(some), dtype=np.int64),
            source_text=b"" if self.json else None,
        )  # fmt: skip

    @property
    def windows(self) -> tuple[Windows, list[str]]:
        ids = sorted({line.template for line in self.lines})
        n = len(self.lines)
        events = Events(
            np.array([ids.index(line.template) for line in self.lines], np.int32),
            np.concatenate([b.ts for b in self.batches]),
            np.zeros(n, np.int8),
            np.zeros(n, np.int32),
            np.arange(n, dtype=np.int64),
        )
        bounds = np.cumsum([0, *(len(w.lines) for w in self.shown)]).astype(np.int64)
        number = np.arange(len(self.shown), dtype=np.int64)
        late = np.zeros(len(self.shown), bool)
        return Windows("session", bounds, events, number, number, late), ids


def _by_engine(named: dict[str, Function], log: Log) -> tuple[Engine, Bools]:
    engine, row = Engine(named), 0
    for batch in log.batches:
        engine.look(batch, row, log.naming)
        row += len(batch)
    return engine, _judge(engine, log)


def _judge(engine: Engine, log: Log) -> Bools:
    held, ids = log.windows
    return engine.judge(held, lambda: [w.key for w in log.shown], ids)


def _plainly(named: dict[str, Function], shown: Sequence[Window]) -> Bools:
    tests = [callable_of(function) for function in named.values()]
    out = np.zeros((len(shown), len(named)), bool)
    for i, window in enumerate(shown):
        out[i] = [test(window) for test in tests]
    return out


def _check(named: dict[str, Function], given: Sequence[Window], cuts: Sequence[int] = ()) -> Engine:
    shown = _sound(given)
    expected = _plainly(named, shown)
    engine = Engine(named)
    compiled = [name not in engine.plain for name in named]
    found = {"a table": engine.of_table(Table.of_windows(shown))}
    engine, found["batches"] = _by_engine(named, log := Log(shown, cuts))
    found["batches again"] = _judge(engine, log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "_FEW", -1)
        found["many windows"] = _judge(engine, log)
        patch.setattr(engine_module, "_FEW", 512)
        patch.setattr(engine_module, "_MEMO", -1)
        found["a full memory"] = _judge(engine, log)
    _, found["JSON lines"] = _by_engine(named, Log(shown, cuts, json=True))
    with pytest.MonkeyPatch.context() as patch:  # so that even a few lines are too many
        patch.setattr(classing, "_WILD_FROM", 1)
        patch.setattr(classing, "_WILD_SHARE", 0.0)
        _, found["wild shapes"] = _by_engine(named, Log(shown, cuts))
        _, found["wild JSON lines"] = _by_engine(named, Log(shown, cuts, json=True))
        patch.setattr(classing, "_MOST", 2)
        _, found["full tables"] = _by_engine(named, Log(shown, cuts))
    for what, holds in found.items():
        assert (holds == expected)[:, compiled].all(), what
    return engine


# --- random rules ---------------------------------------------------------------------------------

_WORDS = ("error", "TLB", "core.", "7", "512", "(5", "ab/cd", "é", "\udc80", "a\0b", "deadbeef",
          "aGVsbkJXbvJsZFQqTWzZ", "Σ", "ΑΣ", "K")  # fmt: skip
_GLUE = st.sampled_from((" ", " ", "", ", ", "=", "0", "x", ":", "\t", "\r"))
_texts = st.lists(st.tuples(st.sampled_from(_WORDS), _GLUE), max_size=5).map(
    lambda pairs: "".join(w + g for w, g in pairs)
)
_consts = st.one_of(st.sampled_from(_WORDS), _texts).map(Const)
_cased = st.sampled_from(
    (_TEXT, _TEXT, _TEXT, Method(_TEXT, "lower", ()), Method(_TEXT, "upper", ()),
     Method(_TEXT, "strip", ()))
)  # fmt: skip
_patterns = st.sampled_from(
    (*PATTERNS, r"core\.\d+", r"(?i)ERROR|tlb", r"code=5", r"[1-5]{2}", r"[0-9a-f]{7}", r"\bTLB$",
     r"(\d)\1", r"(error|TLB) \S+", r"5+", r"^\S*7", r"(?i)k")
)  # fmt: skip
_numbers = st.builds(
    lambda p, t, op, k: Compare(op, Call("number", (Const(p), t)), Const(k)),
    st.sampled_from((*NUMBERS, r"core\.(\d+)", r"5(\d+)")), _cased,
    st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), st.sampled_from((0, 7, 7.0, 512)),
)  # fmt: skip
_atoms = st.one_of(
    st.builds(lambda t, c: Call("phrase", (t, c)), _cased, _consts),
    st.builds(Compare, st.sampled_from(("in", "not in")), _consts, _cased),
    st.builds(lambda p, t: Call("search", (Const(p), t)), _patterns, _cased),
    st.builds(Compare, st.sampled_from(("==", "!=")), _cased, _consts),
    st.builds(
        lambda t, c, d: Call("like", (t, Const(f"{c}*{d}"))), _cased, _texts,
        st.sampled_from(_WORDS),
    ),
    st.builds(
        lambda t, n, c: Method(t, n, (c,)), _cased, st.sampled_from(("startswith", "endswith")),
        _consts,
    ),
    st.builds(
        lambda t, c, k: Compare(">=", Method(t, "count", (c,)), Const(k)), _cased, _consts,
        st.integers(0, 2),
    ),
    st.builds(lambda k: Compare(">", Call("len", (_TEXT,)), Const(k)), st.integers(0, 9)),
    st.builds(lambda k: Compare(">=", Field(_LINE, "level"), Const(k)), st.integers(0, 7)),
    st.builds(
        lambda f, c: Compare("==", Field(_LINE, f), Const(c)),
        st.sampled_from(("component", "host", "template")),
        st.sampled_from(("", "disk", "node-3", "5")),
    ),
    _numbers,
)  # fmt: skip
_predicates = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda a, b: And((a, b)), inner, inner),
        st.builds(lambda a, b: Or((a, b)), inner, inner),
        st.builds(Choice, inner, inner, inner),
    ),
    max_leaves=4,
)
_ends = st.none() | st.integers(-3, 3).map(Const)
_overs = st.one_of(
    st.just(Lines()), st.just(Lines()), st.builds(Slice, st.just(Lines()), _ends, _ends)
)


def _gens(*, whole: bool = False) -> st.SearchStrategy[Gen]:
    if whole:
        return st.builds(lambda p: Gen(p, ("line",), Lines()), _predicates)
    where = st.none() | _predicates
    return st.builds(lambda p, o, q: Gen(p, ("line",), o, q), _predicates, _overs, where)


_facts: st.SearchStrategy[Expr] = st.one_of(
    st.builds(lambda g: Call("sum", (g,)), _gens()),
    st.builds(
        lambda f, g: Call(f, (replace(g, where=None),)), st.sampled_from(("first", "last")), _gens()
    ),
    st.builds(lambda o: Call("len", (o,)), _overs),
    st.just(Call("longest_gap", (Name("w"),))),
    st.just(Call("distinct", (Gen(Field(_LINE, "template"), ("line",), Lines()),))),
    st.integers(-2, 5).map(Const),
    st.builds(lambda i: Field(Item(Lines(), Const(i)), "ts"), st.integers(-4, 4)),
)
_amounts = st.recursive(
    _facts,
    lambda inner: st.one_of(
        st.builds(Arith, st.sampled_from("+-"), inner, inner),
        st.builds(Neg, inner),
        st.builds(lambda a: Arith("*", a, Const(3)), inner),
        st.builds(lambda a, b: Call("ratio", (a, b)), inner, inner),
        st.builds(lambda f, a, b: Call(f, (a, b)), st.sampled_from(("min", "max")), inner, inner),
        st.builds(lambda a: Call("abs", (a,)), inner),
    ),
    max_leaves=3,
)
_conditions: st.SearchStrategy[Expr] = st.one_of(
    st.builds(lambda f, g: Call(f, (g,)), st.sampled_from(("any", "all")), _gens()),
    st.builds(Compare, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), _amounts, _amounts),
    st.builds(
        lambda a, b, n: Call("followed", (a, b, Const(n))), _gens(whole=True), _gens(whole=True),
        st.integers(0, 4),
    ),
    st.builds(
        lambda a, b, s: Call("followed_in", (Name("w"), a, b, Const(s))), _gens(whole=True),
        _gens(whole=True), st.sampled_from((0.5, 1.0, 5)),
    ),
    st.builds(
        lambda i, c: Call("phrase", (Field(Item(Lines(), Const(i)), "text"), c)),
        st.integers(-4, 4), _consts,
    ),
    st.just(Compare("==", Key(), Const("a"))),
)  # fmt: skip


@st.composite
def compilable(draw: st.DrawFn) -> Function:
    """Rules that the engine compiles: conditions, names, branches."""
    one, two, three = draw(_conditions), draw(_conditions), draw(_conditions)
    held = Assign("held", one)
    match draw(st.sampled_from(("one", "and", "or", "if", "else"))):
        case "and":
            return Function("", (held, Return(And((Name("held"), Not(two))))))
        case "or":
            return _is(Or((one, And((two, three)))))
        case "if":
            return Function("", (held, If(Name("held"), (Return(two),)), Return(three)))
        case "else":
            branch = If(two, (Assign("held", three),), (Assign("held", Not(one)),))
            return Function("", (branch, Return(Name("held"))))
    return _is(one)


_few_lines = st.builds(
    Line, _texts,
    ts=st.one_of(st.integers(0, 20).map(float), st.just(math.nan)),
    level=st.integers(0, 7), template=st.sampled_from(("", "5", "7")), params=st.just(()),
    component=st.sampled_from(("", "disk")), host=st.sampled_from(("", "node-3")),
)  # fmt: skip
_shown = st.lists(
    st.builds(Window, st.lists(_few_lines, max_size=6), st.sampled_from(("", "a"))), max_size=4
)
_cuts = st.lists(st.integers(0, 20), max_size=3)


def _named(some: Sequence[Function]) -> dict[str, Function]:
    return {f"r{i}": rule for i, rule in enumerate(some)}


@pytest.mark.slow
@settings(deadline=None, max_examples=120)
@given(st.lists(compilable(), min_size=1, max_size=4), _shown, _cuts)
def test_compiled_rules_say_what_the_plain_functions_say(some, shown, cuts) -> None:
    engine = _check(_named(some), shown, cuts)
    assert not engine.plain


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(st.lists(rules, min_size=1, max_size=3), st.lists(windows, max_size=3), _cuts)
def test_any_rule_says_what_the_plain_function_says(some, shown, cuts) -> None:
    _check(_named(some), shown, cuts)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(line_predicates(), min_size=1, max_size=4), st.lists(windows, max_size=3), _cuts)
def test_line_predicates_are_those_of_plain_functions(some, shown, cuts) -> None:
    _check(_named([_is(_any(test)) for test in some]), shown, cuts)


def _windows(*texts: Sequence[str]) -> list[Window]:
    return [Window.of_texts(each) for each in texts]


def test_numbers_are_read_from_lines_that_differ_in_digits_alone() -> None:
    number = Call("number", (Const(r"took ([-\d.]+)"), _TEXT))
    over = _is(_any(Compare(">", number, Const(500))))
    code = _is(_any(Call("phrase", (_TEXT, Const("code 512")))))
    shown = _windows(
        *([f"took {n} ms"] for n in (499, 500, 501, 502, 999, 100, 101, 600, 7)),
        ["took 1.5"], ["took 501.5"], ["took -501"], ["took 0501"], ["took x 900"], ["é took 900"],
        ["é took 400"], ["took 99999999999999999"], ["took --1"],
        *([f"code {n}"] for n in range(506, 515)),
    )  # fmt: skip
    _check({"over": over, "code": code}, shown, [3, 7])
    engine = _check({"over": over, "code": code}, shown)
    alone = ["took 7 ms", "took 1.5", "took 501.5", "took -501", "took 0501", "é took 900"]
    alone += ["é took 400", "took 99999999999999999"]
    assert engine.looked_at == len(alone)  # of others there are enough to be read as columns


_digited = st.text(alphabet="0127a .é(", min_size=1, max_size=6)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    st.lists(_digited.filter(lambda text: any(c in "0127" for c in text)), min_size=1, max_size=3),
    st.lists(st.text(alphabet="0127a .é(", min_size=1, max_size=14), min_size=1, max_size=12),
)
def test_texts_with_digits_are_found_where_the_plain_functions_find_them(asked, lines) -> None:
    rules = {}
    for i, text in enumerate(asked):
        one = Const(text)
        tests = {
            "in": Compare("in", one, _TEXT),
            "is": Compare("==", _TEXT, one),
            "phrase": Call("phrase", (_TEXT, one)),
            "starts": Method(_TEXT, "startswith", (one,)),
            "ends": Method(_TEXT, "endswith", (one,)),
        }
        rules |= {f"{name}_{i}": _is(_any(test)) for name, test in tests.items()}
    digits = str.maketrans("0127", "1270")
    turned = [lines]
    for _ in range(3):
        turned.append([line.translate(digits) for line in turned[-1]])
    _check(rules, _windows(*([line] for each in turned * 3 for line in each)), [])


def test_a_rule_that_is_not_compiled_goes_to_the_runner() -> None:
    lengths = Call("max", (Gen(Call("len", (_TEXT,)), ("line",), Lines()),))
    named = {
        "long": _is(Compare(">", lengths, Const(3))),
        "disk": _is(_any(Compare("in", Const("disk"), _TEXT))),
    }
    table = Table.of_windows(_windows(["disk"], ["ok"]))
    engine = Engine(named)
    assert engine.plain == {"long": "it asks for the max() of many values"}
    rule = callable_of(named["long"])
    asked: list[str] = []

    def runner(name: str, numbers: Sequence[int]) -> list[bool]:
        asked.append(name)
        return [rule(table.window(i)) for i in numbers]

    assert engine.of_table(table, runner).tolist() == [[True, True], [False, False]]
    assert asked == ["long"]


def test_lines_that_were_put_in_order_of_time_keep_their_predicates() -> None:
    named = {"disk": _is(_any(Compare("in", Const("disk"), _TEXT)))}
    log = Log(_windows(["ok", "ok"], ["disk 1", "ok"]))
    engine = Engine(named)
    engine.look(log.batches[0], 0)
    engine.place(lambda rows: 3 - rows)  # the other way round
    held, ids = log.windows
    assert engine.judge(held, lambda: ["", ""], ids).tolist() == [[True], [False]]


def test_lines_of_closed_windows_are_forgotten() -> None:
    engine = Engine({"disk": _is(_any(Compare("in", Const("disk"), _TEXT)))})
    for row in range(0, 400, 2):
        engine.look(Log(_windows(["disk 1", "ok"])).batches[0], row)
        engine.drop(row)
    assert engine.kept_blocks == 1


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("disk 17", "x=5 7", "a=b 7", "node-3", "TLB", "é", "data")),
            st.sampled_from((" ", "a", "é", "7", " 12")),
            st.integers(READ - 12, READ + 3),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(PATTERNS),
    st.sampled_from(NUMBERS),
)
@settings(max_examples=60)
def test_of_long_lines_both_read_the_same_beginning(
    parts: list[tuple[str, str, int]], pattern: str, counting: str
) -> None:
    texts = [fill * (at // len(fill)) + what for what, fill, at in parts]
    number = Call("number", (Const(counting), _TEXT))
    lowered = Call("search", (Const(pattern), Method(_TEXT, "lower", ())))
    _check(
        {
            "found": _is(_any(Call("search", (Const(pattern), _TEXT)))),
            "lowered": _is(_any(lowered)),
            "over": _is(_any(Compare(">", number, Const(5)))),
            "none": _is(_any(Compare("!=", number, number))),
        },
        _windows(*([text] for text in (*texts, *texts))),
        [2],
    )


def test_numbers_that_cross_the_end_of_what_is_read_are_cut_there() -> None:
    over = Compare(">", Call("number", (Const(r"disk (\d+)"), _TEXT)), Const(50))
    begin = "x" * (READ - 8) + " disk "
    _check({"over": _is(_any(over))}, _windows(*([f"{begin}{n}34"] for n in range(30, 70))))


def test_values_that_depend_on_each_other_too_often_run_plainly() -> None:
    steps = [Assign("a0", Call("longest_gap", (Name("w"),)))]
    for i in range(110):
        steps.append(Assign(f"a{i + 1}", Arith("+", Name(f"a{i}"), Const(0.5))))
    rule = Function("", (*steps, Return(Compare(">", Name("a110"), Const(75)))))
    assert "too often" in Engine({"rule": rule}).plain["rule"]


def test_what_stands_late_in_a_long_line_is_not_searched() -> None:
    rule = callable_of(_is(_any(Call("search", (Const("disk"), _TEXT)))))
    for late in (False, True):
        text = "x" * (READ - 4 + late) + "disk"
        assert rule(Window([Line(text)])) is not late


def test_shapes_beyond_the_limit_are_read_by_their_text() -> None:
    shown = _sound(_windows(["a disk", "b disk"], ["c ok", "d ok"], ["e disk 7"]))
    rule = {"disk": _is(_any(Call("phrase", (_TEXT, Const("disk")))))}
    _, found = _by_engine(rule, Log(shown, most_shapes=1))
    assert found.tolist() == [[True], [False], [True]]


def test_one_pass_over_a_table_of_templates() -> None:
    held = Windows.of_sequences([[0, 1], [1]])
    table = Table.of_templates(held, ["disk <*> failed", "ok"], ["t-1", "t-2"])
    engine = Engine(
        {
            "disk": _is(_any(Call("phrase", (_TEXT, Const("failed"))))),
            "id": _is(_any(Compare("==", Field(_LINE, "template"), Const("t-2")))),
        }
    )
    assert engine.of_table(table).tolist() == [[True, True], [False, True]]
    assert [line.text for line in table.window(0).lines] == ["disk <*> failed", "ok"]


def test_a_pattern_that_tells_digits_apart_is_asked_of_each_line() -> None:
    five = _is(_any(Call("search", (Const(r"code=5\d"), _TEXT))))
    twice = _is(_any(Call("search", (Const(r"(\d)\1"), _TEXT))))
    _check({"five": five, "twice": twice}, _windows(["code=51"], ["code=61"], ["code=66"]), [1])


def test_what_follows_just_in_time_is_in_time() -> None:
    a, b = (Gen(Compare("in", Const(word), _TEXT), ("line",), Lines()) for word in ("open", "shut"))
    rule = _is(Call("followed_in", (Name("w"), a, b, Const(5))))
    shown = [Window([Line("open 1", 2.0), Line("shut 1", 2.0 + late)]) for late in (5.0, 5.5, -1.0)]
    _check({"shut": rule}, shown)
    assert Engine({"shut": rule}).of_table(Table.of_windows(shown)).tolist() == [
        [True],
        [False],
        [True],
    ]


def test_the_same_text_at_another_level_is_another_line() -> None:
    severe = Compare(">=", Field(_LINE, "level"), Const(6))
    rule = _is(_any(And((Compare("in", Const("err"), _TEXT), severe))))
    shown = [Window([Line("err 1", level=level)]) for level in (3, 6)]
    _check({"severe": rule}, shown)
