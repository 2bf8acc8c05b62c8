"""Measures, printed and kept as JSON; never part of the tests."""
