"""Runs Singer taps, each in its own locked environment, and lands their rows exactly once."""

__version__ = "0.1.0"
