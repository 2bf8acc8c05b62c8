"""Courrier: predefined messages, the outbox, addresses in error."""
