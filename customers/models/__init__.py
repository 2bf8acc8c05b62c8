"""Models of the customers room."""

from customers.models.account import Access, Account, AccountManager, AccountQuerySet, CustomerAccount, StaffAccount
from customers.models.bulk_action import BulkAction, BulkActionQuerySet
from customers.models.customer import DEMATERIALISED, Contact, Customer, CustomerQuerySet
from customers.models.issuer_identity import IssuerIdentity
from customers.models.second_factor import RecoveryCode, SecondFactor
from customers.models.used_link import UsedLink

__all__ = [
    "DEMATERIALISED",
    "Access",
    "Account",
    "AccountManager",
    "AccountQuerySet",
    "BulkAction",
    "BulkActionQuerySet",
    "Contact",
    "Customer",
    "CustomerAccount",
    "CustomerQuerySet",
    "IssuerIdentity",
    "RecoveryCode",
    "SecondFactor",
    "StaffAccount",
    "UsedLink",
]
