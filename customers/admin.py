"""The back-office of the customers room: customers, contacts, accounts, users, gestures on many of them."""

from customers import admin_accounts, admin_customers, admin_gestures, admin_users

__all__ = ["admin_accounts", "admin_customers", "admin_gestures", "admin_users"]
