"""How fast the back-office is with 1,000,000 invoices, 50,000 customers and 1,000,000 mails (``make bench-staff``).

In one process and one run: the time of each page and search (queries, rendering, middleware), beside that of a page of
the back-office that asks the database nothing: the list of invoices rendered from constants by the same templates. The
database is made for the run and dropped after it.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.contrib.auth.decorators import login_not_required  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import path  # noqa: E402

from customers.models import Account  # noqa: E402
from invoices.exporting.kept import keep_figures_of_ended_exports  # noqa: E402
from invoices.models import Invoice  # noqa: E402
from portal.urls import urlpatterns as portal_urls  # noqa: E402
from tests.benchmarks.back_office import fill_back_office, one_of_each  # noqa: E402
from tests.benchmarks.scene import answer_here, measured_database  # noqa: E402
from tests.support.factories import make_company  # noqa: E402

BACKEND = "customers.authentication.AccountBackend"
ADMITTED = 3
constants: dict[str, Any] = {}

# What staff open and search, with the address below /gestion/.
PAGES = {
    "tableau de bord": "",
    "clients": "customers/customer/",
    "clients en D": "customers/customer/?copies=d",
    "clients sans adresse": "customers/customer/?copies=d&adresse=sans",
    "clients sans identifiants": "customers/customer/?identifiants=sans",
    "clients, recherche d’un code": "customers/customer/?q=C0000777",
    "clients, recherche d’un nom": "customers/customer/?q=Client+31415",
    "clients, mot de tous": "customers/customer/?q=Client",
    "clients, recherche d’une adresse": "customers/customer/?q=contact-2718@clients",
    "clients, recherche vaine": "customers/customer/?q=introuvable",
    "contacts": "customers/contact/",
    "contacts, recherche": "customers/contact/?q=Contact+2718",
    "comptes": "customers/customeraccount/",
    "comptes jamais utilisés": "customers/customeraccount/?etat=jamais",
    "comptes, recherche": "customers/customeraccount/?q=c0002718",
    "fiche client": "customers/customer/{customer}/change/",
    "factures": "invoices/invoice/",
    "factures en attente": "invoices/invoice/?etat=pending",
    "factures jamais consultées": "invoices/invoice/?etat=unread",
    "factures consultées": "invoices/invoice/?etat=consulted",
    "factures d’un mois": "invoices/invoice/?periode=2024-03",
    "factures d’un client": "invoices/invoice/?client={customer}",
    "factures, recherche d’un numéro": "invoices/invoice/?q=C0031415-7",
    "factures, recherche d’un client": "invoices/invoice/?q=Client+31415",
    "factures, recherche vaine": "invoices/invoice/?q=introuvable",
    "une facture": "invoices/invoice/{invoice}/change/",
    "écran d’export": "export-web/factures/",
    "listes exportées": "invoices/export/",
    "une liste": "export-web/factures/export/{export}/",
    "une liste, recherche": "export-web/factures/export/{export}/?q=C0000077",
    "une liste, mot de toutes": "export-web/factures/export/{export}/?q=Client",
    "une liste terminée": "export-web/factures/export/{ended}/",
    "une liste terminée, recherche": "export-web/factures/export/{ended}/?q=C0000077",
    "un bordereau": "export-web/factures/export/{ended}/bordereau/",
    "calendrier": "export-web/factures/calendrier/",
    "imports": "invoices/importbatch/",
    "boîte d’envoi": "mailing/message/",
    "mails rejetés": "mailing/message/?state__exact=rejected",
    "mails d’une nature": "mailing/message/?nature=credentials",
    "mails, recherche d’une adresse": "mailing/message/?q=c0002718@clients.example",
    "mails, recherche d’un objet": "mailing/message/?q=C0031415-7",
    "mails, recherche vaine": "mailing/message/?q=introuvable",
    "adresses en erreur": "courrier/adresses-en-erreur/",
    "utilisateurs": "customers/staffaccount/",
    "historique": "admin/logentry/",
    "historique, recherche": "admin/logentry/?q=C0002718",
}


@login_not_required
def from_constants(request: HttpRequest) -> HttpResponse:
    """The list of invoices with all it shows known beforehand: no query at all."""
    request.user = constants["user"]
    return render(request, "backoffice/invoices/changelist.html", constants)


urlpatterns = [*portal_urls, path("constantes/", from_constants)]


def main() -> int:
    """Fill, measure, print; 1 where a page takes more than three times the constant one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep", action="store_true", help="keep the database, and take it as it is where it was kept")
    parser.add_argument("--only", default="", help="measure only the pages whose words hold this")
    parser.add_argument("--plans", action="store_true", help="also print the slowest statement of pages that are slow")
    options = parser.parse_args()
    answer_here(__name__)
    with measured_database(keep=options.keep):
        return _measure(options.invoices, options.rounds, options.only, with_plans=options.plans)


def _measure(invoices: int, rounds: int, only: str, *, with_plans: bool) -> int:
    began = time.perf_counter()
    if not Invoice.objects.exists():
        fill_back_office(make_company(), invoices=invoices)
        print(f"{invoices} factures, clients et mails écrits en {time.perf_counter() - began:.0f} s", flush=True)
    while keep_figures_of_ended_exports():  # as a worker does
        pass
    found = one_of_each()
    staff = Account.objects.filter(is_superuser=True).first()
    staff = staff or Account.objects.create_superuser("mesure@aquila.example", None)
    client, visitor = Client(), Client()
    client.force_login(staff, backend=BACKEND)
    _take_constants(client, staff)
    with CaptureQueriesContext(connection) as captured:
        visitor.get("/constantes/")
    assert not captured.captured_queries, captured.captured_queries
    base = _median(partial(visitor.get, "/constantes/"), rounds * 2)
    print(f"La liste des factures, de constantes : {base * 1000:.1f} ms")
    worst = 0.0
    for words, address in PAGES.items():
        if only not in words:
            continue
        url = f"/gestion/{address.format(**found)}"
        with CaptureQueriesContext(connection) as captured:
            response = client.get(url)
        assert response.status_code == 200, (url, response.status_code)
        queries = list(captured)  # the next request empties the journal
        spent = _median(partial(client.get, url), rounds)
        ratio = spent / base
        worst = max(worst, ratio)
        mark = "  <<<" if ratio > ADMITTED else ""
        print(f"{words:36} {spent * 1000:8.1f} ms  {ratio:6.2f}  {len(queries)} requêtes{mark}", flush=True)
        if mark and with_plans:
            for query in sorted(queries, key=lambda each: -float(each["time"]))[:2]:
                print(f"    {query['time']} s : {query['sql'][:1500]}")
    print(f"Rapport le plus grand : {worst:.2f} (admis : {ADMITTED})")
    return 0 if worst <= ADMITTED else 1


def _take_constants(client: Client, staff: Account) -> None:
    page = client.get("/gestion/invoices/invoice/")
    constants.update({name: page.context[name] for name in set(page.context.keys())})
    for name in ("csrf_token", "request", "messages", "block", "forloop"):
        constants.pop(name, None)
    constants["user"] = staff
    assert Invoice.objects.exists()


def _median(call: Callable[[], Any], rounds: int) -> float:
    """The median seconds of ``call``; fewer rounds where it takes seconds."""
    times: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
        if sum(times) > 3:
            break
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
