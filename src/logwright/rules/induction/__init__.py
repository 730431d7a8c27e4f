"""Induction: rules found in history by search."""
