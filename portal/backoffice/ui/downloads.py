"""Files that the back-office sends: many PDFs as one ZIP, a table as CSV or as a workbook."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from invoices.documents.zip_archive import stream_archive
from invoices.files.csv_tables import Column, CsvTable
from invoices.files.xlsx_tables import CONTENT_TYPE, write_xlsx
from invoices.models import Invoice
from invoices.money import write_count
from portal.notices import report_incomplete_archive


def send_zip(chunks: Iterator[bytes], *, filename: str) -> StreamingHttpResponse:
    """The answer that is the ZIP ``chunks``, to be kept under ``filename`` and by no cache."""
    response = StreamingHttpResponse(chunks, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def send_csv[Row](columns: Sequence[Column[Row]], rows: Iterable[Row], *, filename: str) -> HttpResponse:
    """The answer that is the table of ``rows``, to be kept under ``filename`` and by no cache."""
    response = HttpResponse("".join(CsvTable(columns).lines(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


MOST_ROWS: Final = 100_000
"""Of a workbook: some twenty seconds of a web process, and a tenth of what spreadsheets open."""


def is_too_long(request: HttpRequest, otherwise: str, *lists: QuerySet[Any]) -> bool:
    """Return True where the rows of ``lists`` are too many for a workbook together.

    The next page says so, and what to do ``otherwise``.
    """
    if sum(rows.order_by()[: MOST_ROWS + 1].count() for rows in lists) <= MOST_ROWS:
        return False
    words = {"rows": write_count(MOST_ROWS, _("ligne"), _("lignes")), "otherwise": otherwise}
    messages.warning(request, _("Cette liste a plus de %(rows)s : %(otherwise)s") % words)
    return True


def send_xlsx[Row](columns: Sequence[Column[Row]], rows: Iterable[Row], *, filename: str) -> FileResponse:
    """The same as a workbook, amounts as numbers and dates as dates."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    write_xlsx(columns, rows, file)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=filename, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response


def zip_of(request: HttpRequest, published: QuerySet[Invoice], *, filename: str) -> StreamingHttpResponse:
    """The PDFs of ``published`` invoices in a folder per customer, with a table of their fingerprints.

    A year of invoices is no more to ask than a page of them. No reading of an invoice is noted: the customer has
    not seen it.
    """
    return send_zip(
        stream_archive(
            identifiers=published.order_by("-issue_date", "-number").values_list("pk", flat=True),
            visible=Invoice.objects.published,
            by_customer=True,
            consulted=lambda _identifiers: None,
            with_index=True,
            unavailable=partial(report_incomplete_archive, request, filename),
            remedy=_("À regarder : manage.py verify_documents, puis la dernière sauvegarde."),
        ),
        filename=filename,
    )
