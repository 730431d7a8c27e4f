"""The gate against what is no rule: attacks, mistakes and noise, each refused with its place."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks import ATTACKS
from logwright.errors import LogwrightError
from logwright.rules.language.emit import callable_of, emit
from logwright.rules.language.gate import MOST_SOURCE, parse
from logwright.rules.language.plain import Line, Window
from logwright.rules.language.problem import RuleError
from rule_strategies import functions, written

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attacks_are_refused(attack):
    with pytest.raises(RuleError) as caught:
        parse(attack.source)
    assert caught.value.line >= 1
    assert caught.value.column >= 1


# The place that the sentence names is marked by the sign ¤ before it; the sign is taken out.
REFUSED = [
    ("return ¤open('x') is None", 'no "open"'),
    ("return ¤nothing", 'no "nothing"'),
    ("return len(¤window.lines) > 1", "called w"),
    ("return ¤w.__class__ == 1", ".lines and .key"),
    ("return ¤w.lines[0].__dict__ == 1", "a line has .text"),
    ("return ¤w.lines.text == 'a'", "cannot be read of lines"),
    ("return ¤''.__class__ == 1", "cannot be read of a text"),
    ("return ¤w.key()()", "by their names"),
    ("return any(¤lambda: True for line in w.lines)", "no lambda"),
    ("return ¤f'{w.key}' == 'a'", "no f-strings"),
    ("return (¤x := 1) > 0", "no :="),
    ("return w.key == ¤None", "no None"),
    ("return w.key == ¤b'a'", "no bytes"),
    ("return w.key == ¤...", "no ..."),
    ("return len(w.lines) > ¤2j", "no complex"),
    ("return len(w.lines) > ¤99999999999999999999", "2**53"),
    ("return longest_gap(w) > ¤1e999", "too large"),
    ("return ¤'" + "x" * 501 + "' in w.key", "at most 500"),
    ("return ¤w.key + 'a' == 'b'", "make no texts"),
    ("return ¤w.key * 3 == 'b'", "make no texts"),
    ("return ¤w.key % 3 == 'b'", "make no texts"),
    ("return 1 + ¤w.key.startswith('a') > 0", "sum"),
    ("return w.key < ¤'a'", "no order"),
    ("return w.key == ¤1", "numbers with numbers"),
    ("return w.lines[0] == ¤w.lines[1]", "compare line.text"),
    ("return w.lines[0].level == ¤'ERROR'", "6 error"),
    ("return w.lines[0].level > ¤ERROR", "6 error"),
    ("return any('a' in x.text for x in ¤w)", "for line in w.lines"),
    ("return 'a' in ¤w.lines[0].lower()", "line.text.lower"),
    ("return 'a' in ¤w.lines[0].message", "write .text"),
    ("return w.lines[0].ts > ¤float('-inf')", "no nan and no inf"),
    ("return re.search('a', w.key, ¤re.M)", "only re.I"),
    ("return re.search('a', w.key, flags=¤re.I | re.M)", "only re.I"),
    ("return len(¤re.findall('a', w.key)) > 1", "text.count"),
    ("for x in ['a']:\n    for ¤x in ['b']:\n        pass", "in use"),
    (
        "n = 0\n¤for x in ['a', 'b']:\n    if x in w.key:\n        if n > 1:\n"
        "            break\n    n += 1\nreturn n > 1",
        "last in an if",
    ),
    ("for x in ['a']:\n    pass\nelse:\n    ¤return True", "no else behind"),
    ("return ¤len(w.lines) in w.key", "looks for a text"),
    ("return 'a' in ¤w.lines", "looks in a text"),
    ("return 'a' in ¤w.lines[0]", "in line.text"),
    ("return len(w.lines) is ¤1", "=="),
    ("return ¤len(w.lines)", "True or False"),
    ("return ¤'yes'", "True or False"),
    ("return 'a' in w.key or ¤'b'", "by itself"),
    ("¤return", "True or False"),
    ("return ¤2 ** 9 > 3", "+ - * / // and %"),
    ("return ¤len(w.lines) << 3 > 3", "+ - * / // and %"),
    ("return ¤len(w.lines) * len(w.key) > 3", "one side of *"),
    ("return len(w.lines) / ¤0 > 3", "by zero"),
    ("return len(w.lines) % ¤len(w.key) > 3", "written out"),
    ("return ¤~len(w.lines) > 3", "no ~"),
    ("return w.lines[::¤2] == 1", "no step"),
    ("return ¤w.key[0] == 'a'", "no positions"),
    ("return w.lines[¤'a'].text == 'a'", "a position is"),
    ("return w.lines[¤1.5].text == 'a'", "a position is"),
    ("return ¤w.key.split() == 1", "phrase"),
    ("return ¤w.key.format() == 1", "make no texts"),
    ("return ¤w.key.startswith() == 1", "called like this"),
    ("return ¤w.key.lower(1) == 1", "called like this"),
    ("return ¤re.fullmatch('a', w.key)", "write search"),
    ("return ¤re.compile('a')", "give it a name"),
    ("return search(¤w.key, w.key)", "written out"),
    ("return search(¤'(a', w.key)", "without a )"),
    ("return search(¤'(a+)+', w.key)", "repeats"),
    ("return search(¤'a(?=b)', w.key)", "look around"),
    ("return search(¤r'(a)\\1', w.key)", "reference back"),
    ("return number(¤'a', w.key) > 1", "first group"),
    ("return ¤search('a')", "called like this"),
    ("return ¤search('a', w.key, 1)", "called like this"),
    ("return ¤search(pattern='a', text=w.key)", "called like this"),
    ("return phrase(w.key, ¤w.key)", "written out"),
    ("return phrase(w.key, ¤'')", "written out"),
    ("return any(¤w.lines)", "generator"),
    ("return any(¤*w.lines)", "no * before"),
    ("return any(¤line for line in w.lines)", "a condition is needed"),
    ("return distinct(¤line.level for line in w.lines) > 1", "goes over"),
    ("return any(True for line in ¤w.key)", "loops go over lines"),
    ("return any(True for line in ¤range(1, len(w.lines)))", "enumerate"),
    ("return any(True for line in ¤range(10001))", "10000"),
    ("return any(True for line in ¤enumerate(w.lines, 1))", "from 0"),
    ("return any(True for ¤line in enumerate(w.lines))", "2 at a time"),
    ("return any(True for ¤i, line in w.lines)", "1 at a time"),
    ("return any(True for ¤w in w.lines)", "means something"),
    ("return any(True for ¤search in w.lines)", "means something"),
    ("return any(True for line in w.lines for ¤line in w.lines)", "in use"),
    ("return any(any(any¤(True for a in w.lines) for b in w.lines) for c in w.lines)", "2 deep"),
    ("return ¤enumerate(w.lines) == 1", "behind in"),
    ("return ¤sorted(w.lines) == 1", "do not sort"),
    ("return ¤int(w.key) > 1", "number("),
    ("return ¤{'a': 1} == 1", "no dictionaries"),
    ("return ¤[x for x in w.lines] == 1", "inside any"),
    (
        "return followed((True for a in w.lines), (True for a in w.lines), ¤len(w.key))",
        "written out",
    ),
    ("return followed((True for a in w.lines), (True for a in w.lines), events=¤0)", "from 1"),
    ("n = 1\n¤import re\nreturn True", "cannot import"),
    ("¤import re as search\nreturn True", "cannot import"),
    ("¤from re import search\nreturn True", "cannot import"),
    ("¤while True:\n    pass", "no while"),
    ("¤def f():\n    pass", "no functions inside"),
    ("¤class A:\n    pass", "no classes"),
    ("¤try:\n    pass\nfinally:\n    pass", "no try"),
    ("¤with w:\n    pass", "no with"),
    ("¤raise w", "cannot raise"),
    ("¤assert w.key", "no assert"),
    ("¤del w", "no del"),
    ("¤global n", "no global"),
    ("¤match w.key:\n    case 'a':\n        return True", "no match"),
    ("¤n: int", "no annotations"),
    ("¤n: print(1) = 3", "no annotations"),
    ("¤len(w.lines)", "no effect"),
    ("return w.key == ¤await w", "cannot await"),
    ("for line in w.lines:\n    pass\nelse:\n    ¤return True", "no else behind"),
    ("¤break", "in no loop"),
    ("¤w = 1", "means something"),
    ("¤any = 1", "means something"),
    ("¤a__b = 1", "without __"),
    ("¤é = 1", "ASCII"),
    ("¤w.key = 'a'", "only names"),
    ("¤w.lines[0] = 1", "only names"),
    ("¤a, b = w.key", "only names"),
    ("n = 0\n¤n *= 2", "+= and -="),
    ("n = 0\nn += ¤'a' in w.key", "if ...: n += 1"),
    ("¤n += 1", "may have no value"),
    ("if w.key:\n    n = 1\nreturn ¤n > 0", "may have no value"),
    ("for line in w.lines:\n    n = 1\nreturn ¤n > 0", "may have no value"),
    ("for line in w.lines:\n    pass\nreturn ¤line.text == 'a'", 'no "line"'),
    ("n = 1\n¤n = 'a'", "one type"),
    ("for ¤line in w.lines:\n    line = w.lines[0]", "in use"),
    ("n = 1\nfor line in w.lines:\n    ¤n += n\nreturn n > 1", "grows only by"),
    ("n = 1\nfor line in w.lines:\n    n = ¤n * 2\nreturn n > 1", "grows only by"),
    ("n = 9007199254740992\nreturn ¤n * 9007199254740992 > 1", "can grow beyond"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_refusals_name_the_place_and_what_to_write(text, words):
    source = written(text)
    at = source.index("¤")
    source = source.replace("¤", "")
    line, column = source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)
    with pytest.raises(RuleError) as caught:
        parse(source, "slow.py")
    problem = caught.value
    assert words in problem.sentence
    assert (problem.line, problem.column) == (line, column), str(problem)
    assert str(problem).startswith(f"slow.py:{line}:{column}: ")
    assert "\n" not in str(problem)
    assert isinstance(problem, LogwrightError)


HEADS = [
    ("", "one function"),
    ("x = 1", "one function"),
    ("def rule(w):\n    return True\nx = 1", "one function"),
    ("def detect(w):\n    return True", "called rule"),
    ("def rule(lines):\n    return True", "one window, w"),
    ("def rule():\n    return True", "one window"),
    ("def rule(w, x):\n    return True", "one window"),
    ("def rule(*w):\n    return True", "one window"),
    ("def rule(w, **k):\n    return True", "one window"),
    ("def rule(w=1):\n    return True", "default"),
    ("def rule(*, w):\n    return True", "one window, w"),
    ("def rule(w: list):\n    return True", "annotation"),
    ("def rule(w) -> int:\n    return True", "annotation"),
    ("async def rule(w):\n    return True", "plain functions"),
    ("@any\ndef rule(w):\n    return True", "decorators"),
    ("def rule(w):\nreturn True", "not Python"),
    ("def rule(w):\n    return (", "not Python"),
    ("def rule(w):\n    return \x00", "zero byte"),
    ("def rule(w):\n    return '\udc80' in w.key", "half a character"),
    ("def rule(w):\n    return " + "not " * 3000 + "True", "too deep"),
    ("def rule(w):\n    return " + "(" * 3000, "parentheses"),
    ("def rule(w):\n    return " + "-" * 3000 + "1 > 0", "too deep"),
    ("def rule(w):\n    return " + "1+" * 3000 + "1 > 0", "too deep"),
    ("def rule(w):\n    return " + "w.key == 'a' or " * 900 + "True", "2000 parts"),
    ("def rule(w):\n    return 1 > " + "9" * 5000, "digits"),
    ("def rule(w):\n" + "    n = 1\n" * 300 + "    return n > 0", "statements"),
    ("def rule(w):\n    return True\n" + "#" * MOST_SOURCE, "at most"),
    (
        "def rule(w):\n    return any("
        + " or ".join(f"search('a{i}', w.key)" for i in range(21))
        + " for x in w.lines)",
        "patterns",
    ),
]


@pytest.mark.parametrize(("source", "words"), HEADS, ids=range(len(HEADS)))
def test_texts_that_are_no_rule_are_refused(source, words):
    with pytest.raises(RuleError, match=re.escape(words)):
        parse(source)


TOKENS = [
    "def rule(w):\n",
    "    ",
    "return ",
    "w",
    ".lines",
    ".text",
    "[0]",
    "any(",
    "(",
    ")",
    "for ",
    "line in ",
    "w.lines",
    "if ",
    "else",
    ":",
    "\n",
    "n",
    " = ",
    " += ",
    "1",
    "'a'",
    " in ",
    "not ",
    "and ",
    " or ",
    "search(",
    "'(a+)+'",
    ", ",
    "{",
    "}",
    "*",
    "**",
    "lambda: ",
    "\x00",
    "\udc80",
    "__class__",
    "9" * 40,
    "\\",
    '"""',
    "#",
    "True",
    "break",
    "@",
    "sum(",
    "enumerate(",
    "range(",
    "5",
    "%",
    "/",
    "-",
    "[",
    "]",
    "1e999",
    "'\\ud800'",
    "import os",
    "\t",
    "\r",
    "\x0c",
    "é",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join) | st.text(max_size=200))
@settings(max_examples=150)
def test_any_text_gives_a_rule_or_a_refusal(text):
    for source in (text, "def rule(w):\n    return " + text):
        try:
            rule = parse(source)
        except RuleError:
            continue
        assert parse(emit(rule)) == rule


@given(functions(), st.data())
def test_rules_with_a_piece_changed_give_a_rule_or_a_refusal(function, data):
    text = emit(function)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 6))
    new = data.draw(st.sampled_from(TOKENS) | st.text(max_size=3))
    try:
        rule = parse(text[:at] + new + text[at + cut :])
    except RuleError:
        return
    assert parse(emit(rule)) == rule
    assert type(callable_of(rule)(Window([Line("error 7")], key="a"))) is bool


CHAINS = {
    "bools": ("a0 = l.level > 3", "({0} and not {0}) or {0}", "a{}"),
    "numbers": ("a0 = l.level + 0.5", "{0} + {0}", "a{} > 7"),
    "texts": ("a0 = l.text", "w.lines[{0}.count({0})].text", "a{} == ''"),
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("length", [8, 150])
def test_names_that_double_what_they_stand_for_are_left(name, length):
    begins, step, asked = CHAINS[name]
    body = [begins, *(f"a{i + 1} = {step.format(f'a{i}')}" for i in range(length))]
    rows = "".join(f"        {row}\n" for row in [*body, f"if {asked.format(length)}:"])
    begin = time.perf_counter()
    rule = parse(f"def rule(w):\n    for l in w.lines:\n{rows}            return True\n")
    assert time.perf_counter() - begin < 3
    assert parse(emit(rule)) == rule


def test_long_rules_of_short_statements_pass():
    rows = "".join(f"    if w.lines[{i}].level > 3:\n        n += 1\n" for i in range(90))
    rule = parse(f"def rule(w):\n    n = 0\n{rows}    return n > 3\n")
    assert parse(emit(rule)) == rule
    for high in (3, 4):
        assert callable_of(rule)(Window([Line(level=5)] * high)) is (high == 4)


def test_what_a_terminal_would_obey_is_shown_as_an_escape():
    for text in ("\x1b[2J", "\udc80", "\u202e", "\n", "\x9b"):
        problem = RuleError(f'no "{text}" here', f"{text}.py", 1, 1)
        assert str(problem).isprintable()
        assert problem.sentence.isprintable()


def test_the_gate_is_quick_on_the_largest_rules():
    wide = " or ".join(f"'word{i}' in line.text" for i in range(250))
    text = written(f"return any({wide} for line in w.lines)")
    begin = time.perf_counter()
    parse(text)
    assert time.perf_counter() - begin < 5
