"""The import against the bare insertion of the same rows: ``python tests/benchmarks/import_speed.py [INVOICES]``.

By hand, on an empty database named by DATABASE_URL (it is emptied again). Three columns of time, in one run:

- ``import_erp`` of the CSV files: parsed, checked, compared, inserted, one transaction;
- the same of one flat table, a row a line with the invoice's columns repeated, under names that are not ours;
- bare: the very rows that the import has written, read back and kept ready as the driver takes them, inserted with
  COPY (PostgreSQL) or ``executemany`` (SQLite), one transaction;
- ``bulk_create`` of the same rows as model instances that are ready, in batches of 1,000.

Prints a table and one line of JSON.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from customers.models import Customer  # noqa: E402
from invoices.importing.run import import_erp  # noqa: E402
from invoices.models import Invoice, InvoiceLine  # noqa: E402
from portal.demonstration import create_demo_company  # noqa: E402

LINES_EACH = 5
CUSTOMERS = 2000


def write_files(folder: Path, invoices: int) -> None:
    """``factures.csv`` and ``lignes.csv``, with the variety of a shop's sales."""
    with (folder / "clients.csv").open("w", encoding="utf-8") as file:
        file.write("code;raison_sociale;type;nb_factures\n")
        file.writelines(f"C{n:05};Client numéro {n};professionnel;D\n" for n in range(CUSTOMERS))
    with (
        (folder / "factures.csv").open("w", encoding="utf-8") as heads,
        (folder / "lignes.csv").open("w", encoding="utf-8") as lines,
    ):
        heads.write("numero;date;code_client;reference;echeance;devise;total_ht;total_tva;total_ttc\n")
        lines.write("numero;article;designation;quantite;unite;prix_unitaire_ht;remise;taux_tva;total_ht\n")
        for n in range(invoices):
            total = 0
            for k in range(LINES_EACH):
                # A catalogue: an article has one price, and most are bought by one, two or three.
                article = (n * 7 + k * 13) % 3000
                price, quantity = 99 + article * 17 % 5000, 1 + (n + k) % 3
                total += price * quantity
                lines.write(
                    f"F{n:07};A{article:05};Article n° {article}, série « été »;{quantity};C62;"
                    f"{price // 100},{price % 100:02};;20,00;{price * quantity // 100},{price * quantity % 100:02}\n"
                )
            vat = (total * 20 + 50) // 100
            amounts = ";".join(f"{cents // 100},{cents % 100:02}" for cents in (total, vat, total + vat))
            day, month = 1 + n % 28, 1 + n % 12
            heads.write(
                f"F{n:07};{day:02}/{month:02}/2025;C{n % CUSTOMERS:05};CMD-{n};{day:02}/{month:02}/2026;EUR;{amounts}\n"
            )


FLAT_HEADER = (
    "N° facture;Date facture;Code client;Référence commande;Date échéance;Devise;Total HT facture;Total TVA facture;"
    "Total TTC facture;Code article;Désignation;Quantité;Unité;Prix unitaire HT;Remise %;Taux TVA;Montant HT ligne\n"
)


def write_flat(folder: Path) -> Path:
    """The invoices of ``folder`` and their lines as one table; returns its path."""
    path = folder / "flat" / "ventes.csv"
    path.parent.mkdir()
    with (
        (folder / "factures.csv").open(encoding="utf-8") as heads,
        (folder / "lignes.csv").open(encoding="utf-8") as lines,
        path.open("w", encoding="utf-8") as file,
    ):
        next(heads)
        next(lines)
        file.write(FLAT_HEADER)
        for head in heads:
            for line in islice(lines, LINES_EACH):
                file.write(f"{head.rstrip()};{line.partition(';')[2]}")
    return path


def timed(action: Callable[[], object]) -> float:
    """Seconds that ``action`` takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def empty() -> None:
    """No invoices; the space they took is given back where the database does that."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("TRUNCATE invoices_invoice, invoices_invoiceline CASCADE")
        else:
            cursor.execute("DELETE FROM invoices_invoiceline")
            cursor.execute("DELETE FROM invoices_invoice")


def rows_of(model: type) -> tuple[str, list[str], list[tuple]]:
    """The table, columns and rows of ``model`` as its driver gives them, without generated keys."""
    columns = [f.column for f in model._meta.concrete_fields if f.get_internal_type() != "BigAutoField"]
    table = model._meta.db_table
    cast = ["::text" if connection.vendor == "postgresql" else ""] * len(columns)
    wanted = ", ".join(f"{column}{kind}" for column, kind in zip(columns, cast, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {wanted} FROM {table}")
        return table, columns, cursor.fetchall()


def insert_bare(tables: list[tuple[str, list[str], list[tuple]]]) -> None:
    """COPY, or INSERT by ``executemany``."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, rows in tables:
            names = ", ".join(columns)
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def bulk_create(invoices: list[Invoice], lines: list[InvoiceLine]) -> None:
    """Django's own way."""
    with transaction.atomic():
        Invoice.objects.bulk_create(invoices, batch_size=1000)
        InvoiceLine.objects.bulk_create(lines, batch_size=1000)


def peak() -> int:
    """Peak of memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(count: int) -> None:
    """Run and print."""
    call_command("migrate", verbosity=0)
    create_demo_company()
    empty()
    figures: dict[str, float] = {"invoices": count, "lines": count * LINES_EACH}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, count)
        assert import_erp([folder / "clients.csv"]).is_clean
        before = peak()
        files = [folder / "factures.csv", folder / "lignes.csv"]
        figures["dry_run"] = timed(lambda: import_erp(files, dry_run=True))
        figures["import"] = timed(lambda: import_erp(files))
        assert Invoice.objects.count() == count
        figures["again"] = timed(lambda: import_erp(files))
        figures["memory_before"], figures["memory_peak"] = before, peak()
        empty()
        flat = write_flat(folder)
        figures["flat"] = timed(lambda: import_erp([flat]))
        figures["memory_peak_flat"] = peak()
        assert Invoice.objects.count() == count
        assert InvoiceLine.objects.count() == count * LINES_EACH
    tables = [rows_of(Invoice), rows_of(InvoiceLine)]
    empty()
    figures["bare"] = timed(lambda: insert_bare(tables))
    if count <= 20_000 or "--bulk-create" in sys.argv:
        del tables
        invoices, lines = list(Invoice.objects.all()), list(InvoiceLine.objects.all())
        for line in lines:
            line.pk = None
        empty()
        figures["bulk_create"] = timed(lambda: bulk_create(invoices, lines))
    empty()
    Customer.objects.filter(code__startswith="C").delete()
    print(f"{connection.vendor}: {count} factures, {count * LINES_EACH} lignes")
    for label in ("import", "flat", "dry_run", "again", "bare", "bulk_create"):
        if label in figures:
            seconds = figures[label]
            print(
                f"  {label:12} {seconds:7.2f} s  {count / seconds:8.0f} invoices/s  {figures['import'] / seconds:5.2f}"
            )
    print(f"  speed against bare: {figures['bare'] / figures['import']:.2f}; peak memory {figures['memory_peak']} MB")
    print(f"  a flat table: {figures['bare'] / figures['flat']:.2f}; peak memory {figures['memory_peak_flat']} MB")
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(next((each for each in sys.argv[1:] if each.isdigit()), "100000")))
