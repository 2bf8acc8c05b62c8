"""The words of what is published already: batch by batch, each for itself, and on from there where it was broken off."""

from django.db import migrations
from django.db.models import Exists, OuterRef

from invoices.content.words import AT_ONCE, words_of_lines


def write_words(apps, schema_editor):
    invoice_model, words_model = apps.get_model("invoices", "Invoice"), apps.get_model("invoices", "InvoiceWords")
    written = Exists(words_model.objects.filter(invoice=OuterRef("pk")))
    published = invoice_model.objects.filter(published_at__isnull=False).order_by("pk")
    missing = published.filter(~written).only("pk", "customer_id").prefetch_related("lines")
    last = None
    while found := list((missing if last is None else missing.filter(pk__gt=last))[:AT_ONCE]):
        rows = (
            words_model(invoice_id=invoice.pk, words=words_of_lines(invoice.customer_id, invoice.lines.all()))
            for invoice in found
        )
        words_model.objects.bulk_create([row for row in rows if row.words], ignore_conflicts=True)
        last = found[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("invoices", "0027_invoice_words"),
    ]

    operations = [migrations.RunPython(write_words, migrations.RunPython.noop, elidable=True)]
