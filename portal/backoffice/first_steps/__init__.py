"""Premiers pas: what leads a new installation from nothing to its first export."""
