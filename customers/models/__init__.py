"""Models of the customers room."""

from customers.models.account import Access, Account, AccountManager, AccountQuerySet, CustomerAccount, StaffAccount
from customers.models.customer import DEMATERIALISED, Contact, Customer, CustomerQuerySet
from customers.models.gesture import Gesture, GestureQuerySet

__all__ = [
    "DEMATERIALISED",
    "Access",
    "Account",
    "AccountManager",
    "AccountQuerySet",
    "Contact",
    "Customer",
    "CustomerAccount",
    "CustomerQuerySet",
    "Gesture",
    "GestureQuerySet",
    "StaffAccount",
]
