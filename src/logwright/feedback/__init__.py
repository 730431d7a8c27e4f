"""Feedback: verdicts, and what they change."""
