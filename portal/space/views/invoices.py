"""«Vos factures» and one invoice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Account, Customer
from invoices.content.from_rows import prefetch_for_content
from invoices.documents.consultations import record_consultations
from invoices.documents.printed_content import printed_content_of
from invoices.documents.versions import published_versions
from invoices.documents.zip_archive import stream_archive
from invoices.einvoices.xml_files import read_xml, xml_source_of
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import Company, Consultation, Document, Invoice, InvoiceQuerySet
from invoices.printing import wording
from invoices.store.frozen import DocumentAlteredError
from portal.faces import face_of, show_face_of
from portal.notices import report_incomplete_archive
from portal.space.invoice_csv import csv_lines
from portal.space.invoice_list import (
    LINES_PER_PAGE,
    NEW_FOR,
    CountedPaginator,
    YearTotal,
    by_month,
    by_year,
    complete_lines,
    customers_of,
    list_lines,
    search_pages,
    year_totals,
)
from portal.space.invoice_page import related_documents, shown_notes, transfer_of, transmission_of, worded_lines
from portal.space.requests import is_customers_own_reading, refuse_prefetch, signed_in_account
from portal.space.responses import DocumentUnavailableError, private, serve_document
from portal.space.searching import LONGEST, read_search
from portal.space.views.errors import document_unavailable

FIRST_YEARS = 6
MOST_SELECTED = 500
# A year of a few documents is read at a glance: a choice of months would only take their place.
LINES_BEFORE_MONTH_CHIPS = 12
# Whose space a page of several companies is: another tab may have changed to another one since.
COMPANY_KEY = "societe"
# What the address of an invoice keeps of the list that led to it.
LIST_KEYS = ("annee", "mois", "q", "client", "page", COMPANY_KEY)


@dataclass(frozen=True)
class Choice:
    """What the address asks the list for, among what the account may see."""

    account: Account
    customers: list[Customer]
    customer: Customer | None
    search: str
    asked_year: str
    month: int | None = None  # of the year that is asked for; None for all
    company: Company | None = None  # whose space the page is, where there are several
    has_other_companies: bool = False  # to which the reader may change

    @cached_property
    def visible(self) -> InvoiceQuerySet:
        """All the account may see of the company whose space it is, of the one customer where it was narrowed.

        An only customer is named too: the database plans a query sooner that names him.
        """
        found = Invoice.objects.visible_to(self.account)
        if self.company is not None:
            found = found.filter(company=self.company)
        one = self.customers[0] if len(self.customers) == 1 else self.customer
        return found if one is None else found.filter(customer=one)

    def of_year(self, year: int) -> InvoiceQuerySet:
        """What was issued in ``year``, in the chosen month where one was."""
        found = self.visible.filter(issue_date__year=year)
        return found if self.month is None else found.filter(issue_date__month=self.month)

    @property
    def found(self) -> InvoiceQuerySet:
        """What was searched for, in all years."""
        return self.visible.filter(read_search(self.search).condition(self.customers))

    def query(self, **more: object) -> str:
        """The same choice as the query of an address, changed by ``more``."""
        pairs: dict[str, object] = {
            "client": self.customer.code if self.customer else "",
            "q": self.search,
            "mois": self.month,
            COMPANY_KEY: self.company.pk if self.company and self.has_other_companies else None,
            **more,
        }
        return urlencode({name: value for name, value in pairs.items() if value not in ("", None)})


@require_safe
def invoices(request: HttpRequest) -> HttpResponse:
    """The invoices of a year (``?annee=``) by months, or those found (``?q=``) by years, newest first."""
    choice = _read_choice(request)
    # A search goes through all years: what each of them holds says nothing of what was found.
    years = [] if choice.search else year_totals(choice.visible)
    year = _chosen_year(choice.asked_year, years)
    if choice.search:
        paginator = search_pages(choice.found, choice.account, request.GET.get("page"))
        query, gather = choice.query(), by_year
    else:
        count = year.count if choice.month is None else year.months[choice.month]
        paginator = CountedPaginator(list_lines(choice.of_year(year.year), choice.account), LINES_PER_PAGE, count)
        query, gather = choice.query(annee=year.year), by_month
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "title": _("Vos factures"),
        "section": "invoices",
        "choice": choice,
        "has_several_customers": len(choice.customers) > 1,
        "years": years[:FIRST_YEARS],
        "earlier_years": years[FIRST_YEARS:],
        "year": year,
        "all_query": choice.query(q="", mois=""),
        "month_query": choice.query(q="", mois="", annee=year.year),
        "has_month_chips": len(year.months) > 1 and year.count > LINES_BEFORE_MONTH_CHIPS,
        "count": paginator.count,
        "periods": gather(complete_lines(page.object_list, choice.account, choice.customers)),
        "new_since": timezone.now() - NEW_FOR,
        "page": page,
        "query": query,
        "back": f"{query}&page={page.number}" if page.number > 1 else query,
    }
    return private(render(request, "space/invoices.html", context))


@require_safe
def invoices_csv(request: HttpRequest) -> HttpResponseBase:
    """The list of a year or of a search as a CSV file."""
    choice = _read_choice(request)
    matches, name = _matches_and_name(choice)
    response = StreamingHttpResponse(content_type="text/csv; charset=utf-8")
    if request.method == "GET":
        rows = matches.select_related("customer").order_by("-issue_date", "-number")
        response.streaming_content = csv_lines(rows.iterator(chunk_size=1000))
    return _download(response, f"{name}.csv")


@require_http_methods(["GET", "HEAD", "POST"])
@refuse_prefetch
def invoices_archive(request: HttpRequest) -> HttpResponseBase:
    """A ZIP: of a year or a search by GET; by POST, of the ticked invoices (``facture``)."""
    if request.method == "POST":
        return _selection_archive(request)
    choice = _read_choice(request)
    matches, name = _matches_and_name(choice)
    return _archive(request, choice.account, matches, name, by_customer=len(choice.customers) > 1)


def _selection_archive(request: HttpRequest) -> HttpResponseBase:
    account = signed_in_account(request)
    ticked: list[UUID] = []
    for text in request.POST.getlist("facture")[:MOST_SELECTED]:
        try:
            ticked.append(UUID(text))
        except ValueError as error:
            raise Http404 from error
    if not ticked:
        context = {"title": _("Aucune facture cochée"), "section": "invoices"}
        return private(render(request, "space/nothing_ticked.html", context, status=400))
    chosen = Invoice.objects.visible_to(account).filter(pk__in=ticked)
    if chosen.count() != len(set(ticked)):
        raise Http404
    return _archive(request, account, chosen, "Factures", by_customer=len(customers_of(account)) > 1)


@require_safe
@refuse_prefetch
def invoice(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """One invoice to read: what to pay and when, the document, then parties, lines and VAT."""
    account = signed_in_account(request)
    visible = Invoice.objects.visible_to(account)
    found = get_object_or_404(prefetch_for_content(visible).select_related("document__printed"), pk=invoice_id)
    show_face_of(request, found.company)
    content = printed_content_of(found)
    context = {
        "title": f"{wording.title(content)} {_('N°')} {found.number}",
        "section": "invoices",
        "invoice": found,
        # An invoice below zero is a credit, as on its PDF.
        "is_in_favour": found.is_credit_note or found.amount_due < 0,
        "owed": abs(found.amount_due),
        "back": _back_to_list(request, found),
        "content": content,
        "is_rectifying": found.type_code in wording.RECTIFYING,
        "lines": worded_lines(content),
        "terms": "" if found.is_credit_note else content.payment_terms,
        "notes": shown_notes(content),
        "related": related_documents(found, visible),
        "transfer": transfer_of(found, content),
        "transmission": transmission_of(found),
    }
    response = private(render(request, "space/invoice.html", context))
    if is_customers_own_reading(request):
        record_consultations(invoice_ids=[found.pk], account=account, channel=Consultation.Channel.PAGE)
    return response


def _back_to_list(request: HttpRequest, found: Invoice) -> dict[str, str]:
    """The list that led here, with its customer, page and search; the invoice's year where none did."""
    kept = {key: request.GET[key][:LONGEST] for key in LIST_KEYS if request.GET.get(key)}
    if face_of(request).choices:
        kept[COMPANY_KEY] = str(found.company_id)
    if kept.get("q"):
        label = _("Les factures trouvées")
    else:
        kept.setdefault("annee", str(found.issue_date.year))
        label = _("Vos factures de %(year)s") % {"year": kept["annee"][:4]}
    return {"query": urlencode(kept), "label": label}


@require_safe
@refuse_prefetch
def invoice_pdf(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """The frozen PDF, shown in the browser; ``?telecharger=1`` gives it as a file."""
    account = signed_in_account(request)
    found = get_object_or_404(Invoice.objects.visible_to(account).select_related("document"), pk=invoice_id)
    if found.document is None:
        raise Http404
    return _serve(request, account, found, found.document, found.pdf_filename)


@require_safe
@refuse_prefetch
def invoice_version(request: HttpRequest, invoice_id: UUID, version: int) -> HttpResponseBase:
    """An earlier version of the PDF, under a name that says so."""
    account = signed_in_account(request)
    found = get_object_or_404(Invoice.objects.visible_to(account), pk=invoice_id)
    document = get_object_or_404(published_versions(found), version=version)
    return _serve(request, account, found, document, found.pdf_filename.replace(".pdf", f"-v{version}.pdf"))


@require_safe
@refuse_prefetch
def invoice_xml(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """The e-invoice as XML: the one that came, or the one inside of the PDF."""
    account = signed_in_account(request)
    found = get_object_or_404(Invoice.objects.visible_to(account).select_related("document"), pk=invoice_id)
    source = xml_source_of(found)
    if source is None:
        raise Http404
    filename = found.pdf_filename.replace(".pdf", ".xml")
    if source.role == Document.Role.XML:
        return _serve(request, account, found, source, filename)
    try:
        content = read_xml(source)
    except (OSError, DocumentAlteredError, UnreadableEInvoice):
        return document_unavailable(request, source)
    if is_customers_own_reading(request):
        record_consultations(invoice_ids=[found.pk], account=account, channel=Consultation.Channel.XML)
    return _download(HttpResponse(content, content_type="application/xml"), filename)


def _serve(
    request: HttpRequest, account: Account, found: Invoice, document: Document, filename: str
) -> HttpResponseBase:
    as_attachment = request.GET.get("telecharger") == "1" or document.role == Document.Role.XML
    try:
        response = serve_document(request, document, filename=filename, as_attachment=as_attachment)
    except DocumentUnavailableError:
        return document_unavailable(request, document)
    if is_customers_own_reading(request):
        channel = Consultation.Channel.XML if document.role == Document.Role.XML else Consultation.Channel.PDF
        record_consultations(invoice_ids=[found.pk], account=account, channel=channel)
    return response


def _read_choice(request: HttpRequest) -> Choice:
    """The choice of the address. A customer of others is as unknown as one that does not exist: ``Http404``."""
    account = signed_in_account(request)
    _show_company_asked_for(request)
    face = face_of(request)
    company = face.company if face.is_one_of_several else None
    customers = customers_of(account, company)
    code = request.GET.get("client", "")
    customer = next((each for each in customers if each.code == code), None)
    if code and customer is None:
        raise Http404
    search = request.GET.get("q", "").replace("\x00", " ").strip()[:LONGEST]
    asked_year, month = request.GET.get("annee", ""), request.GET.get("mois", "")
    is_month = bool(asked_year) and not search and len(month) <= 2 and month.isascii() and month.isdigit()
    chosen_month = int(month) if is_month and 1 <= int(month) <= 12 else None
    has_others = bool(face.choices)
    return Choice(account, customers, customer, search, asked_year, chosen_month, company, has_others)


def _show_company_asked_for(request: HttpRequest) -> None:
    """Show the company that the address names. One that does not bill its reader is unknown: ``Http404``."""
    asked, face = request.GET.get(COMPANY_KEY, ""), face_of(request)
    if not asked or (face.company is not None and asked == str(face.company.pk)):
        return
    company = next((each for each in face.choices if asked == str(each.pk)), None)
    if company is None:
        raise Http404
    show_face_of(request, company)


def _matches_and_name(choice: Choice) -> tuple[InvoiceQuerySet, str]:
    if choice.search:
        return choice.found, "Factures-recherche"
    year = _chosen_year(choice.asked_year, year_totals(choice.visible) if not choice.asked_year else [])
    name = f"Factures-{year.year}" if choice.month is None else f"Factures-{year.year}-{choice.month:02}"
    return choice.of_year(year.year), name


def _chosen_year(asked: str, years: list[YearTotal]) -> YearTotal:
    """The year asked for where it is one, else the newest that has invoices."""
    newest = years[0] if years else YearTotal(timezone.localdate().year)
    if not (len(asked) == 4 and asked.isascii() and asked.isdigit() and asked != "0000"):
        return newest
    return next((year for year in years if year.year == int(asked)), YearTotal(int(asked)))


def _archive(
    request: HttpRequest, account: Account, chosen: QuerySet[Invoice], name: str, *, by_customer: bool
) -> HttpResponseBase:
    response = StreamingHttpResponse(content_type="application/zip")
    if request.method != "HEAD":
        response.streaming_content = archive_of(request, account, chosen, f"{name}.zip", by_customer=by_customer)
    return _download(response, f"{name}.zip")


def archive_of(
    request: HttpRequest,
    account: Account,
    chosen: QuerySet[Invoice],
    name: str,
    *,
    by_customer: bool,
    extra: tuple[tuple[str, bytes], ...] = (),
) -> Iterator[bytes]:
    """The ZIP of ``chosen`` as it is sent under ``name``; each hundred is written as consulted once it left."""
    consulted: Callable[[list[UUID]], None] = (
        partial(_record_archive, account) if is_customers_own_reading(request) else lambda _identifiers: None
    )
    company = face_of(request).company
    contact = " · ".join(filter(None, (company.phone, company.email))) if company else ""
    again = _("Réessayez plus tard, ou demandez-nous ces documents.")
    return stream_archive(
        identifiers=chosen.order_by("-issue_date", "-number").values_list("pk", flat=True),
        visible=lambda: Invoice.objects.visible_to(account),
        by_customer=by_customer,
        consulted=consulted,
        extra=extra,
        unavailable=partial(report_incomplete_archive, request, name),
        remedy=f"{again} {contact}".strip(),
    )


def _record_archive(account: Account, identifiers: list[UUID]) -> None:
    record_consultations(invoice_ids=identifiers, account=account, channel=Consultation.Channel.ZIP)


def _download[Response: HttpResponseBase](response: Response, filename: str) -> Response:
    response["Content-Disposition"] = content_disposition_header(True, filename) or ""
    return private(response)
