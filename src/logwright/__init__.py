"""Logwright: raw logs in, findings out.

>>> import logwright as lw
>>> callable(lw.learn) and callable(lw.scan)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logwright.api import Result, detect, learn, load, scan
    from logwright.asking import ask
    from logwright.explaining import explain
    from logwright.findings.finding import Finding
    from logwright.model import Model

__all__ = ["Finding", "Model", "Result", "ask", "detect", "explain", "learn", "load", "scan"]

_HOMES = {
    "Finding": "logwright.findings.finding",
    "Model": "logwright.model",
    "ask": "logwright.asking",
    "explain": "logwright.explaining",
}


def __getattr__(name: str) -> Any:
    # Imported when first used, so that `import logwright` stays quick.
    if name not in __all__:
        raise AttributeError(f"module 'logwright' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "logwright.api")), name)
