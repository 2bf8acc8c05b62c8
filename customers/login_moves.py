"""What becomes of a login whose address the ERP has changed on the card: it stays, follows, or is closed."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.mails import draft_login_moved_mail
from customers.models import Access, Account, Customer
from customers.services import set_active
from mailing.addresses import normalise_address
from mailing.outbox import write_messages
from mailing.trail.actions import Action
from mailing.trail.recording import record


class Move(models.TextChoices):
    """What a person decides of the login that is on a card's former address."""

    FOLLOW = "follow", gettext_lazy("Suivre la nouvelle adresse")
    KEEP = "keep", gettext_lazy("Garder l’ancien identifiant")
    CLOSE = "close", gettext_lazy("Fermer l’accès")


class MoveRefused(Exception):  # noqa: N818 - an answer, not a fault
    """The login cannot move; the message is a French sentence."""


@dataclass(frozen=True, slots=True)
class OldLogin:
    """The account that logs in with a card's former address: whose else it is, and whether it can follow."""

    account: Account
    others: int
    """How many other customers it serves."""
    is_free: bool
    """Whether no account has the new address."""

    @property
    def may_follow(self) -> bool:
        """True where it serves no other customer and the new address has no account: what is proposed first."""
        return self.is_free and not self.others


def find_old_logins(changes: Iterable[tuple[int, str, str]]) -> dict[tuple[int, str], OldLogin]:
    """The open accounts behind ``changes`` (customer, former address, new one), by customer and login. 2 queries."""
    wanted = {(customer, normalise_address(former)): normalise_address(now) for customer, former, now in changes}
    logins = {former for _customer, former in wanted} | set(wanted.values()) - {""}
    accounts = (
        Account.objects.annotate(lower=Lower("login"))
        .filter(lower__in=logins)
        .annotate(customer_total=models.Count("accesses", distinct=True))
    )
    by_login = {normalise_address(account.login): account for account in accounts}
    served = set(Access.objects.filter(account__in=by_login.values()).values_list("account_id", "customer_id"))
    found = {}
    for (customer, former), now in wanted.items():
        account = by_login.get(former)
        if account is None or account.is_staff or not account.is_active or (account.pk, customer) not in served:
            continue
        others = account.customer_total - 1
        found[customer, former] = OldLogin(account, others, bool(now) and now != former and now not in by_login)
    return found


@transaction.atomic
def move_login(*, customer: Customer, former: str, now: str, move: Move) -> str:
    """Do with the login ``former`` of ``customer`` what ``move`` says; returns a French sentence of what was done.

    A login that follows keeps its password, its sessions end, and the former address is notified by mail. Raises
    :class:`MoveRefused` where there is no such login any more, or where it cannot follow.
    """
    Customer.objects.select_for_update().get(pk=customer.pk)
    found = find_old_logins([(customer.pk, former, now)]).get((customer.pk, normalise_address(former)))
    if found is None:
        raise MoveRefused(_("Plus aucun compte ouvert de ce client n’a l’identifiant %(login)s.") % {"login": former})
    account = Account.objects.select_for_update().get(pk=found.account.pk)
    words = {"login": account.login, "now": now, "customer": customer.name}
    match move:
        case Move.KEEP:
            return _("%(login)s garde l’accès à %(customer)s.") % words
        case Move.CLOSE:
            Access.objects.filter(account=account, customer=customer).delete()
            if not found.others:
                set_active(accounts=[account], is_active=False)
            return _("%(login)s n’a plus accès à %(customer)s.") % words
    if not found.is_free:
        raise MoveRefused(_("%(now)s a déjà un compte : gardez l’ancien identifiant ou fermez-le.") % words)
    if found.others:
        raise MoveRefused(_("%(login)s sert aussi d’autres clients : son identifiant ne change pas ici.") % words)
    draft = draft_login_moved_mail(account=account, now=now)
    account.login = now
    account.sessions_closed_at = timezone.now()
    account.save(update_fields=["login", "sessions_closed_at"])
    write_messages([draft])
    record(Action.ADDRESS_CHANGED, customer, personal={"former": former, "now": now})
    return _("%(customer)s se connecte désormais avec %(now)s ; %(login)s en est prévenu par mail.") % words
