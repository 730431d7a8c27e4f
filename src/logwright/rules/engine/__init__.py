"""The engine: rulebooks compiled, and evaluated once per shape or level of text."""
