"""Lookup: which template, or which of its shapes, a user means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from logwright.errors import LogwrightError
from logwright.templates.template import Template

__all__ = ["find", "find_shape"]

_TOLD = 5
_TEXT = 60


def find(templates: Sequence[Template], wanted: str) -> Template:
    """The template by its id, a former id, its name, or the beginning of its id, in this order.

    >>> user = Template([bytes([1] * 16)], lines=((b"up",),), name="start")
    >>> other = Template([bytes([2] * 16)], lines=((b"down",),))
    >>> [find([user, other], wanted).text for wanted in ("start", "t-01", "02")]
    ['up', 'up', 'down']
    """
    ways: tuple[Callable[[Template], bool], ...] = (
        lambda t: t.id == wanted,
        lambda t: wanted in t.aliases,
        lambda t: t.name == wanted,
        lambda t: bool(wanted) and t.id.startswith((wanted, f"t-{wanted}")),
    )
    for way in ways:
        found = [t for t in templates if way(t)]
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(f"{t.id} ({t.text[:_TEXT]})" for t in found[:_TOLD])
            more = f" and {len(found) - _TOLD:,} more" if len(found) > _TOLD else ""
            raise LogwrightError(f"'{wanted}' may be several templates: {some}{more}")
    raise LogwrightError(
        f"there is no template '{wanted}': 'logwright templates list' shows ids and names"
    )


def find_shape(template: Template, wanted: str) -> str:
    """The key of one of the template's shapes, by its beginning."""
    found = [key for key in template.keys if wanted and key.startswith(wanted.lower())]
    if len(found) != 1:
        has = f"{len(found):,} shapes" if found else "no shape"
        raise LogwrightError(
            f"{template.id} has {has} whose key begins with '{wanted}': "
            "'logwright templates show' lists them"
        )
    return found[0]
