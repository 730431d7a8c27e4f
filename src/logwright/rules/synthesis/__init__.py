"""Synthesis: rules written by a language model, and tried before they are believed."""
