"""Answers that carry a frozen document: private, never kept by anything between, under the name people know."""

import os
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from invoices.models import Document


class DocumentUnavailableError(Exception):
    """The store does not give the frozen bytes of a document: a fault of ours, not of who asks for it."""


def private[Response: HttpResponseBase](response: Response) -> Response:
    """``response`` marked as one person's: kept by no cache, neither shared nor the browser's own."""
    response["Cache-Control"] = "private, no-store"
    return response


def serve_document(
    request: HttpRequest, document: Document, *, filename: str, as_attachment: bool
) -> HttpResponse | FileResponse:
    """The bytes of ``document`` under ``filename``; by the web server itself where DOCUMENTS_SEND_HEADER says so.

    Raises :class:`DocumentUnavailableError` where the file is missing from the store or cannot be read; behind a web
    server also where it is cut short: what that would send instead is its own page, after the reading was noted.
    """
    content_type = "application/pdf" if document.role == Document.Role.PDF else "application/xml"
    response: HttpResponse | FileResponse
    if settings.DOCUMENTS_SEND_HEADER:
        if not _is_there(document):
            raise DocumentUnavailableError
        response = HttpResponse(content_type=content_type)
        response[settings.DOCUMENTS_SEND_HEADER] = settings.DOCUMENTS_SEND_PREFIX + quote(document.storage_name)
    elif request.method == "HEAD":  # answers with the head alone, as GET would: nothing is opened
        if not default_storage.exists(document.storage_name):
            raise DocumentUnavailableError
        response = HttpResponse(content_type=content_type)
        response["Content-Length"] = str(document.size)
    else:
        try:
            response = FileResponse(default_storage.open(document.storage_name, "rb"), content_type=content_type)
        except OSError as problem:
            raise DocumentUnavailableError from problem
        response["Content-Length"] = str(document.size)
    disposition = content_disposition_header(as_attachment, filename)
    if disposition:
        response["Content-Disposition"] = disposition
    return private(response)


def _is_there(document: Document) -> bool:
    """True where the file of ``document`` is in the local folder, whole and readable by this process."""
    path = Path(default_storage.path(document.storage_name))
    try:
        is_whole = path.stat().st_size == document.size and os.access(path, os.R_OK)
    except OSError:
        return False
    return is_whole
