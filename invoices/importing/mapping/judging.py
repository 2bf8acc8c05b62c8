"""Whether what a column holds goes with what its name promises."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Final

from django.utils.translation import gettext as _

from customers.searching import search_key
from invoices.importing.mapping.fields import AMOUNTS, CUSTOMER_NAME, DATES, NUMBERS
from invoices.importing.mapping.kinds import may_be_a_type
from invoices.importing.mapping.names import name_key, names_who_is_billed, notions_of, rate_in_name
from invoices.importing.mapping.samples import Column
from invoices.importing.mapping.values import looks_like_date
from invoices.importing.payment_terms import term_of
from invoices.importing.tables.cells import is_no_date

_KINDS_OF_LINES: Final = frozenset(
    (
        *(
            "article",
            "articles",
            "item",
            "items",
            "produit",
            "produits",
            "product",
            "service",
            "services",
            "prestation",
        ),
        *("prestations", "ressource", "resource", "texte", "text", "titre", "commentaire", "comment", "immobilisation"),
        *("stockable", "consommable", "bien", "biens", "marchandise", "marchandises", "compte general", "g/l account"),
        *("fixed asset", "frais annexes", "charge (item)", "sous-total"),
    )
)
_NO_SUMMANDS: Final = frozenset(("paid", "balance", "quantity", "price", "unitary", "fee", "discount"))
_CENT: Final = Decimal("0.011")
_LEDGER: Final = re.compile(r"(?:(?:n|no|num|numero)(?: de)? )?compte(?: collectif)?|account(?: code| no| number)?")
_SURE: Final = 0.8
_LIKELY: Final = 0.6
_UNLIKELY: Final = 0.4
_NEAR: Final = 0.1
_CATEGORIES: Final = frozenset(("categorie", "category", "genre"))
PRICE: Final = "ligne.prix_unitaire_ht"
_RATES: Final = tuple(map(Decimal, ("20", "10", "5.5", "2.1", "8.5", "0")))
TWINS: Final = {
    "total_ht": "ligne.total_ht",
    "total_tva": "ligne.total_tva",
    "total_ttc": "ligne.total_ttc",
    "date_livraison": "ligne.date_livraison",
}
"""Columns that an invoice and a line both have."""


def is_constant(column: Column) -> bool:
    """Whether three rows or more all hold the same."""
    return column.distinct == 1 and len(column.filled) >= 3


def settle_who(column: Column, scores: dict[str, float]) -> None:
    """A column of customers holds names or codes, the same on each row is none of theirs; an issuer has letters."""
    if CUSTOMER_NAME in scores and (not column.filled or is_constant(column)):
        scores[CUSTOMER_NAME] -= 0.3
    if is_constant(column) and _LEDGER.fullmatch(name_key(column.name)):
        scores.pop("code_client", None)  # an account of the ledger
    if "code_client" in scores and column.is_names:
        scores["code_client"] -= 0.4
    if {"code_client", CUSTOMER_NAME} <= set(scores) and column.is_codes:
        scores[CUSTOMER_NAME] -= 0.3
    is_number = column.holds("siren") or column.holds("siret")
    if "societe" in scores and column.filled and not column.is_text and not is_number:
        del scores["societe"]


def settle_empty(column: Column, scores: dict[str, float]) -> None:
    """A column that holds nothing is no amount that its name only may mean, nor a second tax's rate."""
    for name in list(scores):
        if (name in AMOUNTS and scores[name] < _LIKELY) or (
            name == "ligne.taux_tva" and not {"2", "3"}.isdisjoint(name_key(column.name).split())
        ):
            del scores[name]


def settle_to_be_paid(columns: Sequence[Column], scored: dict[int, dict[str, float]]) -> None:
    """«Net à payer» is not the total where a deposit was paid."""
    if not any(scored[each.index].get("deja_paye", 0) >= _LIKELY and any(each.numbers) for each in columns):
        return
    for column in columns:
        if "payer" in name_key(column.name).split():
            scored[column.index].pop("total_ttc", None)


def settle_articles(columns: Sequence[Column], scored: dict[int, dict[str, float]]) -> None:
    """«Réf.» right before the text of a line is its article; the only amount beside lines without a price is theirs."""
    best_number = max((scores.get("numero", 0) for scores in scored.values()), default=0)
    for column, following in pairwise(columns):
        scores = scored[column.index]
        if scored[following.index].get("ligne.designation", 0) < _SURE:
            continue
        if notions_of(column.name) == {"ref"}:
            scores["ligne.article"] = max(scores.get("ligne.article", 0), scores.pop("reference", 0))
        elif notions_of(column.name) == {"number"} and best_number > scores.get("numero", 0):
            scores["ligne.article"] = _LIKELY
    nets = [scores for scores in scored.values() if scores.get("total_ht", 0) >= _UNLIKELY]
    states_gross = any(max(s.get("total_ttc", 0), s.get("total_tva", 0)) >= _UNLIKELY for s in scored.values())
    if len(nets) == 1 and not states_gross and nets[0].get("ligne.total_ht", 0) > nets[0]["total_ht"] - _NEAR:
        nets[0]["ligne.total_ht"] = nets[0].pop("total_ht")


def head_of(scores: dict[str, float]) -> bool:
    """Whether any of ``scores`` is for a total of an invoice."""
    return any(head in scores for head in TWINS)


def may_hold(name: str, column: Column) -> bool:
    """Whether the content of ``column`` does not contradict its being ``name``."""
    if name == "echeance" and column.share(_is_due) >= 0.8:
        return True
    if name in DATES:
        return column.is_dates or column.share(_is_day_number) > 0.8
    if name == "ligne.taux_tva":
        numbers = [number for number in column.numbers if number is not None]
        if not any(numbers) and column.name[-1:] in "23456789":
            return False  # a second tax that is nowhere
        if {"rate", "percent"} & notions_of(column.name):
            numbers = list(map(abs, numbers))  # some programs give a credit note's below zero, as its amounts
        return column.has_percents or (
            (column.is_numeric or column.is_rates) and all(0 <= n <= 100 for n in numbers) and column.distinct <= 8
        )
    if name in NUMBERS:
        if name in AMOUNTS and column.has_percents:
            return False
        return column.is_numeric and not column.is_dates
    if name == "client.email":
        return column.is_emails or column.share(lambda cell: "@" in cell) > 0.3
    if name == "numero":
        return (
            (not column.is_dates or "number" in notions_of(column.name))  # «1/03/2026» counts from 1 each month
            and not column.is_emails
            and not (column.is_numeric and column.share(lambda cell: "," in cell or "." in cell) > 0.5)
        )
    if name == "ligne.designation" and column.filled and not column.is_numeric:
        return not column.is_emails and not column.is_dates  # signs alone too: a lone quote, «---»
    if name in ("client.raison_sociale", "ligne.designation", "client.adresse", "client.ville"):
        return column.is_text and not column.is_emails and not column.is_dates
    if name == "ligne.unite":
        return not column.is_numeric
    if name == "client.siren":
        return column.share(lambda cell: sum(char.isdigit() for char in cell) in (9, 14)) >= 0.5
    if name == "client.siret":
        return column.share(lambda cell: sum(char.isdigit() for char in cell) in (9, 13, 14)) >= 0.5
    if name == "client.tva_intracom":
        return column.share(lambda cell: len(cell) >= 8 and any(char.isdigit() for char in cell)) >= 0.5
    if name in ("ligne.categorie_tva",):
        return column.share(lambda cell: cell.upper() in ("S", "Z", "E", "AE", "K", "G", "O")) >= 0.9
    if name == "facture_corrigee":
        return not column.filled or column.share(lambda cell: any(map(str.isdigit, cell)) and len(cell) > 1) > 0
    if name == "type":
        if _CATEGORIES & set(name_key(column.name).split()) and column.share(may_be_a_type) == 0:
            return False  # of services, customers, anything
        return not column.filled or not all(search_key(cell) in _KINDS_OF_LINES for cell in column.counts)
    if name == "pdf":
        return column.share(lambda cell: "://" in cell) < 0.5  # an address on the web is no file of the import
    if name == "devise":
        return column.share(_is_currency) >= 0.8
    if name in ("code_client", "ligne.article", "client.code"):
        is_counted = name == "ligne.article" and column.is_positions and len(column.filled) > 1
        return not column.is_dates and not column.is_emails and not is_counted
    return True


def level_of(column: Column, several: list[list[int]]) -> str:
    """``head`` where a value is the same on all rows of each invoice, or is on the first only; ``line`` else."""
    if not several or not column.filled:
        return ""
    first_only = same = True
    for group in several:
        cells = [column.cells[place] for place in group]
        filled = [cell for cell in cells if cell]
        if len(filled) != 1 or not cells[0]:
            first_only = False
        if len(set(cells)) > 1:
            same = False
    return "head" if first_only or same else "line"


def rows_of(*columns: Column) -> Iterator[tuple[Decimal, ...]]:
    """The numbers of ``columns`` in the rows where all of them hold one."""
    for numbers in zip(*(column.numbers for column in columns), strict=True):
        if all(number is not None for number in numbers):
            yield numbers


def sums_in(columns: list[Column]) -> Iterator[tuple[Column, Column, Column]]:
    """Each pair of ``columns``, and each third that may be their sum."""
    for one, other in combinations(columns, 2):
        for whole in columns:
            if whole is not one and whole is not other and size_of(whole) >= max(size_of(one), size_of(other)):
                yield one, other, whole


def may_be_summed(column: Column) -> bool:
    """Whether a column of numbers may be the net amount, the VAT or the gross amount: no rate, price or payment."""
    notions = notions_of(column.name)
    if notions & _NO_SUMMANDS:
        return False
    is_a_rate = column.has_percents or {"rate", "percent", "code"} & notions
    return not column.is_rates or column.distinct > 4 or not is_a_rate


def size_of(column: Column) -> Decimal:
    """The sum of the numbers of ``column``, whatever their sign."""
    return sum((abs(number) for number in column.numbers if number is not None), Decimal(0))


def _is_due(cell: str) -> bool:
    """Whether a cell is a due date, a term of payment, or says that there is none."""
    return looks_like_date(cell) or term_of(cell) is not None or is_no_date(cell)


def _is_currency(cell: str) -> bool:
    """Whether a cell is a code or sign of a currency, or its name and code: «Euro - EUR»."""
    code = cell.rpartition(" - ")[2].strip() or cell
    return (len(code) == 3 and code.isalpha()) or cell in "€$£"


def _is_day_number(cell: str) -> bool:
    """Whether a cell may be a day as spreadsheets count them."""
    return len(cell) == 5 and cell.isascii() and cell.isdigit() and 20000 < int(cell) < 80000


def add_taxes_by_rate(columns: Sequence[Column], taken: dict[int, str], grounds: dict[tuple[int, str], str]) -> None:
    """One column of tax, and of its base, a rate: together they are the total, unless that has its own column."""
    for head, wanted, others in (
        ("total_tva", {"vat"}, {"net", "gross", "base"}),
        ("total_ht", {"net", "base"}, {"gross", "vat"}),
    ):
        by_rate = [
            column
            for column in columns
            if rate_in_name(f"{column.group} {column.name}")
            and notions_of(column.name) & wanted
            and not notions_of(column.name) & others
            and (column.is_numeric or not column.filled)
        ]
        places = {column.index for column in by_rate}
        twin = TWINS[head]
        if any(name == head and index not in places for index, name in taken.items()):
            for index in places:
                if taken.get(index) in ("ligne.taux_tva", twin):
                    del taken[index]
        elif len(by_rate) > 1:
            for index in places:
                if taken.get(index, "") in ("", head, twin, "ligne.taux_tva"):
                    taken[index] = head
                    grounds[index, head] = _("nom : une colonne par taux, additionnées")


def differ_by_a_rate(net: Column, gross: Column) -> bool:
    """Whether ``gross`` is ``net`` with VAT: at one French rate to the cent in most rows, at several in others."""
    pairs = list(rows_of(net, gross))
    at_a_rate = sum(
        any(abs(part * (100 + rate) / 100 - whole) <= _CENT / 2 for rate in _RATES) for part, whole in pairs
    )
    return (
        any(whole != part for part, whole in pairs)
        and at_a_rate * 2 >= len(pairs)
        and all(abs(part) <= abs(whole) <= abs(part) * (100 + _RATES[0]) / 100 + _CENT for part, whole in pairs)
    )


def agrees(pairs: Iterator[tuple[Decimal, Decimal]]) -> bool:
    """Whether nearly all ``pairs`` are two equal numbers, to the cent, and any of them is not zero."""
    found = list(pairs)
    right = sum(abs(one - other) <= _CENT for one, other in found)
    has_amount = any(other for _one, other in found)
    return bool(found) and has_amount and right >= 0.9 * len(found)


def products(quantity: Column, price: Column, discount: Column | None, amounts: Iterable[Column]) -> list[Column]:
    """Those of ``amounts`` that are quantity × price less the discount; where none is, without it."""
    amounts = [column for column in amounts if column not in (quantity, price)]
    reduced = _reduced(quantity, price, discount, amounts) if discount is not None else []
    return reduced or [a for a in amounts if agrees((q * p, net) for q, p, net in rows_of(quantity, price, a))]


def _reduced(quantity: Column, price: Column, discount: Column, amounts: Iterable[Column]) -> list[Column]:
    """Those of ``amounts`` that are quantity × price less a discount, which is somewhere more than zero."""
    if not any(discount.numbers):
        return []
    rows = [(a, list(rows_of(quantity, price, discount, a))) for a in amounts if a is not discount]
    return [
        a
        for a, of_it in rows
        if agrees((q * p * (100 - d) / 100, net) for q, p, d, net in of_it)
        or agrees((q * p - d, net) for q, p, d, net in of_it)
    ]


def price_before_discount(
    quantity: Column, discount: Column | None, prices: Sequence[Column], numeric: Sequence[Column]
) -> Column | None:
    """Which of several ``prices`` gives an amount of ``numeric`` with the discount; None where that decides nothing."""
    if discount is None or len(prices) < 2:
        return None
    amounts = [column for column in numeric if column is not quantity and column not in prices]
    by_amount = (price for price in prices if _reduced(quantity, price, discount, amounts))
    return next(by_amount, None) or next((price for price in prices if _less(price, discount, prices)), None)


def _less(price: Column, discount: Column, prices: Sequence[Column]) -> bool:
    """Whether another of ``prices`` is ``price`` less the discount."""
    others = [other for other in prices if other is not price]
    rows = (((p * (100 - d) / 100, less) for p, d, less in rows_of(price, discount, other)) for other in others)
    return any(discount.numbers) and any(map(agrees, rows))


def prefer_who_is_billed(columns: Sequence[Column], scored: dict[int, dict[str, float]]) -> None:
    """«N° client facturé», «Bill-to Customer No.» before «N° client» and «Sell-to Customer No.»."""
    for column in columns:
        if names_who_is_billed(column.name):
            scores = scored[column.index]
            for name in ("code_client", CUSTOMER_NAME):
                if name in scores:
                    scores[name] += 0.1


def settle_customers_only(columns: Sequence[Column], scored: dict[int, dict[str, float]]) -> None:
    """Where nothing speaks of invoices or lines, names are those of customers."""
    best: dict[str, float] = defaultdict(float)
    for scores in scored.values():
        for name, score in scores.items():
            best[name] = max(best[name], score)
    customers = sum(best[name] >= 0.6 for name in list(best) if name.startswith("client."))
    invoices = any(best[name] >= 0.6 for name in ("total_ht", "total_ttc", "total_tva", "date", "ligne.quantite"))
    invoices = invoices or any(
        best[name] >= 0.75 for name in ("ligne.prix_unitaire_ht", "ligne.total_ht", "ligne.taux_tva")
    )
    if invoices or customers < 2:
        return
    for column in columns:
        scores = scored[column.index]
        code = max((scores.get(name, 0) for name in ("code_client", "client.code", "numero")), default=0)
        if "numero" in scores and scores.get("client.raison_sociale", 0) >= scores["numero"]:
            code = scores.get("code_client", 0)
        scored[column.index] = {n: s for n, s in scores.items() if n.startswith("client.")}
        if code:
            scored[column.index]["client.code"] = code
        if "company" in notions_of(column.name) and not {"number", "id", "code"} & notions_of(column.name):
            scored[column.index].setdefault("client.raison_sociale", 0.6)
