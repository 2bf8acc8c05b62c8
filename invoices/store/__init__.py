"""Frozen bytes: written once, read back, compared with their fingerprints."""
