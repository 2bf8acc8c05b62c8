"""Bulk actions on hundreds of rows at once: what the confirmation says, and the page that shows how far they are."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from customers.bulk_actions import is_relaunchable
from customers.bulk_undo import is_undoable, undo_bulk_action
from customers.models import DEMATERIALISED, Account, BulkAction, Customer, CustomerAccount
from customers.models.bulk_action import OTHER_KINDS
from customers.recipients import ContactRules, find_recipients_of
from portal.backoffice.ui.bulk_starts import ALSO_SENDS
from portal.backoffice.ui.confirmation import Choice, Group, Plan, make_group
from portal.backoffice.ui.lists import NextStep, ObjectPage, ReadOnlyAdmin
from portal.backoffice.ui.pages import acting_account
from portal.backoffice.ui.worker import is_worker_silent

Kind = BulkAction.Kind
# Who may take back what was done is who may do it.
UNDO_RIGHTS = {
    Kind.DEMATERIALISE: "customers.change_customer",
    Kind.ADDRESS: "customers.change_customer",
    Kind.CREATE: "customers.manage_credentials",
    Kind.ACTIVATE: "customers.manage_credentials",
    Kind.DEACTIVATE: "customers.manage_credentials",
}


def plan_dematerialise(queryset: QuerySet[Customer]) -> tuple[Plan, list[int]]:
    """Customers that are not in D yet."""
    rows = list(queryset.order_by("code"))
    changing = [row for row in rows if row.invoice_copies != DEMATERIALISED]
    return (
        Plan(
            title=_("Passer en D (démat)"),
            sentence=ngettext(
                "%(count)d client passera en D : ses factures seront déposées sur son espace.",
                "%(count)d clients passeront en D : leurs factures seront déposées sur leur espace.",
                len(changing),
            )
            % {"count": len(changing)},
            button=_("Passer en D"),
            count=len(changing),
            groups=[
                _group(_("Passent en D"), changing),
                make_group(_("Déjà en D"), (), count=len(rows) - len(changing)),
            ],
        ),
        [row.pk for row in changing],
    )


def plan_create(queryset: QuerySet[Customer]) -> tuple[Plan, list[int]]:
    """Customers who get an account: those that have an address and no account on it yet."""
    rows = list(queryset.order_by("code"))
    own = [row for row in rows if row.email.strip()]
    found = {
        **find_recipients_of(own, ContactRules()),
        **find_recipients_of([row for row in rows if not row.email.strip()], ContactRules(use_contacts=True)),
    }
    making: list[tuple[Customer, str]] = []
    without_address: list[Customer] = []
    having: list[Customer] = []
    for row in rows:
        recipients = found[row.pk].recipients
        if not recipients:
            without_address.append(row)
        elif recipients[0].account is None or recipients[0].account.has_expired_provisional:
            making.append((row, recipients[0].address))
        else:
            having.append(row)
    return (
        Plan(
            title=_("Créer les identifiants"),
            sentence=ngettext(
                "Des identifiants seront créés pour %(count)d client. L’identifiant est son adresse e-mail.",
                "Des identifiants seront créés pour %(count)d clients. L’identifiant est leur adresse e-mail.",
                len(making),
            )
            % {"count": len(making)},
            button=_("Créer les identifiants"),
            count=len(making),
            groups=[
                make_group(_("Pour qui"), (f"{row} – {address}" for row, address in making), count=len(making)),
                _group(_("Sans adresse e-mail : laissés de côté"), without_address),
                _group(_("Ont déjà des identifiants : laissés tels quels"), having),
            ],
            choices=[Choice(ALSO_SENDS, _("Envoyer aussi les identifiants par mail"))],
        ),
        [row.pk for row, _address in making],
    )


def plan_send(accounts: QuerySet[Account]) -> tuple[Plan, list[int]]:
    """Active accounts get their mail of credentials."""
    rows = list(accounts.order_by("login"))
    active = [row for row in rows if row.is_active]
    return (
        Plan(
            title=_("Envoyer les identifiants"),
            sentence=ngettext(
                "%(count)d mail d’identifiants sera écrit.",
                "%(count)d mails d’identifiants seront écrits.",
                len(active),
            )
            % {"count": len(active)},
            button=_("Envoyer les identifiants"),
            count=len(active),
            groups=[
                _group(_("À qui"), active),
                _group(_("Comptes désactivés : laissés de côté"), [row for row in rows if not row.is_active]),
            ],
        ),
        [row.pk for row in active],
    )


def plan_relaunch(accounts: QuerySet[Account]) -> tuple[Plan, list[int]]:
    """Accounts that their owner has not made his own get a new provisional password, sent again."""
    rows = list(accounts.order_by("login"))
    active = [row for row in rows if row.is_active]
    changing = [row for row in active if is_relaunchable(row)]
    return (
        Plan(
            title=_("Renvoyer les identifiants"),
            sentence=ngettext(
                "%(count)d compte recevra un nouveau mot de passe provisoire par mail.",
                "%(count)d comptes recevront un nouveau mot de passe provisoire par mail.",
                len(changing),
            )
            % {"count": len(changing)},
            button=_("Renvoyer les identifiants"),
            count=len(changing),
            warning=_("Le mot de passe provisoire précédent ne fonctionnera plus."),
            groups=[
                _group(_("À qui"), changing),
                _group(
                    _("Ont choisi leur mot de passe : laissés tels quels"),
                    [row for row in active if not is_relaunchable(row)],
                ),
                _group(_("Comptes désactivés : laissés de côté"), [row for row in rows if not row.is_active]),
            ],
        ),
        [row.pk for row in changing],
    )


def plan_activate(accounts: QuerySet[Account]) -> tuple[Plan, list[int]]:
    """Accounts that open."""
    return _plan_set_active(accounts, is_active=True)


def plan_deactivate(accounts: QuerySet[Account]) -> tuple[Plan, list[int]]:
    """Accounts that close."""
    return _plan_set_active(accounts, is_active=False)


def _plan_set_active(accounts: QuerySet[Account], *, is_active: bool) -> tuple[Plan, list[int]]:
    changing = list(accounts.exclude(is_active=is_active).order_by("login"))
    count = len(changing)
    if is_active:
        title, button = _("Activer les comptes"), _("Activer")
        sentence = ngettext("%(count)d compte sera activé.", "%(count)d comptes seront activés.", count)
        warning = ""
    else:
        title, button = _("Désactiver les comptes"), _("Désactiver")
        sentence = ngettext("%(count)d compte sera désactivé.", "%(count)d comptes seront désactivés.", count)
        warning = _("Leurs titulaires ne pourront plus se connecter et ne recevront plus de mail.")
    return (
        Plan(
            title=title,
            sentence=sentence % {"count": count},
            button=button,
            count=count,
            warning=warning if count else "",
            groups=[_group(_("Comptes concernés"), changing)],
        ),
        [row.pk for row in changing],
    )


def accounts_of(customers: QuerySet[Customer]) -> QuerySet[Account]:
    """The accounts that see any of ``customers``."""
    keys = customers.order_by().values("pk")
    return CustomerAccount.objects.filter(is_staff=False, accesses__customer__in=keys).distinct()


def _group(sentence: str, rows: Iterable[Model]) -> Group:
    named = list(rows)
    return make_group(sentence, map(str, named), count=len(named))


class KindFilter(admin.SimpleListFilter):
    """What was done, the kinds of every room."""

    title = gettext_lazy("action")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The kinds by their words."""
        return [*Kind.choices, *((key, other.label) for key, other in OTHER_KINDS.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BulkAction]) -> QuerySet[BulkAction]:
        """The bulk actions of that kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(BulkAction)
class BulkActionAdmin(ObjectPage[BulkAction], ReadOnlyAdmin[BulkAction]):
    """The bulk actions on many rows: the report of each, while it runs and after."""

    empty_sentence = _("Aucune action groupée pour l’instant : cochez des clients, puis choisissez une action.")
    next_step = NextStep(_("Voir les clients"), "customers_customer_changelist", "customers.view_customer")
    list_display = ("created_at", "what", "state", "total", "changed", "author_name")
    list_filter = (KindFilter, "state")
    change_form_template = "backoffice/customers/bulk_action.html"

    @admin.display(description=gettext_lazy("action"), ordering="kind")
    def what(self, bulk_action: BulkAction) -> str:
        """What was done."""
        return bulk_action.kind_name

    def has_view_permission(self, request: HttpRequest, obj: BulkAction | None = None) -> bool:
        """Who may see bulk actions; of his own, whoever started it: he is led to its report."""
        is_own = obj is not None and obj.author_id is not None and obj.author_id == request.user.pk
        return is_own or super().has_view_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """*Annuler cette action*, beside the admin's own pages."""
        undo = self.admin_site.admin_view(require_POST(self.undo))
        return [path("<uuid:pk>/annuler/", undo, name="customers_bulkaction_undo"), *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: BulkAction | None) -> dict[str, Any]:
        """How far the bulk action is, and what became of it."""
        return {
            "is_worker_silent": is_worker_silent(),
            "is_on_invoices": obj is not None and obj.kind in OTHER_KINDS,
            "may_undo": obj is not None and is_undoable(obj) and self._may_undo(request, obj),
        }

    def _may_undo(self, request: HttpRequest, bulk_action: BulkAction) -> bool:
        # What was corrected from a list is taken back there, as long as the list has not left.
        right = UNDO_RIGHTS.get(Kind(bulk_action.kind)) if bulk_action.kind in UNDO_RIGHTS else None
        return right is not None and not bulk_action.origin and request.user.has_perm(right)

    def undo(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Put back what no one has changed since; once."""
        bulk_action = get_object_or_404(BulkAction, pk=pk)
        if not self.has_view_permission(request, bulk_action) or not self._may_undo(request, bulk_action):
            raise PermissionDenied
        if is_undoable(bulk_action):
            count = undo_bulk_action(bulk_action=bulk_action, by=acting_account(request))
            words = {"action": bulk_action, "count": count}
            messages.success(request, _("Annulé : %(action)s (%(count)d remis comme avant).") % words)
        else:
            messages.warning(request, _("Cette action ne s’annule pas, ou l’a déjà été."))
        return redirect("admin:customers_bulkaction_change", bulk_action.pk)
