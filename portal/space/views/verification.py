"""*Vérifier*: is this invoice one of ours? Open to everybody, and says nothing else about anybody."""

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.typed_passwords import with_signs_of_a_keyboard
from invoices.documents.versions import published_versions
from invoices.models import Document
from portal.bodies import accepts_files
from portal.space.forms import VerificationForm
from portal.space.limits import Limit
from portal.space.requests import client_network
from portal.space.responses import private
from portal.space.views.errors import too_many_tries

TRIES = Limit("verification", most=20, minutes=10)
# Of one fingerprint, or of one beginning of sixteen characters: one but by accident.
MOST_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is answered: the document where it is one of ours, and whether a later version took its place."""

    document: Document | None
    is_replaced: bool = False


@login_not_required
@accepts_files(lambda: settings.VERIFICATION_UPLOAD_LIMIT, of_public=True)
@require_http_methods(["GET", "HEAD", "POST"])
def verification(request: HttpRequest) -> HttpResponse:
    """A PDF, or a number and a fingerprint: «authentique» or «non conforme»."""
    context: dict[str, object] = {"title": _("Vérifier une facture"), "section": "verification"}
    if request.method != "POST":
        form = VerificationForm(initial={"number": request.GET.get("numero", "")[:100]})
        return render(request, "space/verification.html", {**context, "form": form})
    if not TRIES.allow(client_network(request)):
        return too_many_tries(request, minutes=TRIES.minutes)
    form = VerificationForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "space/verification.html", {**context, "form": form})
    pdf = form.cleaned_data["pdf"]
    if pdf:
        verdict = _look_up(fingerprint=_fingerprint_of(pdf))
    else:
        verdict = _look_up(fingerprint=form.cleaned_data["fingerprint"], number=form.cleaned_data["number"])
    answer = {**context, "form": VerificationForm(), "verdict": verdict}
    return private(render(request, "space/verification.html", answer))


def _fingerprint_of(file: "UploadedFile[Any]") -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _names(typed: str, number: str) -> bool:
    """True where ``typed`` is ``number`` as people copy it: «facture n° FAC‑7» is FAC-7, «1FAC-7» another one."""
    text, sought = (
        unicodedata.normalize("NFKC", with_signs_of_a_keyboard(each)).casefold() for each in (typed, number)
    )
    before, found, after = text.rpartition(sought)
    return bool(found) and not after and (not before or before[-1].isspace() or before[-1] in "°:#")


def _look_up(*, fingerprint: str, number: str = "") -> Verdict:
    """The published PDF of this fingerprint (its beginning is enough beside the number), by index."""
    documents = Document.objects.filter(
        role=Document.Role.PDF,
        invoice__published_at__isnull=False,
        sha256__gte=fingerprint,
        sha256__lte=fingerprint.ljust(64, "f"),
    )
    candidates = documents.select_related("invoice__company").order_by("-version")[:MOST_CANDIDATES]
    found = next((each for each in candidates if not number or _names(number, each.invoice.number)), None)
    if found is None or found.invoice.document_id == found.pk:
        return Verdict(found)
    # A file of the ERP that another one replaced before the export was never issued.
    was_published = published_versions(found.invoice).filter(pk=found.pk).exists()
    return Verdict(found, is_replaced=True) if was_published else Verdict(None)
