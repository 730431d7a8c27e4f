"""Reasoning with a language model: what it is asked, the form it answers in, and `Speaking`."""

from logwright.reasoning.speaking.speaking import Speaking
from logwright.reasoning.speaking.tags import MisfitError, parse, render

__all__ = ["MisfitError", "Speaking", "parse", "render"]
