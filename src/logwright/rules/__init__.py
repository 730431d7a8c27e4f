"""Rules: readable code that judges windows; made, tried, kept and compiled."""
