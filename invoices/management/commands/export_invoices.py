"""``manage.py export_invoices``: select, list and export from a terminal or a scheduler."""

import argparse
import datetime
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django import db
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from customers.services import wipe_expired_secrets
from invoices.exporting.choices import CHOICES, Kind, criteria_of
from invoices.exporting.counts import ExportCounts
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.exports import (
    NothingToDoError,
    check_store_for,
    create_export,
    last_export_day,
    retry_failures,
    start_export,
)
from invoices.exporting.items import count_recipients
from invoices.exporting.reasons import order_reasons, select_to_fix
from invoices.exporting.run.processes import run_on_this_machine
from invoices.exporting.selection import count_selection, list_selection
from invoices.models import Export, ExportItem, SavedSelection
from invoices.money import write_amount
from invoices.store.probing import StoreUnavailableError
from mailing.alignment import question_before
from mailing.forecasts import describe_sending_time

# Where there is no terminal, a line of progress is written so often.
SECONDS_BETWEEN_LINES = 10.0
ISO_AND_FRENCH = ("%Y-%m-%d", "%d/%m/%Y")


def read_date(text: str) -> datetime.date:
    """A date typed as 2025-06-07 or 07/06/2025."""
    for pattern in ISO_AND_FRENCH:
        try:
            return datetime.datetime.strptime(text, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
    raise argparse.ArgumentTypeError(f"« {text} » n’est pas une date (attendu 2025-06-07 ou 07/06/2025)")


class Command(BaseCommand):
    """Select invoices, make the list, export it."""

    help = "Sélectionne les factures, affiche ou exporte la liste : PDF figés, espace client, mails."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """One flag per choice of the selection screen."""
        choices = parser.add_argument_group("sélection")
        for choice in CHOICES:
            match choice.kind:
                case Kind.FLAG:
                    choices.add_argument(choice.option, action="store_true", help=choice.option_help)
                case Kind.TEXT:
                    choices.add_argument(choice.option, default="", metavar="TEXTE", help=choice.option_help)
                case Kind.DAY:
                    choices.add_argument(choice.option, type=read_date, help=choice.option_help)
                case Kind.ONE_OF:
                    # «Les deux» and a period of its dates are what is meant where the option is left out.
                    offered = [value for value, _label in choice.values if value not in ("", Period.FIXED)]
                    choices.add_argument(choice.option, choices=offered, help=choice.option_help)
        parser.add_argument("--profile", help="sélection enregistrée sous ce nom (remplace les choix ci-dessus)")
        parser.add_argument("--resume", action="store_true", help="reprendre les exports interrompus")
        parser.add_argument("--retry", type=int, metavar="N", help="réessayer les échecs de l’export n° N")
        parser.add_argument("--processes", type=int, default=0, help="processus (défaut : un par cœur)")
        parser.add_argument(
            "--confirm", action="store_true", help="partir même si un grand fournisseur peut tout refuser"
        )
        parser.add_argument("--dry-run", action="store_true", help="afficher la liste sans rien écrire")
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when every ready line went through, 1 when some failed, 2 on bad usage."""
        if options["resume"]:
            self._resume(options)
            return
        if options["retry"] is not None:
            self._retry(options)
            return
        selection, criteria = self._criteria(options)
        if options["dry_run"]:
            self._show(criteria, as_json=options["json"])
            return
        if criteria.notify:
            self._ask(lambda: count_selection(criteria).recipients, options)
        wipe_expired_secrets()
        export = create_export(criteria=criteria, author_name=_("ligne de commande"), selection=selection)
        self._run([export], options)

    @staticmethod
    def _ask(recipients: Callable[[], Mapping[str, int]], options: dict[str, Any]) -> None:
        question = "" if options["confirm"] else question_before(recipients)
        if question:
            raise CommandError(_("%s Pour partir quand même : --confirm.") % question, returncode=2)

    def _criteria(self, options: dict[str, Any]) -> tuple[SavedSelection | None, Criteria]:
        today = timezone.localdate()
        if options["profile"]:
            selection = SavedSelection.objects.filter(name=options["profile"]).first()
            if selection is None:
                known = ", ".join(SavedSelection.objects.values_list("name", flat=True)) or _("aucune")
                raise CommandError(
                    _("Aucune sélection enregistrée ne s’appelle « %(name)s » (connues : %(known)s).")
                    % {"name": options["profile"], "known": known},
                    returncode=2,
                )
            return selection, Criteria.from_json(selection.criteria).resolve_period(today, last_export_day())
        try:
            criteria = criteria_of(options)
        except ValueError as error:
            raise CommandError(_("La période se termine avant d’avoir commencé."), returncode=2) from error
        return None, criteria.resolve_period(today, last_export_day())

    def _show(self, criteria: Criteria, *, as_json: bool) -> None:
        counts = count_selection(criteria)
        if as_json:
            forecast = {"mails": counts.mails, "credentials": counts.credentials}
            self._print_json(None, counts.candidates, counts.ready, counts.left_out, **forecast)
            return
        for invoice, verdict in list_selection(criteria):
            reason = ExportItem.Reason(verdict.reason).label if verdict.reason else _("prête")
            recipients = "" if verdict.reason else ", ".join(row["address"] for row in verdict.recipients)
            self.stdout.write(
                f"{invoice.number}  {date_format(invoice.issue_date, 'd/m/Y')}  {invoice.customer}  "
                f"{write_amount(invoice.total_with_vat, invoice.currency)}  {reason}  {recipients}".rstrip()
            )
        self._summary(counts.ready, counts.left_out)
        mails = _count(counts.mails, "mail à écrire", "mails à écrire")
        made = _count(counts.credentials, "identifiant à générer", "identifiants à générer")
        self.stdout.write(
            " ; ".join(filter(None, [f"{mails}, {made}", describe_sending_time(counts.mails, counts.destinations)]))
        )

    def _summary(self, ready: int, left_out: dict[str, int]) -> None:
        to_fix = sum(select_to_fix(left_out).values())
        set_aside = _count(sum(left_out.values()) - to_fix, "écartée", "écartées")
        self.stdout.write(f"{_count(ready, 'facture prête', 'factures prêtes')}, {to_fix} à corriger, {set_aside}")
        for reason, count in left_out.items():
            self.stdout.write(f"  {count} {ExportItem.Reason(reason).label}")

    def _resume(self, options: dict[str, Any]) -> None:
        running = list(Export.objects.filter(state=Export.State.RUNNING).order_by("number"))
        if not running:
            self._say_nothing_to_do(_("Aucun export interrompu."), options)
            return
        self._run(running, options)

    def _retry(self, options: dict[str, Any]) -> None:
        export = Export.objects.filter(number=options["retry"]).first()
        if export is None:
            raise CommandError(_("L’export n° %(number)s n’existe pas.") % {"number": options["retry"]}, returncode=2)
        # A run that was interrupted was confirmed when it began, but these mails have not left.
        self._ask(partial(count_recipients, export, ExportItem.State.FAILED), options)
        count = retry_failures(export=export)
        if not count:
            sentence = _("L’export n° %(number)s n’a aucun échec à réessayer.") % {"number": export.number}
            self._say_nothing_to_do(sentence, options)
            return
        export.refresh_from_db()
        self._run([export], options)

    def _say_nothing_to_do(self, sentence: str, options: dict[str, Any]) -> None:
        """Who asked for JSON gets an object, whatever there was to do."""
        if options["json"]:
            self._print_json(None, 0, 0, {})
        else:
            self.stdout.write(sentence)

    def _run(self, exports: list[Export], options: dict[str, Any]) -> None:
        failed = 0
        together: list[tuple[Export, ExportCounts]] = []
        for export in exports:
            if export.state != Export.State.RUNNING:
                try:
                    check_store_for(export)
                    export = start_export(export=export)
                except StoreUnavailableError as error:
                    raise CommandError(
                        _("%(error)s La liste n° %(number)s est prête ; lancez-la du back-office une fois réparé.")
                        % {"error": error, "number": export.number}
                    ) from error
                except NothingToDoError as error:
                    raise CommandError(str(error), returncode=2) from error
            try:
                figures = self._run_with_progress(export, options)
            except (db.OperationalError, db.InterfaceError) as error:
                raise CommandError(
                    _("La base de données ne répond plus ; relancez avec export_invoices --resume (%(error)s).")
                    % {"error": str(error).strip()},
                ) from error
            except StoreUnavailableError as error:
                raise CommandError(
                    _("%(error)s L’export n° %(number)s attend ; relancez avec export_invoices --resume.")
                    % {"error": error, "number": export.number}
                ) from error
            failed += figures.failed + figures.remaining
            together.append((export, figures))
            if not options["json"]:
                self._report(export, figures)
        if options["json"]:
            self._print_json_of(together)
        if failed:
            sys.exit(1)

    def _run_with_progress(self, export: Export, options: dict[str, Any]) -> ExportCounts:
        """A bar in a terminal; a plain line now and then otherwise, for whoever waits or reads a log."""
        console = Console(stderr=True)
        if not console.is_terminal:

            def say(figures: ExportCounts) -> None:
                if figures.remaining:
                    self.stderr.write(
                        _("Export n° %(number)s : %(done)d sur %(total)d")
                        % {"number": export.number, "done": figures.done, "total": figures.total}
                    )

            return run_on_this_machine(
                export, processes=options["processes"], on_progress=say, every=SECONDS_BETWEEN_LINES
            )
        columns = (
            TextColumn(_("Export n° %(number)s") % {"number": export.number}),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, auto_refresh=False) as progress:
            task = progress.add_task("", total=None, rate="")
            begun = timezone.now()

            def show_counts(figures: ExportCounts) -> None:
                seconds = (timezone.now() - begun).total_seconds()
                rate = f"{figures.done / seconds:.1f} factures/s" if seconds > 1 else ""
                progress.update(task, total=figures.done + figures.remaining, completed=figures.done, rate=rate)
                progress.refresh()

            return run_on_this_machine(export, processes=options["processes"], on_progress=show_counts)

    def _report(self, export: Export, figures: ExportCounts) -> None:
        self.stdout.write(
            f"Export n° {export.number} : {_count(figures.published, 'facture publiée', 'factures publiées')}, "
            f"{_count(figures.failed, 'en échec', 'en échec')}, {_count(figures.mails, 'mail écrit', 'mails écrits')}, "
            f"{_count(figures.credentials, 'identifiant généré', 'identifiants générés')}."
        )
        for reason, count in figures.left_out.items():
            is_to_fix = bool(select_to_fix({reason: count}))
            word = f"{count} à corriger" if is_to_fix else _count(count, "écartée", "écartées")
            self.stdout.write(f"  {word} : {ExportItem.Reason(reason).label}")
        failures = ExportItem.objects.filter(export=export, state=ExportItem.State.FAILED).select_related("invoice")
        for item in failures.iterator(chunk_size=500):
            self.stderr.write(f"  {item.invoice.number} : {item.error}")
        if figures.remaining:
            self.stderr.write(
                _("Interrompu, à exporter encore : %(count)s (export_invoices --resume).")
                % {"count": _count(figures.remaining, "facture", "factures")}
            )

    def _print_json_of(self, exports: list[tuple[Export, ExportCounts]]) -> None:
        """One object: the figures of the export, or the sums of those taken up again (with the last one's number)."""
        figures = [figures for _export, figures in exports]
        left_out: Counter[str] = Counter()
        for each in figures:
            left_out.update(each.left_out)
        self._print_json(
            exports[-1][0].number if exports else None,
            sum(each.candidates for each in figures),
            sum(each.done + each.remaining for each in figures),
            order_reasons(left_out),
            published=sum(each.published for each in figures),
            failed=sum(each.failed for each in figures),
            mails=sum(each.mails for each in figures),
            credentials=sum(each.credentials for each in figures),
        )

    def _print_json(
        self, number: int | None, candidates: int, ready: int, left_out: dict[str, int], **outcome: int
    ) -> None:
        done = {"published": 0, "failed": 0, "mails": 0, "credentials": 0, **outcome}
        head = {"export": number, "candidates": candidates, "ready": ready, "left_out": left_out}
        self.stdout.write(json.dumps({**head, **done}))


def _count(number: int, singular: str, plural: str) -> str:
    """«0 facture», «1 facture», «2 factures»."""
    return f"{number} {plural if number >= 2 else singular}"
