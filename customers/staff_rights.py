"""Who may give which rights: one gives only the rights one has, and edits no account with more of them.

The form of a user and the reset of a password would otherwise be a way to any right: a made-up colleague, an address
changed, a password shown.
"""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from customers.models import Account


def rights_of(account: Account) -> set[int]:
    """The primary keys of the permissions of ``account``, by its groups and its own, whether it is active or not."""
    found = Permission.objects.filter(Q(group__user=account.pk) | Q(user=account.pk))
    return set(found.values_list("pk", flat=True))


def givable_groups(giver: Account) -> "QuerySet[Group]":
    """The groups that ``giver`` may give: those that hold no right that he lacks; all of them to a superuser."""
    if giver.is_superuser:
        return Group.objects.order_by("name")
    beyond = Permission.objects.exclude(pk__in=rights_of(giver))
    return Group.objects.exclude(permissions__in=beyond).order_by("name")


def has_more_rights(account: Account, than: Account) -> bool:
    """True where ``account`` may do something that ``than`` may not."""
    if than.is_superuser:
        return False
    return account.is_superuser or not rights_of(account) <= rights_of(than)
