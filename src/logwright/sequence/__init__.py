"""The sequence model: a causal network over events that says how expected each next one was."""
