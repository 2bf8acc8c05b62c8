"""``manage.py demo``: the whole chain on the demonstration data, as often as wanted."""

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db.models import Count, Q
from django.utils import timezone

from customers.credentials import describe_password, encrypt_secret
from customers.models import Account, Contact, Customer
from customers.space_urls import site_url, space_url
from customers.typed_passwords import draw_password
from invoices.einvoices.checks import check_invoices, needing_check
from invoices.exporting.criteria import Criteria
from invoices.exporting.selection import count_selection
from invoices.models import Company, Delivery, Export, Invoice, InvoiceLine, Platform
from mailing.secrets import SecretUnavailableError
from portal.backoffice.first_steps.steps import skip_step
from portal.demonstration import connect_demo_platform, create_demo_company, create_demo_merchant

DATA = Path(settings.BASE_DIR) / "demo" / "chinook"
MERCHANTS_DATA = Path(settings.BASE_DIR) / "demo" / "negoce"
FOR_THE_PLATFORM = Path(settings.BASE_DIR) / "demo" / "plateforme"
STAFF_LOGIN = "comptabilite@demonstration.example"


class Command(BaseCommand):
    """Migrate, import, generate credentials, export with mail and PDF, send, and say what there is."""

    help = "Charge la démonstration : import, identifiants, export avec mails et PDF. Relancée, elle ne change rien."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """One choice: what goes through an approved platform too."""
        parser.add_argument(
            "--with-platform",
            action="store_true",
            help="Ajoute deux clients professionnels français, dont les factures passent par la plateforme simulée.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where a step fails."""
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        company = create_demo_company()
        # What goes through the platform waits for whoever tries the demonstration.
        is_first = not Platform.objects.exists()
        self._load(DATA, exports=is_first)
        lines = [*_summarise(company), "", *self._logins(company)]
        merchant = create_demo_merchant()
        self._load(MERCHANTS_DATA, exports=is_first)
        if options["with_platform"]:
            connect_demo_platform(company)
            call_command("import_erp", str(FOR_THE_PLATFORM))
            call_command("generate_credentials", missing=True)
            check_invoices(needing_check(timezone.now()))
        lines += ["", f"Deuxième société : {merchant}", *_summarise(merchant)]
        self.stdout.write("\n".join(["", *lines]))

    def _load(self, folder: Path, *, exports: bool) -> None:
        """Import the files of ``folder``, make the accounts, and publish and send what is ready if ``exports``."""
        self.stdout.write("Import des fichiers de l’ERP…")
        call_command("import_erp", str(folder))
        self.stdout.write("Contrôle des e-factures…")
        check_invoices(needing_check(timezone.now()))
        call_command("generate_credentials", missing=True)
        criteria = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
        if exports and count_selection(criteria).ready:
            self.stdout.write("Export : PDF, espace client, mails…")
            call_command("export_invoices", generate_credentials=True, notify=True, attach_pdf=True)
        call_command("send_queued_mail")

    def _logins(self, company: Company) -> list[str]:
        """Where to go, and the logins to try."""
        return [
            f"Gestion    : {site_url('admin:index')}",
            f"             {STAFF_LOGIN}  {_password_of(self._staff())}",
            f"Espace     : {space_url('login')}",
            *(f"             {account.login}  {_password_of(account)}" for account in self._three_customers(company)),
        ]

    def _staff(self) -> Account:
        """The member of staff of the demonstration, made the first time."""
        staff = Account.objects.filter(login=STAFF_LOGIN).first()
        if staff is None:
            secret = draw_password()
            staff = Account.objects.create_superuser(
                STAFF_LOGIN,
                secret,
                name="Service comptabilité",
                provisional_password=encrypt_secret(secret),
                provisional_expires_at=timezone.now() + settings.PROVISIONAL_PASSWORD_LIFETIME,
            )
            skip_step(key="personnel", by=staff.get_full_name())  # the demonstration has one member of staff
        return staff

    def _three_customers(self, company: Company) -> list[Account]:
        """Accounts with invoices to look at, a professional's among them."""
        seen = (
            Account.objects.of_customers()
            .filter(is_active=True)
            .filter(customers__invoices__company=company)
            .annotate(seen=Count("customers__invoices", filter=Q(customers__invoices__published_at__isnull=False)))
            .filter(seen__gt=0)
            .order_by("-seen", "login")
        )
        professional = seen.filter(customers__kind=Customer.Kind.PROFESSIONAL)[:1]
        individuals = seen.filter(customers__kind=Customer.Kind.INDIVIDUAL)[:2]
        return [*professional, *individuals]


def _summarise(company: Company) -> list[str]:
    """What is in the portal of ``company`` and its customers."""
    customers = Customer.objects.filter(invoices__company=company).distinct()
    invoices = Invoice.objects.filter(company=company)
    last = Export.objects.filter(items__invoice__company=company).order_by("-number").first()
    mails = Delivery.objects.filter(item__invoice__company=company).values("message").distinct()
    # Only the server's name: its address may hold a password.
    where = urlsplit(settings.EMAIL_URL).hostname if settings.EMAIL_URL else settings.MAIL_ROOT
    return [
        f"Importés   : {customers.count()} clients, {Contact.objects.filter(customer__in=customers).count()} contacts, "
        f"{invoices.count()} factures, {InvoiceLine.objects.filter(invoice__company=company).count()} lignes",
        f"Exportées  : {invoices.published().count()} factures" + (f" (export n° {last.number})" if last else ""),
        f"Mails      : {mails.count()} écrits, {where}",
        f"Documents  : {settings.DOCUMENTS_ROOT}",
    ]


def _password_of(account: Account) -> str:
    """The password to sign in with, or why it cannot be shown."""
    try:
        return describe_password(account)
    except SecretUnavailableError as error:
        return f"({error})"
