"""Emit: a tree as readable Python of at most 100 columns, and as something that can be called.

Lines are broken as black breaks them. Only where brackets stand so deep that less than 40 columns
are left can a line be longer. What is emitted parses to the tree it came from.
"""

from __future__ import annotations
import __future__

from collections.abc import Callable, Sequence

from logwright.rules.language import plain
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
from logwright.rules.language.words import quoted

__all__ = ["callable_of", "emit", "emit_expr"]

COLUMNS = 100
_LEAST = 40
"""Columns that a line has in any case, however deep it stands."""

_KEYWORDS = {"followed": {2: "events"}, "followed_in": {3: "seconds"}}
_RAW = {"search": 0, "number": 0}
_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _NEG, _ATOM = range(9)


def emit(function: Function) -> str:
    """The function as text, with a line feed at the end.

    >>> print(emit(Function("Never.", (Return(Const(False)),))), end="")
    def rule(w: Window) -> bool:
        \"\"\"Never.\"\"\"
        return False
    """
    lines = ["def rule(w: Window) -> bool:"]
    if function.doc:
        lines.extend(_docstring(function.doc))
    _block(function.body, 4, lines)
    return "\n".join(lines) + "\n"


def emit_expr(node: Expr) -> str:
    """An expression as one line of text.

    >>> emit_expr(Compare(">", Call("len", (Lines(),)), Const(3)))
    'len(w.lines) > 3'
    """
    return _flat(node)


def callable_of(function: Function) -> Callable[[plain.Window], bool]:
    """The rule as a Python function, made from the emitted text, with the language's functions as
    all its world: the oracle of tests, and what the sandbox's child runs. In the product's own
    process rules are compiled by the engine and not called like this.

    >>> rule = callable_of(Function("", (Return(Compare("==", Key(), Const("a"))),)))
    >>> rule(plain.Window([], key="a"))
    True
    """
    world: dict[str, object] = {"__builtins__": {}, **plain.NAMES}
    flags = __future__.annotations.compiler_flag
    code = compile(emit(function), "<rule>", "exec", flags=flags, dont_inherit=True)
    exec(code, world)
    rule: Callable[[plain.Window], bool] = world["rule"]  # type: ignore[assignment]
    return rule


def _docstring(doc: str) -> list[str]:
    parts = [quoted(line)[1:-1].replace('\\"', '"') for line in doc.split("\n")]
    parts = [part.replace('"""', '\\"\\"\\"') for part in parts]
    ends = parts[-1].endswith('"')
    if len(parts) == 1 and not ends and len(parts[0]) <= COLUMNS - 10:
        return [f'    """{parts[0]}"""']
    return [f'    """{parts[0]}', *(f"    {part}" if part else "" for part in parts[1:]), '    """']


def _block(body: Sequence[Statement], indent: int, lines: list[str]) -> None:
    for statement in body:
        _statement(statement, indent, lines)


def _statement(node: Statement, indent: int, lines: list[str], word: str = "if") -> None:
    match node:
        case Assign(name, value):
            lines.append(_laid(f"{name} = ", value, "", indent))
        case Bump(name, op, value):
            lines.append(_laid(f"{name} {op} ", value, "", indent))
        case Return(value):
            lines.append(_laid("return ", value, "", indent))
        case Break():
            lines.append(" " * indent + "break")
        case Continue():
            lines.append(" " * indent + "continue")
        case For(bound, over, body):
            lines.append(_laid(f"for {', '.join(bound)} in ", over, ":", indent))
            _block(body, indent + 4, lines)
        case If(test, body, orelse):
            lines.append(_laid(f"{word} ", test, ":", indent))
            _block(body, indent + 4, lines)
            if len(orelse) == 1 and isinstance(orelse[0], If):
                _statement(orelse[0], indent, lines, "elif")
            elif orelse:
                lines.append(" " * indent + "else:")
                _block(orelse, indent + 4, lines)


def _laid(before: str, value: Expr, after: str, indent: int) -> str:
    return " " * indent + before + _wide(value, indent, len(before), len(after)) + after


def _rank(node: Expr) -> int:
    match node:
        case Choice():
            return _CHOICE
        case Or():
            return _OR
        case And():
            return _AND
        case Not():
            return _NOT
        case Compare():
            return _COMPARE
        case Arith(op, _, _):
            return _SUM if op in "+-" else _PRODUCT
        case Neg():
            return _NEG
        case Const(value) if not isinstance(value, str) and str(value).startswith("-"):
            return _NEG
    return _ATOM


def _pieces(node: Expr) -> list[tuple[str, Expr, int]] | None:
    """Operands of an operator: the word before each, and the least rank it has without brackets."""
    match node:
        case Choice(test, yes, no):
            return [("", yes, _OR), ("if ", test, _OR), ("else ", no, _CHOICE)]
        case Or(parts):
            return [("or " if i else "", part, _AND) for i, part in enumerate(parts)]
        case And(parts):
            return [("and " if i else "", part, _NOT) for i, part in enumerate(parts)]
        case Compare(op, left, right):
            return [("", left, _SUM), (f"{op} ", right, _SUM)]
        case Arith(op, left, right):
            rank = _rank(node)
            last = (f"{op} ", right, rank + 1)
            if isinstance(left, Arith) and _rank(left) == rank:
                return [*(_pieces(left) or ()), last]
            return [("", left, rank), last]
    return None


def _arguments(node: Call | Method) -> list[tuple[str, Expr]]:
    given = _KEYWORDS.get(node.name, {}) if isinstance(node, Call) else {}
    return [(f"{given[i]}=" if i in given else "", arg) for i, arg in enumerate(node.args)]


def _raw(node: Expr, at: int) -> bool:
    return isinstance(node, Call) and _RAW.get(node.name) == at


def _operand(node: Expr, least: int) -> str:
    text = _flat(node)
    return f"({text})" if _rank(node) < least or isinstance(node, Gen) else text


def _flat(node: Expr, raw: bool = False) -> str:
    pieces = _pieces(node)
    if pieces is not None:
        return " ".join(word + _operand(part, rank) for word, part, rank in pieces)
    match node:
        case Const(value):
            return quoted(value, raw) if isinstance(value, str) else repr(value)
        case Name(id):
            return id
        case Lines():
            return "w.lines"
        case Key():
            return "w.key"
        case Not(part):
            return "not " + _operand(part, _NOT)
        case Neg(part):
            return "-" + _operand(part, _NEG)
        case Field(line, name):
            return f"{_operand(line, _ATOM)}.{name}"
        case Item(of, index):
            return f"{_operand(of, _ATOM)}[{_flat(index)}]"
        case Slice(of, low, high):
            return f"{_operand(of, _ATOM)}[{_bound(low)}:{_bound(high)}]"
        case Gen(value, bound, over, where):
            test = "" if where is None else f" if {_operand(where, _OR)}"
            return f"{_flat(value)} for {', '.join(bound)} in {_operand(over, _OR)}{test}"
        case Call() | Method():
            head = node.name
            if isinstance(node, Method):
                head = f"{_operand(node.of, _ATOM)}.{head}"
            args = _arguments(node)
            if len(args) == 1:
                return f"{head}({_flat(args[0][1], _raw(node, 0))})"
            texts = (
                w + (_flat(a, _raw(node, i)) if not isinstance(a, Gen) else _operand(a, 0))
                for i, (w, a) in enumerate(args)
            )
            return f"{head}({', '.join(texts)})"
    raise AssertionError(node)


def _bound(node: Expr | None) -> str:
    return "" if node is None else _flat(node)


def _wide(
    node: Expr, indent: int, before: int, after: int, least: int = 0, raw: bool = False
) -> str:
    """The expression, broken where it does not fit on a line that begins at `indent` and has so
    many characters before and after it."""
    room = max(COLUMNS - indent, _LEAST) - before - after
    brackets = _rank(node) < least
    text = _flat(node, raw)
    if len(text) + 2 * brackets <= room:
        return f"({text})" if brackets else text
    deep = indent + 4
    pieces = _pieces(node)
    if pieces is not None:
        rows = [word + _wide(part, deep, len(word), 0, rank) for word, part, rank in pieces]
        return _bracketed("(", rows, ")", indent)
    match node:
        case Const(str() as value):
            return _bracketed("(", quoted_rows(value, max(COLUMNS - deep, _LEAST)), ")", indent)
        case Not(part):
            inner = "not " + _wide(part, indent, before + 4, after, _NOT)
            return f"({inner})" if brackets else inner
        case Neg(part):
            inner = "-" + _wide(part, indent, before + 1, after, _NEG)
            return f"({inner})" if brackets else inner
        case Field(line, name):
            return _wide(line, indent, before, after + len(name) + 1, _ATOM) + f".{name}"
        case Item(of, index):
            head = _wide(of, indent, before, 1, _ATOM)
            return head + _bracketed("[", [_wide(index, deep, 0, 0)], "]", indent)
        case Slice(of, low, high):
            head = _wide(of, indent, before, 1, _ATOM)
            first = "" if low is None else _wide(low, deep, 0, 1)
            rows = [first + ":"] + ([] if high is None else [_wide(high, deep, 0, 0)])
            return head + _bracketed("[", rows, "]", indent)
        case Gen(value, bound, over, where):
            names = f"for {', '.join(bound)} in "
            rows = [_wide(value, indent, 0, 0), names + _wide(over, indent, len(names), 0, _OR)]
            if where is not None:
                rows.append("if " + _wide(where, indent, 3, 0, _OR))
            return ("\n" + " " * indent).join(rows)
        case Call() | Method():
            head = node.name
            if isinstance(node, Method):
                head = _wide(node.of, indent, before, len(head) + 2, _ATOM) + f".{head}"
            args = _arguments(node)
            if len(args) == 1:
                row = _wide(args[0][1], deep, 0, 0, raw=_raw(node, 0))
                return head + _bracketed("(", [row], ")", indent)
            rows = [_argument(word, arg, deep, _raw(node, i)) for i, (word, arg) in enumerate(args)]
            return head + _bracketed("(", rows, ")", indent)
    return text


def _argument(word: str, node: Expr, indent: int, raw: bool) -> str:
    if not isinstance(node, Gen):
        return word + _wide(node, indent, len(word), 1, raw=raw) + ","
    if len(_flat(node)) + len(word) + 3 <= max(COLUMNS - indent, _LEAST):
        return f"{word}({_flat(node)}),"
    return word + _bracketed("(", [_wide(node, indent + 4, 0, 0)], ")", indent) + ","


def _bracketed(left: str, rows: list[str], right: str, indent: int) -> str:
    inner = "\n" + " " * (indent + 4)
    return left + inner + inner.join(rows) + "\n" + " " * indent + right


def quoted_rows(text: str, room: int) -> list[str]:
    """A text as string literals that stand under each other, none longer than `room`."""
    rows, row = [], ""
    for char in text:
        if len(quoted(row + char)) > room:
            rows.append(quoted(row))
            row = ""
        row += char
    return [*rows, quoted(row)]
