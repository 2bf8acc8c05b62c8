"""Customers, contacts, accounts: the card, its tabs, the lists, gestures on many of them."""
