"""Customers, contacts, accounts: the card, its tabs, the lists, bulk actions on many of them."""
