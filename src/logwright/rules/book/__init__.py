"""The rulebook: rules as files, what was decided about them, and how they do."""
