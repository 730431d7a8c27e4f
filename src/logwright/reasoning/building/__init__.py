"""Trajectories to train reasoners on: taught, checked, made diverse, split, described."""
