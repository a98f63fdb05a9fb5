"""Fixtures that tests of every room share."""
