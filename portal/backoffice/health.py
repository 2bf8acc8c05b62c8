"""``/sante/``: whether the installation works, for a machine that watches it."""

import datetime
import shutil
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mailing.heartbeats import MOST_CLOCK_OFFSET, find_wrong_clocks, measure_clock_offset
from mailing.outbox import oldest_due
from mailing.watching import FEWEST_FREE_BYTES
from portal.backoffice.ui.worker import MAILER, WORKER, find_silence

# A mail that could leave and has not for that long: the mailer is alive and does not get on.
LATE_AFTER = datetime.timedelta(hours=1)


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 where all is well, 503 with the names of what is not; sentences only for the one who holds HEALTH_TOKEN."""
    troubles = find_troubles()
    answer: dict[str, object] = {"status": "down" if troubles else "ok", "troubles": sorted(troubles)}
    if holds_token(request):
        answer["details"] = troubles
    return JsonResponse(answer, status=503 if troubles else 200)


def holds_token(request: HttpRequest) -> bool:
    """Whether whoever asks shows HEALTH_TOKEN («Authorization: Bearer …»)."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bool(settings.HEALTH_TOKEN) and constant_time_compare(token, settings.HEALTH_TOKEN)


def find_troubles() -> dict[str, str]:
    """What does not work now: a name for machines, and a French sentence for people."""
    troubles = _find_documents_troubles()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        offset = measure_clock_offset()
        now = timezone.now() - offset  # of the database, as what it holds
        offsets = find_wrong_clocks(now)
        if abs(offset) > MOST_CLOCK_OFFSET:
            offsets[_("cette machine")] = offset
        if offsets:
            said = ", ".join(f"{name} ({each.total_seconds():+.0f} s)" for name, each in offsets.items())
            troubles["clock"] = _("Horloges qui ne sont pas celle de la base : %(machines)s.") % {"machines": said}
        for role, name, sentence in (
            (WORKER, "worker", _("Aucun processus de travail (run_worker) n’a donné signe de vie depuis une minute.")),
            (MAILER, "mailer", _("Aucun processus d’envoi (send_queued_mail --loop) n’a donné signe de vie.")),
        ):
            if find_silence(role, now) is not None:
                troubles[name] = sentence
        oldest = oldest_due(now)
        if oldest is not None and now - oldest > LATE_AFTER:
            troubles["outbox"] = _("Des mails attendent depuis %(minutes)s minutes.") % {
                "minutes": int((now - oldest).total_seconds() // 60)
            }
    except DatabaseError as error:
        troubles["database"] = _("La base de données ne répond pas (%(kind)s).") % {"kind": type(error).__name__}
    return troubles


def _find_documents_troubles() -> dict[str, str]:
    if settings.DOCUMENTS_STORAGE_URL:
        return {}
    folder = Path(settings.DOCUMENTS_ROOT)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        free = shutil.disk_usage(existing).free
    except OSError as error:
        return {"documents": _("Le dossier des documents ne répond pas (%(reason)s).") % {"reason": error.strerror}}
    if free < FEWEST_FREE_BYTES:
        return {"disk": _("Il reste %(size)s Mo sur le disque des documents.") % {"size": free // 1_000_000}}
    return {}
