"""The trail: who did what, when, on what and from where. Written with the act, chained afterwards, never changed."""
