"""``manage.py export_einvoices``: the e-invoices as files, for hand-over to a platform."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from invoices.einvoices.checks import check_invoices, received_unchecked
from invoices.models import Export
from invoices.platforms.handover import Format, einvoices_to_hand_over, warned_of, without_einvoice
from invoices.platforms.handover_folder import ForeignFilesError, write_handover
from invoices.store.frozen import DocumentAlteredError

SHOWN_AT_MOST = 20


class Command(BaseCommand):
    """Write what a platform is given."""

    help = (
        "Écrit les e-factures publiées dans un dossier, avec un manifeste (CSV et JSON), pour les remettre à une "
        "plateforme agréée ; chacune est marquée remise. Relancée, la commande n’écrit que ce qui n’a pas été remis."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where, what, in which form."""
        parser.add_argument("folder", type=Path, metavar="DOSSIER", help="dossier vide, ou celui d’une remise")
        parser.add_argument("--export", type=int, metavar="N", help="seulement les factures de l’export n° N")
        parser.add_argument(
            "--format",
            choices=[form.value for form in Format],
            default=Format.FACTURX.value,
            help="facturx : le PDF et son XML ; cii : le XML seul (celui de l’ERP s’il en a donné un)",
        )
        parser.add_argument("--platform", default="", metavar="NOM", help="plateforme (défaut : celle de la société)")
        parser.add_argument("--all", action="store_true", help="aussi celles qui ont déjà été remises")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when all was written, 1 where a file cannot be read or written, 2 on bad usage."""
        export = self._export(options["export"])
        form = Format(options["format"])
        invoices = einvoices_to_hand_over(export, form=form, again=options["all"])
        check_invoices(received_unchecked().filter(pk__in=invoices.order_by().values("pk")))
        warned = warned_of(invoices).count()
        try:
            figures = write_handover(
                options["folder"],
                invoices,
                form=form,
                export=export,
                platform=options["platform"],
                author_name=_("ligne de commande"),
            )
        except ForeignFilesError as error:
            raise CommandError(str(error), returncode=2) from error
        except DocumentAlteredError as error:
            raise CommandError(_("Le document %(name)s n’est plus celui qui a été figé.") % {"name": error}) from error
        except OSError as error:
            raise CommandError(f"{error.filename or options['folder']} : {error.strerror or error}") from error
        plural = "s" if figures.written >= 2 else ""
        self.stdout.write(
            f"{figures.written} e-facture{plural} écrite{plural} dans {options['folder']}, "
            f"{figures.marked} nouvellement remise{'s' if figures.marked >= 2 else ''}."
        )
        if warned:
            self.stderr.write(f"Avec des avertissements du contrôle : {warned} (colonne « warnings » du manifeste)")
        self._warn_of_plain_ones(export, form)

    def _export(self, number: int | None) -> Export | None:
        if number is None:
            return None
        export = Export.objects.filter(number=number).first()
        if export is None:
            raise CommandError(_("L’export n° %(number)s n’existe pas.") % {"number": number}, returncode=2)
        return export

    def _warn_of_plain_ones(self, export: Export | None, form: Format) -> None:
        """Professionals' invoices that left as plain PDF: the platform gets nothing of them."""
        plain = without_einvoice(export, form=form).filter(customer__kind="professional").select_related("customer")
        count = plain.count()
        if not count:
            return
        self.stderr.write(f"Sans e-facture, donc non remises : {count}")
        for invoice in plain[:SHOWN_AT_MOST]:
            self.stderr.write(f"  {invoice.number}  {invoice.customer}")
