"""What the columns of an unknown table are: proposed, chosen from lists, checked at once, kept for the next file."""

import datetime
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Account
from invoices.documents.thumbnails import draw_first_page
from invoices.files.tables import UnreadableTable
from invoices.importing.batches import TooLateError
from invoices.importing.mapping.fields import CHECKS, CUSTOMER, FIELDS, LINE
from invoices.importing.unknown_tables import LookedAt, NoSuchTable, keep_mapping, look_at, prepare_print
from invoices.models import ImportBatch, ImportMapping
from portal.backoffice.ui.lists import BackOfficeAdmin, NextStep

_ALLOWED: Final = frozenset((*FIELDS, *CHECKS))
_PICTURE_WIDTH: Final = 900
IMPORT: Final = "invoices.import_invoices"
_WORDS: Final = {
    "ht": "HT", "tva": "TVA", "ttc": "TTC", "siren": "SIREN", "siret": "SIRET", "pdf": "PDF", "numero": "numéro",
    "designation": "désignation", "quantite": "quantité", "unite": "unité", "categorie": "catégorie",
    "exoneration": "d’exonération", "echeance": "échéance", "corrigee": "corrigée", "societe": "société",
    "complement": "complément", "deja": "déjà", "paye": "payé", "marche": "du marché", "reference": "référence",
    "telephone": "téléphone", "electronique": "électronique",
}  # fmt: skip


def _label(name: str) -> str:
    words = name.removeprefix(LINE).removeprefix(CUSTOMER).split("_")
    return " ".join(_WORDS.get(word, word) for word in words)


def _label_of_missing(name: str) -> str:
    if name.startswith(LINE):
        return _("%(column)s de la ligne") % {"column": _label(name)}
    return _("%(column)s du client") % {"column": _label(name)} if name.startswith(CUSTOMER) else _label(name)


def _label_in_list(name: str) -> str:
    """The name of a column; of a line's, that it is one where invoices have one of that name too."""
    return _label_of_missing(name) if name.removeprefix(LINE) in FIELDS or name in CHECKS else _label(name)


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Our columns as lists show them, in three groups."""
    heads = [name for name in FIELDS if "." not in name]
    lines = [name for name in (*FIELDS, *CHECKS) if name.startswith(LINE)]
    cards = [name for name in FIELDS if name.startswith(CUSTOMER)]
    groups = ((_("Facture"), heads), (_("Ligne"), lines), (_("Client"), cards))
    return [(title, [(name, _label_in_list(name)) for name in names]) for title, names in groups]


def columns(request: HttpRequest, batch_id: UUID, number: int) -> HttpResponse:
    """*Indiquer les colonnes* of one table of an import."""
    batch, table = _asked_for(request, batch_id, number)
    assert isinstance(request.user, Account)
    chosen, customers = _given(request)
    try:
        looked = look_at(batch=batch, name=table, fields=chosen, customers=customers)
    except NoSuchTable as problem:
        raise Http404 from problem
    name = request.POST.get("name", "").strip()[:100] or table[:100]
    if request.method == "POST" and "keep" in request.POST:
        if looked.missing:
            messages.warning(request, _("Il manque encore des colonnes obligatoires."))
        elif looked.result is not None and not looked.is_right and "accept" not in request.POST:
            messages.warning(
                request, _("Des montants ne s’accordent pas : corrigez les colonnes, ou acceptez l’écart.")
            )
        else:
            try:
                keep_mapping(batch=batch, looked=looked, name=name, customers=customers, author=request.user)
            except TooLateError as problem:
                messages.warning(request, str(problem))
            else:
                messages.success(request, _("Format gardé : les prochains fichiers de cette forme seront lus ainsi."))
            return redirect("admin:invoices_importbatch_change", batch.pk)
    context = {
        **admin.site.each_context(request),
        "title": _("Que contient chaque colonne ?"),
        "batch": batch,
        "table": table,
        "first_invoices": _first_invoices(looked, request.path),
        "name": name,
        "rows": [(each, looked.fields[each.index]) for each in looked.proposal.columns],
        "choices": choices(),
        "missing": [_label_of_missing(each) for each in looked.missing],
        # Those that were answered stay: the next press of a button sends them again.
        "customers": [
            (one, customers.get(one, ""), one in looked.unknown_codes)
            for one in dict.fromkeys((*customers, *looked.unknown_customers))
        ],
        **_totals(looked),
    }
    return TemplateResponse(request, "backoffice/imports/columns.html", context)


def printed(request: HttpRequest, batch_id: UUID, number: int, place: int) -> HttpResponse:
    """The first page of one of the first invoices of the table, as it would print with the columns of the address."""
    batch, name = _asked_for(request, batch_id, number)
    names, codes = request.GET.getlist("customer"), request.GET.getlist("code")
    try:
        render = prepare_print(
            batch=batch,
            name=name,
            fields=[each if each in _ALLOWED else "" for each in request.GET.get("fields", "").split(",")],
            customers=dict(zip(names, codes, strict=False)),
            place=place,
        )
    except (NoSuchTable, UnreadableTable, OperationalError) as problem:
        raise Http404 from problem
    if render is None:
        raise Http404
    response = HttpResponse(draw_first_page(render(), width=_PICTURE_WIDTH), content_type="image/png")
    patch_cache_control(response, private=True, max_age=600)
    return response


def _asked_for(request: HttpRequest, batch_id: UUID, number: int) -> tuple[ImportBatch, str]:
    """The import, and the name of its table that waits for its columns."""
    if not request.user.has_perm(IMPORT) or not isinstance(request.user, Account):
        raise PermissionDenied
    batch = get_object_or_404(ImportBatch, pk=batch_id, state=ImportBatch.State.CHECKED)
    tables: Sequence[str] = batch.report.get("to_map", [])
    if number >= len(tables):
        raise Http404
    return batch, tables[number]


def _first_invoices(looked: LookedAt, address: str) -> list[tuple[str, str]]:
    """The numbers of the first invoices, and the address of each one's picture."""
    if looked.result is None or not looked.is_printable:
        return []
    heads = looked.result.amounts.first
    shown = {head["code_client"] for head in heads}
    answers = [(one, code) for one, code in looked.customers.items() if code in shown]
    pairs = [pair for one, code in answers for pair in (("customer", one), ("code", code))]
    query = urlencode([("fields", ",".join(looked.fields)), *pairs])
    return [(head["numero"], f"{address}facture/{place}/?{query}") for place, head in enumerate(heads)]


def _given(request: HttpRequest) -> tuple[dict[int, str] | None, dict[str, str]]:
    """The columns that were chosen, by place, and the codes of customers that were typed, by name."""
    if request.method != "POST":
        return None, {}
    chosen: dict[int, str] = {}
    for key, value in request.POST.items():
        place = key.removeprefix("field-")
        if place != key and place.isascii() and place.isdigit() and len(place) < 6:
            chosen[int(place)] = str(value) if value in _ALLOWED else ""
    names, codes = request.POST.getlist("customer"), request.POST.getlist("code")
    typed = {one: code.strip() for one, code in zip(names, codes, strict=False) if code.strip()}
    return chosen or None, typed


def _totals(looked: LookedAt) -> dict[str, Any]:
    result = looked.result
    if result is None:
        return {"is_right": not looked.missing, "amounts": None}
    return {
        "is_right": looked.is_right,
        "amounts": result.amounts,
        "months": [(datetime.date.fromisoformat(f"{month}-01"), *rest) for month, *rest in result.amounts.by_month],
        "refused": result.refused,
        "problems": result.rejections[:10],
    }


@admin.register(ImportMapping)
class ImportMappingAdmin(BackOfficeAdmin[ImportMapping]):
    """*Formats d'import*: what people have said of the columns of tables."""

    empty_sentence = gettext_lazy(
        "Aucun format pour l’instant : il se garde quand vous indiquez les colonnes d’un fichier."
    )
    next_step = NextStep(gettext_lazy("Contrôler un fichier"), "invoices_importbatch_add", "invoices.import_invoices")
    list_display = ("name", "company", "author_name", "created_at", "used_at")
    list_select_related = ("company",)
    search_fields = ("name",)
    fields = ("name", "company", "known_columns", "trial", "author_name", "created_at", "used_at")
    readonly_fields = ("known_columns", "trial", "author_name", "created_at", "used_at")

    @admin.display(description=gettext_lazy("colonnes"))
    def known_columns(self, mapping: ImportMapping) -> str:
        """«Pièce : numero, Jour : date»."""
        pairs = zip(mapping.headers, mapping.fields, strict=False)
        return ", ".join(f"{header} : {name}" for header, name in pairs if name)

    @admin.display(description=gettext_lazy("essayer"))
    def trial(self, mapping: ImportMapping) -> SafeString:
        """The way to a check of a file of this shape."""
        words = _("Contrôler un fichier de cette forme (rien n’est écrit avant la confirmation)")
        return format_html('<a href="{}">{}</a>', reverse("admin:invoices_importbatch_add"), words)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Formats come from *Importer*."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: ImportMapping | None = None) -> bool:
        """Who imports."""
        return request.user.has_perm(IMPORT)

    def has_change_permission(self, request: HttpRequest, obj: ImportMapping | None = None) -> bool:
        """Who imports."""
        return request.user.has_perm(IMPORT)

    def has_delete_permission(self, request: HttpRequest, obj: ImportMapping | None = None) -> bool:
        """Who imports."""
        return request.user.has_perm(IMPORT)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Who imports."""
        return request.user.has_perm(IMPORT)
