"""Loaders: one file per layout in which labelled logs are published."""
