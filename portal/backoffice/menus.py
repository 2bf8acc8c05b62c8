"""The menus of the back-office, in the words that accounting staff know from their ERP."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a menu: the list of a registered model, or a page of its own.

    ``model`` is ``app.Model``; otherwise ``url_name`` is a name of the back-office (without ``admin:``), shown to those
    who have one of ``permissions``. ``label`` replaces the model's own name.
    """

    label: "str | Promise" = ""
    model: str = ""
    url_name: str = ""
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu: its key (for anchors and styles), its title and its entries."""

    key: str
    title: "str | Promise"
    entries: tuple[Entry, ...]


MENUS = (
    Menu(
        "client",
        _("Client"),
        (
            Entry(model="customers.Customer"),
            Entry(model="customers.Contact"),
            Entry(model="customers.CustomerAccount"),
            Entry(model="customers.BulkAction"),
        ),
    ),
    Menu(
        "export",
        _("Échange EDI › Export WEB › Factures"),
        (
            Entry(_("Écran d’export"), url_name="export_web", permissions=("invoices.view_export",)),
            Entry(model="invoices.Export"),
            Entry(model="invoices.Invoice"),
            Entry(_("Suivi plateforme"), url_name="platform_follow_up", permissions=("invoices.view_export",)),
            Entry(_("Annuaire"), url_name="directory", permissions=("invoices.view_export",)),
            Entry(_("Importer"), model="invoices.ImportBatch"),
        ),
    ),
    Menu(
        "parametrage",
        _("Utilitaires › Paramétrage société et constantes"),
        (
            Entry(_("Société"), model="invoices.Company"),
            Entry(_("Formats d’import"), model="invoices.ImportMapping"),
            Entry(_("Plateformes agréées"), model="invoices.Platform"),
            Entry(model="mailing.MessageTemplate"),
        ),
    ),
    Menu(
        "courrier",
        _("Courrier"),
        (
            Entry(_("Boîte d’envoi"), model="mailing.Message"),
            Entry(_("Réponses de clients"), model="mailing.Reply"),
            Entry(_("Adresses en erreur"), url_name="failed_addresses", permissions=("mailing.view_failedaddress",)),
            Entry(_("Délivrabilité"), url_name="deliverability", permissions=("mailing.view_message",)),
        ),
    ),
    Menu(
        "administration",
        _("Administration"),
        (
            Entry(_("Utilisateurs"), model="customers.StaffAccount"),
            Entry(_("Droits"), model="auth.Group"),
            Entry(_("Historique"), model="admin.LogEntry"),
            Entry(_("Piste d’audit"), model="trail.Entry"),
            Entry(model="quarantine.SetAside"),
        ),
    ),
)


def build_menus(request: HttpRequest, registered: dict[str, dict[str, Any]], site_name: str) -> list[dict[str, Any]]:
    """The menus that the signed-in person may use, in the form of Django's list of applications.

    ``registered`` are the models that the person may see, by ``app.Model``, as Django's admin describes them. A page
    that no address leads to is left out, a menu without entries too.
    """
    menus = []
    for menu in MENUS:
        models = []
        for entry in menu.entries:
            if entry.model:
                found = registered.get(entry.model)
                if found and found["admin_url"]:
                    models.append({**found, "name": entry.label or found["name"]})
            elif page := _page(request, entry, site_name):
                models.append(page)
        if models:
            menus.append(
                {
                    "name": menu.title,
                    "app_label": menu.key,
                    "app_url": f"{reverse('admin:index', current_app=site_name)}#{menu.key}",
                    "has_module_perms": True,
                    "models": models,
                }
            )
    return menus


def _page(request: HttpRequest, entry: Entry, site_name: str) -> dict[str, Any] | None:
    if entry.permissions and not any(request.user.has_perm(permission) for permission in entry.permissions):
        return None
    try:
        url = reverse(f"admin:{entry.url_name}", current_app=site_name)
    except NoReverseMatch:
        return None
    return {
        "name": entry.label,
        "object_name": entry.url_name,
        "perms": {"view": True},
        "admin_url": url,
        "add_url": None,
        "view_only": True,
    }


def find_place(menus: list[dict[str, Any]], path: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The menu and the entry below which the address ``path`` lies: the longest that it starts with."""
    places = [(menu, entry) for menu in menus for entry in menu["models"] if path.startswith(entry["admin_url"])]
    return max(places, key=lambda place: len(place[1]["admin_url"]), default=None)
