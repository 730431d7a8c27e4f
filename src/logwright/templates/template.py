"""`Template`: constant text with typed `<*>` parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from logwright.templates.forms import Form, line_form
from logwright.templates.parameters import Parameter, fit, render

__all__ = ["Template", "template_id"]


def template_id(key: bytes) -> str:
    """The id of a template whose smallest shape key is `key` (16 bytes, big-endian).

    >>> template_id(bytes([1] * 16))
    't-0101010101010101'
    """
    return f"t-{key[:8].hex()}"


@dataclass(slots=True)
class Template:
    """A statement of the program that wrote the log.

    `members` are the shapes' keys (16 bytes each), smallest first; `exemplar` a line's content,
    where kept; `former` ids it had before its smallest shapes were evicted. `wild` and `lists` are
    the item positions that were found to be variable words and lists. `lines` are some members'
    lines: the text is worded from them when it is first asked for. `name` and `muted` are the
    user's words on it (`templates.edits`).

    >>> t = Template([bytes(16)], b"took 12 ms", lines=((b"took 12 ms",),))
    >>> t.text, t.types, t.parameters(b"took 7 ms")
    ('took <*> ms', ('number',), (Parameter(value=b'7', type='number'),))
    """

    members: list[bytes]
    exemplar: bytes | None = None
    former: tuple[str, ...] = ()
    wild: frozenset[int] = frozenset()
    lists: frozenset[int] = frozenset()
    lines: tuple[tuple[bytes, ...], ...] = field(default=(), repr=False, compare=False)
    form: Form | None = field(default=None, repr=False)
    name: str | None = None
    muted: bool = False

    def _worded(self) -> Form:
        if self.form is None:
            self.form = line_form(self.lines, self.wild, self.lists)
            self.lines = ()
        return self.form

    @property
    def id(self) -> str:
        """`t-` and 16 hexadecimal digits: the smallest member's key."""
        return template_id(self.members[0])

    @property
    def keys(self) -> list[str]:
        """The members' shape keys, 32 hexadecimal digits each, smallest first."""
        return [key.hex() for key in self.members]

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The constant bytes before, between and after the parameters."""
        return self._worded()[0]

    @property
    def types(self) -> tuple[str, ...]:
        """One type per `<*>`, as seen in the lines kept: see `classes.value_type`."""
        return self._worded()[1]

    @property
    def text(self) -> str:
        """The template for people, with `<*>` for parameters; odd bytes as backslash escapes."""
        return b"<*>".join(self.parts).decode("utf-8", "backslashreplace")

    @property
    def aliases(self) -> tuple[str, ...]:
        """Ids under which this template, or a part of it, may have been known before.

        When shapes join, the id is that of the smallest; any member's may have been it earlier.
        """
        ids = {*self.former, *map(template_id, self.members)}
        return tuple(sorted(ids - {self.id}))

    def parameters(self, content: bytes) -> tuple[Parameter, ...]:
        """The values in a line of this template; see `parameters.fit` for lines that differ."""
        return fit(self.parts, content)

    def render(self, parameters: Sequence[Parameter]) -> bytes:
        """The line with these parameters: ``t.render(t.parameters(line)) == line``."""
        return render(self.parts, tuple(parameters))
