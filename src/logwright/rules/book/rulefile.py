"""Rule file: RULEBOOK/NAME.py, which holds ``META = {...}`` and ``def rule(w: Window) -> bool``.

The file is read as data: META is a literal, and the function goes through the gate of `language`.
A person may edit it; then the hash in META is no longer that of the function, and the rule shows as
edited. What the rulebook knows of a rule (its state, exceptions, whether it is muted) is not here.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from logwright.rules.language.emit import COLUMNS, emit
from logwright.rules.language.gate import read_function
from logwright.rules.language.plain import Window
from logwright.rules.language.problem import RuleError
from logwright.rules.language.syntax import MOST_SOURCE, syntax
from logwright.rules.language.tree import Function
from logwright.rules.language.words import quoted

__all__ = ["Meta", "RuleFile", "hash_of"]

MOST_FILE = 256 * 1024
_LONGEST_NAME = 100
"""Characters of a rule's name: with what is put around it, it has to be the name of a file."""

_MOST_META_NODES = 4_000
_MOST_EXAMPLES = 20
_MOST_EXAMPLE_LINES = 200

_LONGEST_LINE = 2_000


def _line(value: object) -> str:
    """pydantic's own texts cannot hold the bytes that surrogateescape keeps."""
    if not isinstance(value, str) or len(value) > _LONGEST_LINE:
        raise ValueError(f"a line of an example is a text of at most {_LONGEST_LINE} characters")
    return value


def _rows(value: object) -> object:
    """Lists are read from text as tuples; what is neither would be taken apart."""
    if not isinstance(value, list | tuple):
        raise ValueError("examples are lists of lines, and lines are texts")
    return value


ExampleLine = Annotated[str, PlainValidator(_line)]
Example = Annotated[
    tuple[ExampleLine, ...], BeforeValidator(_rows), Field(max_length=_MOST_EXAMPLE_LINES)
]
Examples = Annotated[tuple[Example, ...], BeforeValidator(_rows), Field(max_length=_MOST_EXAMPLES)]


class Meta(BaseModel):
    """What is known of a rule besides its code.

    `must_hold` makes a normal rule an invariant: a window that breaks it is a finding. `target` is
    the class of anomaly that an abnormal rule is for, where labels named several. `backtest` holds
    numbers by name, as `rules backtest` measured them. `must_match` and `must_not_match` are
    windows of bare messages.

    >>> Meta(kind="abnormal", severity="high", provenance="person").must_hold
    False
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    kind: Literal["abnormal", "normal"]
    must_hold: StrictBool = False
    target: StrictStr = Field(default="", max_length=80)
    severity: Literal["low", "medium", "high", "critical"] = "medium"
    provenance: Literal["data", "model", "person"]
    hash: StrictStr = Field(default="", max_length=64)
    backtest: dict[Annotated[StrictStr, Field(max_length=60)], StrictInt | StrictFloat] = Field(
        default_factory=dict, max_length=60
    )
    must_match: Examples = ()
    must_not_match: Examples = ()

    @field_validator("backtest")
    @classmethod
    def _finite(cls, value: dict[str, int | float]) -> dict[str, int | float]:
        for name, number in value.items():
            if not abs(number) <= sys.float_info.max:  # nan is not, either
                raise ValueError(f"{name} is not finite: leave it out")
        return value

    @model_validator(mode="after")
    def _invariant(self) -> Meta:
        if self.target and self.kind != "abnormal":
            raise ValueError('only a rule of kind "abnormal" can have a target: leave it out')
        if self.must_hold and self.kind != "normal":
            raise ValueError('only a rule of kind "normal" can have must_hold: set it to False')
        return self


def hash_of(function: Function) -> str:
    """What tells rules apart: the hash of the text in normal form, without its docstring.

    >>> from logwright.rules.language.gate import parse
    >>> one = parse("def rule(w):\\n    return not not w.lines[0].text")
    >>> other = parse('def rule(w):\\n    "Says why."\\n    return w.lines[0].text != ""')
    >>> hash_of(one) == hash_of(other), len(hash_of(one))
    (True, 32)
    """
    bare = emit(replace(function, doc=""))
    return hashlib.sha256(bare.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule with what is known of it."""

    name: str
    meta: Meta
    function: Function

    @property
    def edited(self) -> bool:
        """Whether the function is another one than META was written for."""
        return self.meta.hash != hash_of(self.function)

    @staticmethod
    def read(path: Path) -> RuleFile:
        """The rule in a file; `RuleError` with line and column says why it is none."""
        try:
            # A pipe would be waited for, so it is opened without.
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise RuleError("this is no ordinary file", str(path))
                data = file.read(MOST_FILE + 1)
        except OSError as error:
            raise RuleError(f"the file cannot be read: {error.strerror}", str(path)) from None
        if len(data) > MOST_FILE:
            raise RuleError(f"the file is over {MOST_FILE} bytes: no rule is", str(path))
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            column = error.start - data.rfind(b"\n", 0, error.start)
            raise RuleError("the file is not UTF-8", str(path), line, column) from None
        return RuleFile.parse(text, path.stem, str(path))

    @staticmethod
    def parse(text: str, name: str, file: str = "<rule>") -> RuleFile:
        """The rule in a file's text."""
        body = syntax(text, file, MOST_FILE)
        match body:
            case [
                ast.Assign(targets=[ast.Name(id="META")], value=value),
                ast.FunctionDef() as rule,
            ]:
                meta = _meta(value, file)
            case _:
                at = _stranger(body)
                raise RuleError(
                    "a rule file holds META = {...} and def rule(w: Window) -> bool:, nothing else",
                    file,
                    at.lineno if at is not None else 1,
                    at.col_offset + 1 if at is not None else 1,
                )
        # Lines as Python's parser counts them.
        lines = list(io.StringIO(text, newline=None))[rule.lineno - 1 : rule.end_lineno]
        if sum(map(len, lines)) > MOST_SOURCE:
            raise RuleError(f"the rule is over {MOST_SOURCE} characters", file, rule.lineno, 1)
        return RuleFile(name, meta, read_function(rule, file))

    def sealed(self) -> RuleFile:
        """The same with the hash of its function in META."""
        meta = self.meta.model_copy(update={"hash": hash_of(self.function)})
        return replace(self, meta=meta)

    def text(self) -> str:
        """The file's text; reading it gives the same rule."""
        meta = self.meta.model_dump(exclude=set() if self.meta.target else {"target"})
        return f"META = {_literal(meta, 0)}\n\n\n{emit(self.function)}"

    def write(self, folder: Path) -> Path:
        """Write ``NAME.py`` into the folder, whole or not at all."""
        if not self.name.isascii() or not self.name.isidentifier() or self.name.startswith("_"):
            raise RuleError(f'"{self.name[:60]}" is no name of a rule: take letters, digits and _')
        if len(self.name) > _LONGEST_NAME:
            told = f"{self.name[:20]}... is too long"
            raise RuleError(f"{told}: a rule's name has at most {_LONGEST_NAME} characters")
        path = folder / f"{self.name}.py"
        handle, temporary = tempfile.mkstemp(prefix=f".{self.name}.", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.text().encode())
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync(folder)
        return path

    def failures(self, run: Callable[[Window], bool]) -> list[str]:
        """What the examples say against the rule, in sentences; `run` is the rule as it is called:
        by the sandbox, or in tests by `emit.callable_of`."""
        told = []
        for wanted, examples in ((True, self.meta.must_match), (False, self.meta.must_not_match)):
            for i, example in enumerate(examples):
                if run(Window.of_texts(example)) is not wanted:
                    name = "must_match" if wanted else "must_not_match"
                    does = "does not fire" if wanted else "fires"
                    told.append(f"{self.name} {does} on example {i + 1} of {name}")
        return told


def _stranger(body: Sequence[ast.stmt]) -> ast.stmt | None:
    """The first statement that is not what stands at its place in a rule file."""
    for i, node in enumerate(body):
        match i, node:
            case 0, ast.Assign(targets=[ast.Name(id="META")]):
                pass
            case 1, ast.FunctionDef():
                pass
            case _:
                return node
    return None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _meta(node: ast.expr, file: str) -> Meta:
    if sum(1 for _ in ast.walk(node)) > _MOST_META_NODES:
        raise RuleError("META is too large: keep fewer examples", file, node.lineno, 1)
    if not isinstance(node, ast.Dict):
        raise RuleError("META is a dictionary: META = {...}", file, node.lineno, 1)
    keys: dict[Any, ast.expr] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        place = key or value
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise RuleError(
                "keys of META are texts in quotes", file, place.lineno, place.col_offset + 1
            )
        if key.value in keys:
            raise RuleError(
                f'"{key.value[:40]}" stands twice in META', file, place.lineno, place.col_offset + 1
            )
        keys[key.value] = key
    values: dict[str, Any] = {}
    for name, value in zip(keys, node.values, strict=True):
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise RuleError(
                f"{name[:40]} in META must be written out: texts, numbers, lists of them",
                file,
                value.lineno,
                value.col_offset + 1,
            ) from None
    try:
        return Meta.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key_name = str(first["loc"][0]) if first["loc"] else ""
        at: ast.expr = keys.get(key_name, node)
        sentence = _sentence(key_name, first["type"], first["msg"])
        raise RuleError(sentence, file, at.lineno, at.col_offset + 1) from None


def _sentence(key: str, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f'META knows no "{key[:40]}": it has {", ".join(Meta.model_fields)}'
    if kind == "missing":
        return f'META lacks "{key}"'
    message = message.removeprefix("Value error, ")
    return f"{key} in META: {message}" if key else message


def _literal(value: Any, indent: int) -> str:
    """A value as black would write it."""
    flat = _flat(value)
    if isinstance(value, str | bool | int | float) or indent + len(flat) <= COLUMNS - 20:
        return flat
    deep = indent + 4
    if isinstance(value, dict):
        rows = [f"{quoted(key)}: {_literal(item, deep)}" for key, item in value.items()]
    else:
        rows = [_literal(item, deep) for item in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    inner = "".join(f"\n{' ' * deep}{row}," for row in rows)
    return f"{left}{inner}\n{' ' * indent}{right}"


def _flat(value: Any) -> str:
    match value:
        case str():
            return quoted(value)
        case dict():
            return "{" + ", ".join(f"{quoted(k)}: {_flat(v)}" for k, v in value.items()) + "}"
        case tuple() | list():
            return "[" + ", ".join(map(_flat, value)) + "]"
    return repr(value)
