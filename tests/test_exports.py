"""The public surface: what `__all__` says is there, sorted, and importing it is cheap."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from inspect import ismodule

import pytest

import logwright

FOUND = [m.name for m in pkgutil.walk_packages(logwright.__path__, "logwright.")]
# A built-in format's module holds one name, FORMAT; the kernel is C.
MODULES = ["logwright", *(m for m in FOUND if ".formats." not in m and not m.endswith("._kernel"))]
HEAVY = ("numpy", "pyarrow", "pydantic", "scipy", "typer", "rich", "jinja2")


def rank(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Ruff's order (RUF022): constants, classes, functions; in each by letters and numbers."""
    kind = 0 if name.isupper() else 1 if name.lstrip("_")[:1].isupper() else 2
    return kind, [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name)]


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    if not hasattr(module, "__all__"):
        public = [n for n, v in vars(module).items() if n[0] != "_" and not ismodule(v)]
        assert public in ([], ["annotations"]), "has names, but no __all__"
        return
    names = list(module.__all__)
    assert names == sorted(set(names), key=rank)
    for public in names:
        assert hasattr(module, public), public


def test_every_public_name_is_documented() -> None:
    for name in logwright.__all__:
        assert getattr(logwright, name).__doc__, name


def test_there_is_nothing_else_to_get() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = logwright.nothing


def imported(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not imported("import logwright") & set(HEAVY)


def test_the_command_line_needs_only_typer_for_its_help() -> None:
    found = imported("import logwright.cli.main")
    assert not found & {"numpy", "pyarrow", "pydantic", "scipy", "jinja2"}
