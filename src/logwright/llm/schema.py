"""Answers with a form: asks for JSON of a pydantic model, finds it in the text, and checks it.

The schema stands in the prompt, which every endpoint understands; what comes back is trusted only
after pydantic took it. The object may be all of the text, stand in a fence, or amid prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from logwright.llm.placeholders import Placeholders

__all__ = ["MisfitError", "instruction", "parse", "repair"]

_FENCED = re.compile(r"```[a-zA-Z]{0,10}\s*\n(.*?)```", re.S)
_MOST_STARTS = 50
"""Braces at which an object is looked for; text with more of them is no answer."""
_MOST_TOLD = 5
_SHOWN = 4_000


class MisfitError(ValueError):
    """The text holds no object of the form; the message says what is wrong, for the model."""


def instruction(schema: type[BaseModel]) -> str:
    """What the prompt says about the form."""
    told = json.dumps(schema.model_json_schema(), sort_keys=True, separators=(",", ":"))
    return f"Answer with one JSON object that fits this JSON Schema, and nothing else:\n{told}"


def repair(answer: str, misfit: MisfitError) -> tuple[str, str]:
    """The two further turns of the one repair: what was answered, and what is wrong with it."""
    asked = f"That does not fit the schema: {misfit}. Send the corrected JSON object, alone."
    return answer[:_SHOWN], asked


def parse(text: str, schema: type[BaseModel], names: Placeholders) -> BaseModel:
    """The object in the text, with hidden values put back, checked.

    >>> class Count(BaseModel):
    ...     n: int
    >>> parse('Here it is: ```json\\n{"n": 3}\\n```', Count, Placeholders())
    Count(n=3)
    >>> parse('{"n": "many"}', Count, Placeholders())
    Traceback (most recent call last):
    logwright.llm.schema.MisfitError: n: Input should be a valid integer, unable to parse string \
as an integer
    """
    wrong: MisfitError | None = None
    for found in _objects(text):
        try:
            return schema.model_validate(names.restore_in(found))
        except ValidationError as error:
            wrong = wrong or MisfitError(names.mask(_told(error)))
        except RecursionError:
            wrong = wrong or MisfitError("it is nested too deeply")
    raise wrong or MisfitError("it holds no JSON object")


def _objects(text: str) -> Iterator[object]:
    """All of the text, what stands in fences, then what begins at a brace."""
    for whole in (text, *(m[1] for m in _FENCED.finditer(text))):
        try:
            found = json.loads(whole)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found
    decoder = json.JSONDecoder()
    starts, at = 0, text.find("{")
    while at >= 0 and starts < _MOST_STARTS:
        starts += 1
        try:
            found, end = decoder.raw_decode(text, at)
            yield found
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)


def _told(error: ValidationError) -> str:
    """Where and what, without the values."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    told = [
        f"{'.'.join(str(part) for part in one['loc']) or 'the object'}: {one['msg']}"
        for one in errors[:_MOST_TOLD]
    ]
    return "; ".join(told)
