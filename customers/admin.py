"""The back-office of the customers room: customers, contacts, accounts, users."""

from customers import admin_accounts, admin_customers

__all__ = ["admin_accounts", "admin_customers"]
