"""``/sante/metriques/``: the figures of the installation for Prometheus, read from the database at each request.

Nothing is counted in memory, so that the figures are those of the installation whichever process answers.
"""

import datetime
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from invoices.models import Export, ExportItem, ImportBatch, Invoice
from mailing.heartbeats import MAILER, RETURNS, WORKER, last_heartbeat
from mailing.outbox import is_paused, oldest_due, summary
from mailing.watching import documents_disk
from portal.backoffice.health import holds_token

ROLES = {"worker": WORKER, "mailer": MAILER, "returns": RETURNS}


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures in the text format of Prometheus, for the one who holds HEALTH_TOKEN; 404 where none is set."""
    if not settings.HEALTH_TOKEN:
        return HttpResponse(status=404)
    if not holds_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(InstallationCollector(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class InstallationCollector(Collector):
    """The gauges of the installation at ``now``; those of the database are missing where it does not answer."""

    def __init__(self, now: datetime.datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        """Each gauge with its values."""
        if (disk := documents_disk()) is not None:
            yield _gauge("portail_documents_disk_free_bytes", "Bytes left on the disk of documents", disk.free)
            yield _gauge("portail_documents_disk_size_bytes", "Size of the disk of documents", disk.total)
        try:
            found = list(self._from_database())
        except DatabaseError:
            found = []
        yield _gauge("portail_database_up", "1 where the database answers", bool(found))
        yield from found

    def _from_database(self) -> Iterator[Metric]:
        mails = summary(self.now)
        due = mails.pop("due")
        yield _by("portail_outbox_messages", "Mails by state", "state", mails)
        yield _gauge("portail_outbox_due_messages", "Mails that could leave now", due)
        oldest = oldest_due(self.now)
        age = (self.now - oldest).total_seconds() if oldest else 0
        yield _gauge("portail_outbox_oldest_due_seconds", "How long the oldest mail that could leave has waited", age)
        yield _gauge("portail_outbox_paused", "1 where staff have suspended the outbox", is_paused())
        seen = {name: last_heartbeat(role) for name, role in ROLES.items()}
        yield _by(
            "portail_process_last_seen_timestamp_seconds",
            "Last sign of life of a process, as a Unix time",
            "process",
            {name: beat.seen_at.timestamp() for name, beat in seen.items() if beat is not None},
        )
        under_way = Export.objects.filter(state__in=Export.UNDER_WAY)
        states = dict.fromkeys((str(state) for state in Export.UNDER_WAY), 0)
        states |= dict(under_way.order_by().values_list("state").annotate(Count("pk")))
        yield _by("portail_exports", "Exports under way", "state", states)
        waiting = under_way.exclude(trouble="").count()
        yield _gauge("portail_exports_in_trouble", "Exports that wait for the store of documents", waiting)
        lines = ExportItem.objects.filter(export__in=under_way).order_by().values_list("state").annotate(Count("pk"))
        yield _by("portail_export_lines", "Lines of the exports under way", "state", dict(lines))
        batches = ImportBatch.objects.order_by().values_list("state").annotate(Count("pk"))
        yield _by("portail_imports", "Imports by state", "state", dict(batches))
        yield _gauge("portail_invoices_published", "Published invoices", Invoice.objects.published().count())
        yield _gauge("portail_invoices", "Invoices", Invoice.objects.count())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
