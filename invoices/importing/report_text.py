"""What an import did, in French sentences: on a terminal, and beside the files of a watched folder."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from invoices.importing.report import THINGS
from invoices.money import write_amount

_WORDS: Final = {
    "customers": ("client", "clients"),
    "contacts": ("contact", "contacts"),
    "invoices": ("facture", "factures"),
    "lines": ("ligne", "lignes"),
}
_MOST_SKIPPED: Final = 20


def describe_report(report: Mapping[str, Any]) -> Iterator[str]:
    """The lines that tell ``report`` (:meth:`~invoices.importing.report.ImportReport.as_json`, with its counts)."""
    for label, change in ((_("Créés"), "created"), (_("Modifiés"), "updated"), (_("Inchangés"), "unchanged")):
        words = (_count(report[change][thing], *_WORDS[thing]) for thing in THINGS)
        yield f"{label} : {', '.join(words)}"
    yield from _describe_journal(report.get("journal", {}))
    for each in report.get("new_addresses", ()):
        yield _("%(name)s (%(code)s) : l’adresse %(former)s devient %(now)s ; un compte qui l’utilise la garde.") % each
    yield from report.get("notices", ())
    ignored: dict[str, list[str]] = {}
    for each in report.get("ignored", ()):
        place = f"{each['file']} (feuille « {each['sheet']} »)" if each["sheet"] else each["file"]
        ignored.setdefault(place, []).append(f"« {each['column']} »")
    for place, columns in ignored.items():
        yield _("%(place)s : colonnes ignorées %(names)s.") % {"place": place, "names": ", ".join(columns)}
    for warning in report.get("warnings", ()):
        yield _("Attention : %(sentence)s") % {"sentence": _sentence(warning)}
    skipped = report.get("skipped", ())
    for each in skipped[:_MOST_SKIPPED]:
        yield _("Passé : %(sentence)s") % {"sentence": _sentence({**each, "column": ""})}
    skips = report.get("skips", len(skipped))
    if skips > _MOST_SKIPPED:
        yield _("… et %(number)s autres, lus et passés.") % {"number": skips - _MOST_SKIPPED}
    if not report["rejected"]:
        return
    yield _("Refusés : %(count)s") % {"count": report.get("rejections", len(report["rejected"]))}
    for rejection in report["rejected"]:
        yield f"  {_sentence(rejection)}"
        if rejection["file"]:
            yield f"    → {rejection['correction']}"


def _describe_journal(journal: Mapping[str, Any]) -> Iterator[str]:
    """Period, totals by rate of VAT, gaps in the numbering."""
    if not journal.get("invoices"):
        return
    period = {name: _day(journal[name]) for name in ("start", "end")}
    yield _("À pointer avec le journal de l’ERP, du %(start)s au %(end)s :") % period
    for each in journal["rates"]:
        amounts = {name: write_amount(Decimal(each[name]), each["currency"]) for name in ("net", "vat", "gross")}
        yield f"  {describe_rate(each['rate'])} : " + _("HT %(net)s, TVA %(vat)s, TTC %(gross)s") % amounts
    for first, last in journal["gaps"]:
        numbers = first if first == last else f"{first} – {last}"
        yield _("Numéros manquants dans la suite (CGI, ann. II, art. 242 nonies A) : %(numbers)s") % {
            "numbers": numbers
        }
    if journal.get("has_more_gaps"):
        yield _("… et d’autres numéros manquants.")


def describe_rate(rate: str) -> str:
    """«TVA 20,00 %», or what stands for several rates in one."""
    if not rate:
        return _("Sans détail par taux")
    return _("TVA %(rate)s %%") % {"rate": rate.replace(".", ",")}


def _day(text: str) -> str:
    year, month, day = text.split("-")
    return f"{day}/{month}/{year}"


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number} {plural if number >= 2 else singular}"


def _sentence(found: Mapping[str, Any]) -> str:
    """«factures.csv, ligne 12, colonne total_ttc : …»."""
    line = _("ligne %(line)s") % {"line": found["line"]} if found["line"] else ""
    column = _("colonne %(column)s") % {"column": found["column"]} if found["column"] else ""
    place = ", ".join(filter(None, (found["file"], line, column)))
    return f"{place} : {found['reason']}" if place else str(found["reason"])
