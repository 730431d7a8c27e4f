"""Detectors, thresholds and the ladder that chooses among them."""
