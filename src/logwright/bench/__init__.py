"""Honest benchmarks: data sets, baselines, tables."""
