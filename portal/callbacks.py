"""The address where platforms call back: there is no session, and the signature says who calls.

The body is never read as anything: its size, its kind and what it names change nothing.
"""

import time
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from invoices.models import Platform
from invoices.platforms.callbacks import is_genuine
from invoices.platforms.following import make_polling_due
from invoices.platforms.tasks import fetch_new_statuses

BURST_SECONDS: Final = 2


@csrf_exempt
@login_not_required
@require_POST
def platform_callback(request: HttpRequest, key: UUID) -> HttpResponse:
    """A platform says that there is something new: it is fetched by a worker, and read from the platform itself."""
    platform = get_object_or_404(Platform, callback_key=key)
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not is_genuine(platform, headers, request.body, now=time.time()):
        return HttpResponse(status=401)
    if cache.add(f"platform-called-{platform.pk}", True, BURST_SECONDS):
        fetch_new_statuses.enqueue()
    else:  # one call of a burst is enough, and what came after it is found by the next look
        make_polling_due(platform)
    return HttpResponse(status=204)
