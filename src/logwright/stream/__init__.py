"""Streaming: feeds in, findings out; nothing lost, nothing doubled."""
