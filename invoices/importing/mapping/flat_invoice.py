"""One invoice of a flat table: its rows put together, what is not stated derived, all of it checked to the cent.

Nothing is guessed: what the rows do not state must follow from what they state, in one way only, and at least one
stated amount must confirm another.
"""

from collections import defaultdict
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from invoices.files.tables import Row
from invoices.importing.mapping.fields import CUSTOMER, DATES, LINE, LINE_GROSS, LINE_VAT, NUMBERS
from invoices.importing.mapping.layout import Layout
from invoices.importing.mapping.values import rate_in
from invoices.importing.payment_terms import term_of
from invoices.importing.tables.cells import is_no_date
from invoices.importing.tables.columns import CELLS, cells_text
from invoices.importing.tables.invoice_rows import currency_text
from invoices.importing.values import BadValue, currency_of_amounts
from invoices.money import CENT, to_cents, write_decimal

_KNOWN_RATES: Final = tuple(map(Decimal, ("20", "10", "5.5", "2.1", "8.5", "0")))
_HIGHEST: Final = Decimal(20)
_TOTALS: Final = ("total_ht", "total_tva", "total_ttc")
_ONE_ONLY: Final = frozenset(("date", "code_client", "total_ht", "total_ttc", "devise", "type", "societe"))
_KINDS: Final = {"out_invoice": "facture", "out_refund": "avoir", "customer invoice": "facture"}


class Unreconciled(Exception):  # noqa: N818 - a finding about somebody's file, not an error of ours
    """An invoice cannot be taken; ``column``, ``value`` and ``reason`` (French) say why."""

    def __init__(self, column: str, value: str, reason: str, *, is_misread: bool = False) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason
        self.line = 0
        self.is_misread = is_misread


@dataclass
class Amounts:
    """The totals of the invoices that were read, and the first and last of their days."""

    invoices: int = 0
    net: Decimal = Decimal(0)
    vat: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    by_month: dict[str, list[Decimal]] = dataclass_field(default_factory=dict)

    def add(self, head: dict[str, str]) -> None:
        """Count one more invoice."""
        net, vat, gross = (Decimal(head[name]) for name in _TOTALS)
        self.invoices += 1
        self.net += net
        self.vat += vat
        self.gross += gross
        month = self.by_month.setdefault(head["date"][:7], [Decimal(0), Decimal(0), Decimal(0), Decimal(0)])
        for place, amount in enumerate((Decimal(1), net, vat, gross)):
            month[place] += amount


@dataclass
class _Line:
    row: int
    texts: dict[str, str]
    numbers: dict[str, Decimal]
    rate: Decimal | None
    net: Decimal
    cells: str
    """As they stood (:func:`~invoices.importing.tables.columns.cells_text`)."""


class FlatInvoice:
    """The rows of one invoice."""

    def __init__(self, layout: Layout, number: str, line: int) -> None:
        self._layout = layout
        self.number = number
        self.line = line
        self.problem: Unreconciled | None = None
        self._stated: dict[str, str] = {}
        self._head: dict[str, str] = {}
        self._totals: dict[str, Decimal] = {}
        self._lines: list[_Line] = []
        self.customer: dict[str, str] = {}
        self._products_checked = 0
        self._grosses_checked = 0
        self._amounts: list[str] = []
        self._head_cells: list[str] = []

    def add(self, row: Row) -> None:
        """Take one row. Raises Unreconciled."""
        parted, cells = self._layout.parted, row.cells
        if len(cells) < parted.width:
            cells = [*cells, *[""] * (parted.width - len(cells))]
        texts: dict[str, str] = {}
        numbers: dict[str, Decimal] = {}
        stated: dict[str, str] = {}
        rate: Decimal | None = None
        # What rows repeat of the head, or leave blank, is read once.
        head_cells = [cells[place] for place in parted.head_places]
        is_repeated = head_cells == self._head_cells or (bool(self._head_cells) and not any(head_cells))
        for name, places in parted.lines if is_repeated else (*parted.heads, *parted.lines):
            text = cells[places[0]]
            self._note_stated(name, text if len(places) == 1 else self._joined(cells, places), stated)
            if len(places) > 1:
                total = self._sum(name, cells, places)
                if total is not None:
                    self._note_total(name, total, text)
            elif not text:
                continue
            elif name == "ligne.taux_tva":
                rate = self._rate(text, places[0])
            elif name in NUMBERS:
                number = self._number(name, text, places[0])
                if name.startswith(LINE):
                    numbers[name] = number
                else:
                    self._note_total(name, number, text)
            elif name in DATES:
                self._note(name, self._date(name, text, places[0]), texts)
            elif name.startswith(CUSTOMER):
                self.customer.setdefault(name.removeprefix(CUSTOMER), text)
            else:
                self._note(name, _KINDS.get(text.lower(), text) if name == "type" else text, texts)
        if not is_repeated:
            self._head_cells = head_cells
        if "lignes" in self._layout.holds and (texts or numbers):
            self._add_line(row.line, texts, numbers, rate, _text_of(stated))
        elif rate is not None and "lignes" not in self._layout.holds:
            self._head.setdefault("rate", str(rate))

    def _joined(self, cells: list[str], places: list[int]) -> str:
        return " + ".join(filter(None, (self._layout.cell(cells, place) for place in places)))

    def _note_stated(self, name: str, text: str, stated: dict[str, str]) -> None:
        """Keep a cell as it stands: of a line in ``stated``, of the head, which rows repeat, once."""
        if text and name.startswith(LINE):
            stated[name.removeprefix(LINE)] = text
        elif text:
            self._stated.setdefault(name, text)

    def _note(self, name: str, text: str, texts: dict[str, str]) -> None:
        if name.startswith(LINE):
            texts[name.removeprefix(LINE)] = text
            return
        known = self._head.setdefault(name, text)
        if known != text and name in _ONE_ONLY:
            raise Unreconciled(
                name, text, _("deux valeurs différentes, « %(one)s » et « %(other)s ».") % {"one": known, "other": text}
            )

    def _note_total(self, name: str, number: Decimal, text: str) -> None:
        known = self._totals.setdefault(name, number)
        if known != number:
            reason = _("deux montants différents, %(one)s et %(other)s : est-ce un montant de ligne ?")
            raise Unreconciled(
                name,
                text,
                reason % {"one": write_decimal(known), "other": write_decimal(number)},
                is_misread=True,
            )

    def _sum(self, name: str, cells: list[str], places: list[int]) -> Decimal | None:
        found = [(self._layout.cell(cells, place), place) for place in places]
        numbers = [self._number(name, text, place) for text, place in found if text]
        return sum(numbers, Decimal(0)) if numbers else None

    def _number(self, name: str, text: str, place: int) -> Decimal:
        number = Decimal(0) if text in ("-", "—") else self._layout.number(text, place)
        if name != "tva_en_euros" and not (text[0].isdigit() and text[-1].isdigit()):
            self._amounts.append(text)
        if number is None:
            raise Unreconciled(name, text, _("« %(text)s » n’est pas un nombre sûr.") % {"text": text}, is_misread=True)
        return number

    def _rate(self, text: str, place: int) -> Decimal | None:
        rate = rate_in(text, self._layout.marks.get(place, "") or ".")
        if rate is not None and self._layout.rates_are_fractions and "%" not in text:
            rate *= 100
        return rate

    def _date(self, name: str, text: str, place: int) -> str:
        date = self._layout.date(text, place)
        if date is None:
            if name != "date" and is_no_date(text):
                return ""
            if name == "echeance" and term_of(text) is not None:
                return text  # counted from the invoice's date where the canonical tables are read
            raise Unreconciled(name, text, _("« %(text)s » n’est pas une date sûre.") % {"text": text}, is_misread=True)
        return date.isoformat()

    def _add_line(
        self, row: int, texts: dict[str, str], numbers: dict[str, Decimal], rate: Decimal | None, cells: str
    ) -> None:
        quantity, price = numbers.get("ligne.quantite"), numbers.get("ligne.prix_unitaire_ht")
        net, discount = numbers.get("ligne.total_ht"), numbers.get("ligne.remise", Decimal(0))
        if net is None and quantity is None and price is None and not numbers:
            if not texts.get("designation"):
                return
            net = Decimal(0)  # a line of text
        if net is None:
            if quantity is None or price is None:
                raise Unreconciled("ligne.total_ht", "", _("une ligne n’a pas de montant."), is_misread=True)
            net = quantity * price * (100 - discount) / 100
        elif quantity is not None and price is not None and self._is_product(quantity, price, discount, net):
            self._products_checked += 1
        vat, gross = numbers.get(LINE_VAT), numbers.get(LINE_GROSS)
        if vat is not None and gross is not None:
            if abs(net + vat - gross) > CENT:
                raise self._differs("ligne.total_ht", net + vat, gross)
            self._grosses_checked += 1
        elif vat is None and gross is not None:
            vat = gross - net
        if rate is None and vat is not None:
            rate = _rate_of(net, vat)
        elif rate is not None and vat is not None:
            if abs(net * rate / 100 - vat) > Decimal("0.02"):
                raise self._differs("ligne.taux_tva", to_cents(net * rate / 100), vat)
            self._grosses_checked += bool(vat)
        numbers = {name: number for name, number in numbers.items() if name not in (LINE_VAT, LINE_GROSS)}
        if vat is not None:
            numbers["vat"] = vat
        self._lines.append(_Line(row, texts, numbers, rate, to_cents(net), cells))

    def _is_product(self, quantity: Decimal, price: Decimal, discount: Decimal, net: Decimal) -> bool:
        product = quantity * price * (100 - discount) / 100
        decimals = max(2, -int(price.as_tuple().exponent))
        if abs(product - net) <= abs(quantity) * Decimal(5).scaleb(-decimals - 1) + CENT:
            return True
        raise self._differs("ligne.total_ht", to_cents(product), net)

    @staticmethod
    def _differs(column: str, expected: Decimal, found: Decimal) -> Unreconciled:
        reason = _("%(expected)s attendu, %(found)s trouvé.")
        values = {"expected": write_decimal(to_cents(expected)), "found": write_decimal(to_cents(found))}
        return Unreconciled(column, str(found), reason % values, is_misread=True)

    # All rows are in

    @property
    def states_total(self) -> bool:
        """Whether a total of the invoice stands in its rows, by which its lines are checked."""
        return bool(self._totals.keys() & {"total_ht", "total_ttc"})

    def lines_alone(self) -> list[tuple[int, dict[str, str]]]:
        """The lines of an invoice whose head stands in another table. Raises Unreconciled."""
        return [self._written(line, self._needed_rate(line)) for line in self._lines]

    def reconciled(self) -> tuple[dict[str, str], list[tuple[int, dict[str, str]]]]:
        """The head and the lines, canonical. Raises Unreconciled."""
        lines = self._lines
        summed = sum((line.net for line in lines), Decimal(0))
        net, vat, gross = (self._cents(name) for name in _TOTALS)
        checks = self._products_checked + self._grosses_checked
        if net is None and lines:
            net = summed
        elif net is not None and lines:
            if net != summed:
                raise self._differs("total_ht", net, summed)
            checks += 1
        if net is None and vat is not None and gross is not None:
            net = gross - vat
            checks += not lines
        elif net is not None and vat is not None and gross is not None:
            if net + vat != gross:
                raise self._differs("total_ttc", net + vat, gross)
            checks += 1
        if net is None:
            raise Unreconciled("total_ht", "", _("le total HT ne se déduit pas."), is_misread=True)
        basis = self._layout.is_net_by_name
        if vat is None:
            vat = gross - net if gross is not None else None
        rates = self._rates(net, vat)
        by_rate = self._vat_by_rate(rates)
        if vat is None:
            vat = self._vat_by_lines(by_rate)
        elif lines and by_rate != vat and not self._explained(by_rate, vat):
            raise self._differs("total_tva", by_rate, vat)
        elif lines and vat:
            checks += 1
            basis = True
        if gross is None:
            gross = net + vat
        elif gross != net + vat:
            raise self._differs("total_ttc", net + vat, gross)
        elif vat and "total_ht" in self._totals:
            basis = True
        if not basis and vat:
            raise Unreconciled("total_ht", str(net), _("rien ne dit si les montants sont HT ou TTC."), is_misread=True)
        if not checks and not self._layout.is_net_by_name:
            raise Unreconciled("total_ht", str(net), _("aucun montant n’en confirme un autre."), is_misread=True)
        head = {name: text for name, text in self._head.items() if name != "rate"}
        if not head.get("date"):
            raise Unreconciled("date", "", _("la date manque."))
        head |= {"numero": self.number, "total_ht": str(net), "total_tva": str(vat), "total_ttc": str(gross)}
        for name in ("deja_paye", "tva_en_euros"):
            if name in self._totals:
                head[name] = str(self._totals[name])
        if self._amounts or self._layout.header_currencies:
            head["devise"] = self._currency(head.get("devise", ""))
        head[CELLS] = _text_of(self._stated)
        return head, [self._written(line, rate) for line, rate in zip(lines, rates, strict=True)]

    def _currency(self, text: str) -> str:
        """The currency that a column states in ``text``, or that stands beside amounts or in names of columns."""
        try:
            stated = currency_text(text) if text else ""
            return currency_of_amounts(stated, (*self._amounts, *self._layout.header_currencies)) or text
        except BadValue as problem:
            raise Unreconciled("devise", text, str(problem)) from None

    def _cents(self, name: str) -> Decimal | None:
        number = self._totals.get(name)
        if number is None:
            return None
        amount = to_cents(number)
        if abs(amount - number) > Decimal("0.0001"):
            raise Unreconciled(name, str(number), _("plus de deux décimales."), is_misread=True)
        return amount

    def _rates(self, net: Decimal, vat: Decimal | None) -> list[Decimal]:
        """The rate of each line: stated, or the only one that gives the VAT."""
        if not self._lines:
            return []
        if all(line.rate is not None for line in self._lines):
            return [self._needed_rate(line) for line in self._lines]
        single = _rate_of(net, vat) if vat is not None else None
        if len(self._lines) > 1 and (single not in (_HIGHEST, 0) or any(line.net < 0 for line in self._lines)):
            single = None  # lines at 20 % and at 0 % make 10 % together
        stated = {line.rate for line in self._lines if line.rate is not None and line.net}
        if single is not None and stated <= {single}:
            return [single if line.rate is None else line.rate for line in self._lines]
        if stated and all(line.net == 0 for line in self._lines if line.rate is None):
            return [line.rate if line.rate is not None else max(stated) for line in self._lines]
        return [self._needed_rate(line) for line in self._lines]

    def _needed_rate(self, line: _Line) -> Decimal:
        if line.rate is None:
            problem = Unreconciled(
                "ligne.taux_tva", "", _("le taux de TVA d’une ligne ne se déduit pas."), is_misread=True
            )
            problem.line = line.row
            raise problem
        return line.rate

    def _vat_by_rate(self, rates: list[Decimal]) -> Decimal:
        nets: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line, rate in zip(self._lines, rates, strict=True):
            nets[rate] += line.net
        return sum((to_cents(net * rate / 100) for rate, net in nets.items()), Decimal(0))

    def _vat_by_lines(self, by_rate: Decimal) -> Decimal:
        """The VAT where no total states it: what the lines' own say, where they say it."""
        if not self._lines:
            raise Unreconciled("total_tva", "", _("la TVA ne se déduit pas."), is_misread=True)
        if all("vat" in line.numbers for line in self._lines):
            stated = to_cents(sum((line.numbers["vat"] for line in self._lines), Decimal(0)))
            if stated != by_rate and not self._explained(by_rate, stated):
                raise self._differs("total_tva", by_rate, stated)
            return stated
        return by_rate

    def _explained(self, by_rate: Decimal, stated: Decimal) -> bool:
        """Whether VAT rounded line by line explains the difference: half a cent a line."""
        return abs(by_rate - stated) <= Decimal("0.005") * len(self._lines)

    def _written(self, line: _Line, rate: Decimal) -> tuple[int, dict[str, str]]:
        values = dict(line.texts)
        for name in ("quantite", "prix_unitaire_ht", "remise"):
            if f"{LINE}{name}" in line.numbers:
                values[name] = f"{line.numbers[f'{LINE}{name}']:f}"
        values.setdefault("designation", values.get("article", ""))
        if not values["designation"]:
            raise Unreconciled("ligne.designation", "", _("une ligne n’a pas de désignation."))
        return line.row, {**values, "taux_tva": f"{rate.normalize():f}", "total_ht": str(line.net), CELLS: line.cells}


def _text_of(stated: dict[str, str]) -> str:
    names = sorted(stated)
    return cells_text(names, [stated[name] for name in names])


def _rate_of(net: Decimal, vat: Decimal) -> Decimal | None:
    """The only known rate that gives ``vat`` of ``net`` to the cent, else None."""
    if not net:
        return None
    found = [rate for rate in _KNOWN_RATES if to_cents(net * rate / 100) == to_cents(vat)]
    return found[0] if len(found) == 1 else None
