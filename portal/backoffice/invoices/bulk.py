"""Bulk actions on the list of invoices: what the page of confirmation says of each."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Account
from invoices.documents.bulk_versions import plan_new_versions
from invoices.exporting.bulk_invoices import REASON, WITH_PDF, plan_bulk_resending
from invoices.models import Invoice
from portal.backoffice.ui.confirmation import Choice, Group, Plan, Text, make_group

MOST: Final = 2_000


def is_too_much(request: HttpRequest, queryset: QuerySet[Invoice]) -> bool:
    """True, with a sentence, where more are chosen than a page can speak of."""
    if queryset.order_by()[: MOST + 1].count() <= MOST:
        return False
    messages.warning(request, _("Plus de 2 000 factures sont choisies : filtrez la liste, par mois par exemple."))
    return True


def plan_resend(queryset: QuerySet[Invoice]) -> tuple[Plan, list[UUID]]:
    """Published invoices, to the open accounts of their customers."""
    found = plan_bulk_resending(_whole(queryset))
    count = len(found.able)
    mails = ngettext("%(count)d mail", "%(count)d mails", found.mails) % {"count": found.mails}
    sentence = ngettext(
        "%(count)d facture sera renvoyée à son client : %(mails)s.",
        "%(count)d factures seront renvoyées à leurs clients : %(mails)s.",
        count,
    )
    plan = Plan(
        title=_("Renvoyer les factures par mail"),
        sentence=sentence % {"count": count, "mails": mails} if count else _("Aucune de ces factures ne se renvoie."),
        button=_("Renvoyer"),
        count=count,
        warning=_("Un mail parti ne se reprend pas ; ceux qui attendent s’abandonnent dans la boîte d’envoi.")
        if count
        else "",
        groups=[
            _group_of_accounts(_("À qui"), found.able),
            _group(_("Pas encore exportées : il n’y a rien à renvoyer"), found.never_exported),
            _group(_("Aucun compte actif : créez ou réactivez d’abord leurs comptes"), found.without_account),
            _group(
                _("Adresse en erreur : corrigez-la d’abord, ce qui n’est pas arrivé repart alors"), found.bad_address
            ),
            _group_of_accounts(
                _("Ne veulent pas de mail à chaque facture : laissés de côté, comme à l’export"), found.unwilling
            ),
        ],
        choices=[Choice(WITH_PDF, _("Joindre le PDF de chaque facture"), is_ticked=True)],
    )
    return plan, [row.pk for row, _accounts in found.able]


def plan_versions(queryset: QuerySet[Invoice]) -> tuple[Plan, list[UUID]]:
    """Published invoices whose content is not what their document says."""
    found = plan_new_versions(_whole(queryset))
    count = len(found.changed)
    plan = Plan(
        title=_("Publier une nouvelle version"),
        sentence=ngettext(
            "%(count)d facture aura une nouvelle version, d’après la fiche du client et « Paramétrage société ».",
            "%(count)d factures auront une nouvelle version, d’après la fiche du client et « Paramétrage société ».",
            count,
        )
        % {"count": count}
        if count
        else _("Aucune de ces factures n’aura de nouvelle version."),
        button=_("Publier les nouvelles versions"),
        count=count,
        warning=_(
            "Une version publiée ne s’efface pas : les précédentes restent, et les montants ne changent pas. Personne "
            "n’est prévenu par mail ; « Renvoyer les factures par mail » le fait ensuite."
        )
        if count
        else "",
        groups=[
            _group(_("Quelles factures"), found.changed),
            *(_group(str(reason), rows) for reason, rows in found.left.items()),
        ],
        texts=[Text(REASON, _("Motif"), _("Gardé avec chaque version, et montré : « adresse du client corrigée »."))],
    )
    return plan, [row.pk for row in found.changed]


def chosen_with(request: HttpRequest, name: str) -> dict[str, Any]:
    """What was typed or ticked under ``name`` on the page of confirmation."""
    return {name: request.POST.get(name, "").strip()[:200].rstrip()}


def _whole(queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """The chosen invoices with the columns that a list leaves out."""
    keys = list(queryset.order_by().values_list("pk", flat=True))
    return Invoice.objects.filter(pk__in=keys).order_by("-issue_date", "-number")


def _group_of_accounts(sentence: str, rows: Sequence[tuple[Invoice, list[Account]]]) -> Group:
    names = (f"{row} – {', '.join(account.login for account in accounts)}" for row, accounts in rows)
    return make_group(sentence, names, count=len(rows))


def _group(sentence: str, rows: Iterable[Invoice]) -> Group:
    named = list(rows)
    return make_group(sentence, (f"{row} – {row.customer}" for row in named), count=len(named))
