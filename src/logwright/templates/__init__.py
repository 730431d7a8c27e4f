"""Shapes to templates: grouping, typed parameters and the vocabulary."""
