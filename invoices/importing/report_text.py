"""What an import did, in French sentences: on a terminal, and beside the files of a watched folder."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoices.importing.report import THINGS
from invoices.money import write_amount

_WORDS: Final = {
    "customers": ("client", "clients"),
    "contacts": ("contact", "contacts"),
    "invoices": ("facture", "factures"),
    "lines": ("ligne", "lignes"),
}
_MOST_SKIPPED: Final = 20
_MOST_RANGES: Final = 8


def describe_report(report: Mapping[str, Any]) -> Iterator[str]:
    """The lines that describe ``report`` (:meth:`~invoices.importing.report.ImportReport.as_json`, with its counts)."""
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
    for alike in group_alike(report["rejected"]):
        yield f"  {_sentence(alike.shown)}"
        if alike.shown["file"]:
            yield f"    → {alike.shown['correction']}"


class Alike(NamedTuple):
    """Refusals that differ in their line only: the place of the first, their number, how they are shown as one."""

    at: int
    number: int
    shown: dict[str, Any]


def group_alike(rejected: Iterable[Mapping[str, Any]]) -> list[Alike]:
    """Refusals of a report that differ in their line only, as one; in the order of the first of each.

    Args:
        rejected: objects of :meth:`~invoices.importing.report.Rejection.as_json`.

    Returns:
        Each with the object of the first, its ``line`` in words («2 à 601», «2, 5 et 9») where it is about several.
    """
    lines: dict[tuple[Any, ...], list[int]] = {}
    first: dict[tuple[Any, ...], tuple[int, Mapping[str, Any]]] = {}
    for at, each in enumerate(rejected):
        alike = tuple(value for name, value in each.items() if name != "line")
        key = (*alike, None) if each["line"] is not None else (*alike, at)  # a whole file is alone
        first.setdefault(key, (at, each))
        lines.setdefault(key, []).append(each["line"])
    return [
        Alike(at, len(lines[key]), {**each, "line": _lines(lines[key]) if len(lines[key]) > 1 else each["line"]})
        for key, (at, each) in first.items()
    ]


def _lines(numbers: Iterable[int]) -> str:
    """«2 à 601, 603 et 12 autres»: the first ranges of ``numbers``, and how many lines follow."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [str(start) if start == end else f"{start} à {end}" for start, end in ranges[:_MOST_RANGES]]
    left = sum(end - start + 1 for start, end in ranges[_MOST_RANGES:])
    if left:
        shown.append(ngettext("%(number)s autre", "%(number)s autres", left) % {"number": left})
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} et {shown[-1]}"


def _describe_journal(journal: Mapping[str, Any]) -> Iterator[str]:
    """Period, totals by rate of VAT, gaps in the numbering."""
    if not journal.get("invoices"):
        return
    period = {name: _day(journal[name]) for name in ("start", "end")}
    yield _("À pointer avec le journal de l’ERP, du %(start)s au %(end)s :") % period
    for each in journal["rates"]:
        amounts = {name: write_amount(Decimal(each[name]), each["currency"]) for name in ("net", "vat", "gross")}
        yield f"  {describe_rate(each['rate'])} : " + _("HT %(net)s, TVA %(vat)s, TTC %(gross)s") % amounts
    if journal["gaps"]:
        gaps = (first if first == last else f"{first} – {last}" for first, last in journal["gaps"])
        yield _("Numéros manquants dans la suite (CGI, ann. II, art. 242 nonies A) : %(numbers)s") % {
            "numbers": ", ".join(gaps)
        }
    if journal.get("has_more_gaps"):
        yield _("… et d’autres numéros manquants.")


def describe_rate(rate: str) -> str:
    """«TVA 20,00 %», or the words for several rates in one."""
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
    word = _("lignes %(line)s") if isinstance(found["line"], str) else _("ligne %(line)s")
    line = word % {"line": found["line"]} if found["line"] else ""
    column = _("colonne %(column)s") % {"column": found["column"]} if found["column"] else ""
    place = ", ".join(filter(None, (found["file"], line, column)))
    return f"{place} : {found['reason']}" if place else str(found["reason"])
