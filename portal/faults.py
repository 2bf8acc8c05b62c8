"""Faults of ours that a page met: logged, and reported to those who mend them, at most once an hour for each kind."""

import datetime
import logging
import traceback
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from invoices.models import Document
from mailing.alerts import write_fault
from mailing.trail.actions import Action
from mailing.trail.evidence import entries_about
from mailing.trail.recording import record
from portal.logs import hide_tokens, request_name

logger = logging.getLogger(__name__)

REPORTED_AGAIN_AFTER = datetime.timedelta(hours=1)
MOST_NAMED = 50


def report_error(request: HttpRequest, error: BaseException) -> None:
    """Write to TECHNICAL_EMAIL that a page failed with ``error``: which page and where, nothing of its visitor."""
    place = _place_of(error)
    text = _(
        "Une page a échoué (erreur 500).\n\nPage : %(page)s\nErreur : %(error)s, %(place)s\nQuand : %(when)s\n"
        "Requête : %(request)s\n\nLa trace complète est dans le journal du portail, sous le nom de la requête. Le même "
        "échec n’est plus signalé avant une heure.\n"
    ) % {
        "page": f"{request.method} {hide_tokens(request.path)}",
        "error": type(error).__name__,
        "place": place,
        "when": date_format(timezone.localtime(), "d/m/Y H:i:s"),
        "request": request_name() or "–",
    }
    _write(f"{type(error).__name__} {place}", _("Portail de factures : une page a échoué"), text)


def report_missing_document(document: Document) -> None:
    """Log that the file of ``document`` cannot be read, note it in the trail of its invoice, and say so by mail."""
    logger.error("document %s is missing, altered or unreadable: %s", document.pk, document.storage_name)
    report_missing_documents([document])


def report_missing_documents(documents: Iterable[Document]) -> None:
    """Note in the trails of their invoices that these documents cannot be read, and say so in one mail."""
    lately = timezone.now() - REPORTED_AGAIN_AFTER
    new = []
    for document in documents:
        noted = entries_about(document.invoice).filter(action=Action.DOCUMENT_MISSING)
        if not noted.filter(at__gt=lately).exists():
            record(Action.DOCUMENT_MISSING, document.invoice, details={"file": document.storage_name})
            new.append(document)
    if not new:
        return
    lines = [
        _("Facture : %(number)s\nFichier : %(file)s")
        % {"number": document.invoice.number, "file": document.storage_name}
        for document in new[:MOST_NAMED]
    ]
    if len(new) > MOST_NAMED:
        lines.append(_("… et %(count)d autres.") % {"count": len(new) - MOST_NAMED})
    text = _(
        "Un document a été demandé que le stockage ne donne pas, ou pas tel qu’il a été figé.\n\n%(documents)s\n\n"
        "Qui l’a demandé lit que c’est de notre fait. À regarder : manage.py verify_documents, puis la dernière "
        "sauvegarde.\n"
    ) % {"documents": "\n\n".join(lines)}
    _write("document-missing", _("Portail de factures : un document manque"), text)


def _write(kind: str, subject: str, text: str) -> None:
    try:
        with override(settings.LANGUAGE_CODE):
            write_fault(kind, subject=subject, text=text, now=timezone.now())
    except (DatabaseError, InterfaceError):
        # The page has its answer already; the log has the rest.
        logger.warning("no mail about «%s» could be written", kind, exc_info=True)


def _place_of(error: BaseException) -> str:
    """«portal/space/views/invoices.py:52», the last line of our own that ``error`` went through."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "–"
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(settings.BASE_DIR / "portal")]
    own += [
        frame
        for room in ("invoices", "customers", "mailing")
        for frame in frames
        if Path(frame.filename).is_relative_to(settings.BASE_DIR / room)
    ]
    last = max(own or frames, key=frames.index)
    return f"{last.filename.removeprefix(f'{settings.BASE_DIR}/')}:{last.lineno}"
