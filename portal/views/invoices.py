"""«Vos factures» and one invoice."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from invoices.consultations import record_consultations
from invoices.models import Consultation, Invoice
from portal.documents import private, serve_document
from portal.invoice_list import (
    LINES_PER_PAGE,
    CountedPaginator,
    YearTotal,
    by_month,
    customers_of,
    list_lines,
    year_totals,
)
from portal.requests import is_customers_own_reading, signed_in_account


@require_safe
def invoices(request: HttpRequest) -> HttpResponse:
    """The invoices of a year (``?annee=``), newest first, by months."""
    account = signed_in_account(request)
    customers = customers_of(account)
    visible = Invoice.objects.visible_to(account)
    years = year_totals(visible)
    year = _chosen_year(request.GET.get("annee", ""), years)
    paginator = CountedPaginator(
        list_lines(visible.filter(issue_date__year=year.year), account), LINES_PER_PAGE, year.count
    )
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "title": _("Vos factures"),
        "customers": customers,
        "years": years,
        "year": year,
        "months": by_month(page.object_list),
        "page": page,
        "query": f"annee={year.year}&",
    }
    return private(render(request, "portal/invoices.html", context))


@require_safe
def invoice_pdf(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """The frozen PDF, shown in the browser; ``?telecharger=1`` gives it as a file."""
    account = signed_in_account(request)
    found = get_object_or_404(Invoice.objects.visible_to(account).select_related("document"), pk=invoice_id)
    if found.document is None:
        raise Http404
    response = serve_document(
        request,
        found.document,
        filename=found.pdf_filename,
        as_attachment=request.GET.get("telecharger") == "1",
    )
    if is_customers_own_reading(request):
        record_consultations(invoice_ids=[found.pk], account=account, channel=Consultation.Channel.PDF)
    return response


def _chosen_year(asked: str, years: list[YearTotal]) -> YearTotal:
    """The year asked for where it is one, else the newest that has invoices."""
    newest = years[0] if years else YearTotal(timezone.localdate().year)
    if not (len(asked) == 4 and asked.isascii() and asked.isdigit() and asked != "0000"):
        return newest
    return next((year for year in years if year.year == int(asked)), YearTotal(int(asked)))
