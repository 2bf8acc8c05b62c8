"""One invoice of a flat table: its rows put together, what is not stated derived, all of it checked to the cent.

Nothing is guessed: what the rows do not state must follow from what they state, in one way only, and at least one
stated amount must confirm another.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from invoices.importing.mapping.fields import CUSTOMER
from invoices.importing.mapping.flat_lines import (
    DISCOUNT,
    LINE_NET,
    PRICE,
    QUANTITY,
    FlatCells,
    FlatLine,
    Sort,
    Unreconciled,
    differs,
    rate_of,
    sums_of_others,
)
from invoices.importing.mapping.layout import HARMLESS_FACTORS
from invoices.importing.mapping.samples import USUAL_RATES
from invoices.importing.mapping.unsure_lines import refuse_parts, refuse_unsure_lines
from invoices.importing.mapping.values import number_alone
from invoices.importing.tables.columns import CELLS
from invoices.importing.tables.invoice_rows import currency_text
from invoices.importing.tables.rows import is_total_line, is_total_row
from invoices.importing.values import BadValue, currency_of_amounts
from invoices.money import to_cents, write_decimal

_NO_MORE_THAN_CENTS: Final = Decimal("0.0001")
_HIGHEST: Final = Decimal(20)
_TOTALS: Final = ("total_ht", "total_tva", "total_ttc")
_ONE_ONLY: Final = frozenset(("date", "code_client", "total_ht", "total_ttc", "devise", "type", "societe"))
_SUM, _NUMBER, _DATE, _CUSTOMER = Sort.SUM, Sort.NUMBER, Sort.DATE, Sort.CUSTOMER
_KINDS: Final = {"out_invoice": "facture", "out_refund": "avoir", "customer invoice": "facture"}


class FlatInvoice:
    """The rows of one invoice."""

    def __init__(self, cells: FlatCells, number: str, line: int) -> None:
        self._cells = cells
        self._layout = cells.layout
        self.number = number
        self.line = line
        self.problem: Unreconciled | None = None
        self._stated: dict[str, str] = {}
        self._head: dict[str, str] = {}
        self._totals: dict[str, Decimal] = {}
        self._lines: list[tuple[int, FlatLine]] = []
        self.customer: dict[str, str] = {}
        self._amounts: list[str] = []
        self._head_cells: tuple[str, ...] = ()
        self._apart: tuple[str, str] | None = None
        self._factor: tuple[str, str] | None = None
        self.left_out: list[tuple[int, str]] = []
        """The rows that are the sum of others, with their texts."""

    def add(self, row: int, cells: list[str]) -> None:
        """Take the cells of one row. Raises Unreconciled."""
        reading, given = self._cells, cells
        if len(cells) < reading.width:
            cells = [*cells, *[""] * (reading.width - len(cells))]
        # What rows repeat of the head, or leave blank, is read once.
        head_cells = reading.pick_head(cells)
        if head_cells != self._head_cells and (not self._head_cells or any(head_cells)):
            if self._head_cells and not reading.names_a_line(cells) and is_total_row(given):  # «F1;Sous-total;;…»
                self.left_out.append((row, next(filter(is_total_line, given))))
                return
            self._read_head(cells)
            self._head_cells = head_cells
        if self._apart is None and self._layout.apart:
            self._apart = self._first_of(self._layout.apart, cells)
        if self._factor is None and self._layout.factors:
            self._factor = self._first_of(self._layout.factors, cells, but=HARMLESS_FACTORS)
        read = reading.known.get(reading.pick_line(cells)) or reading.read_line(cells)
        if read.amounts:
            self._amounts += read.amounts
        if read.sums:
            for name, (total, text) in read.sums.items():
                self._note_total(name, total, text)
        if read.line is not None:
            self._lines.append((row, read.line))

    def _first_of(
        self, places: Sequence[int], cells: list[str], but: Collection[Decimal] = ()
    ) -> tuple[str, str] | None:
        """The name and cell of the first column at ``places`` that is neither zero nor one of ``but``."""
        for place in places:
            text = self._layout.cell(cells, place)
            if any(char in "123456789" for char in text) and number_alone(text) not in but:
                return self._layout.cell(self._layout.header, place), text
        return None

    def _read_head(self, cells: list[str]) -> None:
        reading, stated = self._cells, self._stated
        for name, place, places, sort in reading.heads:
            text = cells[place]
            if sort is _SUM:
                if whole := reading.joined(cells, places):
                    stated.setdefault(name, whole)
                total = reading.sum(name, cells, places, self._amounts)
                if total is not None:
                    self._note_total(name, total, text)
                continue
            if not text:
                continue
            stated.setdefault(name, text)
            if sort is _NUMBER:
                self._note_total(name, reading.number(name, text, place, self._amounts), text)
            elif sort is _CUSTOMER:
                self.customer.setdefault(name.removeprefix(CUSTOMER), text)
            else:
                if sort is _DATE:
                    text = reading.date(name, text, place)
                elif name == "type":
                    text = self._layout.kinds.get(text, _KINDS.get(text.lower(), text))
                known = self._head.setdefault(name, text)
                if known != text and name in _ONE_ONLY:
                    reason = _("deux valeurs différentes, « %(one)s » et « %(other)s ».")
                    raise Unreconciled(name, text, reason % {"one": known, "other": text})

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

    # All rows are in

    @property
    def states_total(self) -> bool:
        """Whether a total of the invoice is in its rows, by which its lines are checked."""
        return bool(self._totals.keys() & {"total_ht", "total_ttc"})

    @property
    def rows(self) -> list[int]:
        """The rows of its lines; after :meth:`reconciled`, of those that are none of :attr:`left_out`."""
        return [row for row, _line in self._lines]

    def lines_alone(self, columns: Sequence[str]) -> list[list[str]]:
        """``columns`` of the lines of an invoice whose head is in another table. Raises Unreconciled."""
        return [line.written(_needed_rate(row, line), columns) for row, line in self._lines]

    def reconciled(self, columns: Sequence[str]) -> tuple[dict[str, str], list[list[str]]]:
        """The head, and ``columns`` of the lines; canonical. Raises Unreconciled.

        Lines that are the sum of others («Sous-total») are left out, and are in :attr:`left_out`.
        """
        if (usual := self._usual()) is not None:
            rate, net, vat = usual
            return self._head_with(net, vat), [
                line.written_cells if line.written_rate is rate else line.written(rate, columns)
                for _row, line in self._lines
            ]
        if not any(line.total for _, line in self._lines):
            return self._reconciled(columns)
        if not self._totals:
            self._leave_out(sums_of_others(self._lines))
            return self._reconciled(columns)
        try:
            return self._reconciled(columns)
        except Unreconciled as as_they_are:
            lines = self._lines
            self._leave_out({row for row, line in lines if line.total})
            try:
                return self._reconciled(columns)
            except Unreconciled:
                raise as_they_are from None

    def _usual(self) -> tuple[Decimal, Decimal, Decimal] | None:
        """The rate, the total without VAT and the VAT, where all totals are stated and lines of one rate make them.

        That is nearly always, and all there is to check then.
        """
        net, vat, gross = map(self._totals.get, _TOTALS)
        if net is None or vat is None or gross is None or not self._lines:
            return None
        rate, summed = self._lines[0][1].rate, Decimal(0)
        for _row, line in self._lines:
            if line.rate is not rate and line.rate != rate:
                return None
            summed += line.net
        if rate is None or net != summed or gross != net + vat:
            return None
        by_rate = to_cents(summed * rate / 100)
        return (rate, summed, by_rate) if vat == by_rate else None

    def _leave_out(self, rows: set[int]) -> None:
        self.left_out += [(row, line.total) for row, line in self._lines if row in rows]
        self._lines = [(row, line) for row, line in self._lines if row not in rows]

    def _reconciled(self, columns: Sequence[str]) -> tuple[dict[str, str], list[list[str]]]:
        if self._lines and not self._totals and not any(line.numbers for _, line in self._lines):
            raise Unreconciled("total_ht", "", _("elle n’a aucun montant."), is_misread=True)
        net, vat, gross = (self._cents(name) for name in _TOTALS)
        net, checks = self._net(net, vat, gross)
        if vat is None and gross is not None:
            vat = gross - net
        rates = self._rates(net, vat)
        vat, is_confirmed = self._vat(vat, rates)
        if gross is not None and gross != net + vat:
            raise differs("total_ttc", net + vat, gross)
        is_basis_known = (
            self._layout.is_net_by_name
            or is_confirmed
            or (gross is not None and "total_ht" in self._totals)
            or all(line.is_net_sure for _, line in self._lines)
        )
        if vat and not is_basis_known:
            raise Unreconciled("total_ht", str(net), _("rien ne dit si les montants sont HT ou TTC."), is_misread=True)
        if not checks and not is_confirmed:
            refuse_unsure_lines(self._lines, self._layout, self._factor)
        if self._apart and not self.states_total:
            reason = _("« %(column)s » n’est dans aucune ligne, et aucun total ne dit s’il faut le compter.")
            raise Unreconciled("total_ht", self._apart[1], reason % {"column": self._apart[0]}, is_misread=True)
        if not self.states_total:
            refuse_parts(self._lines)
        if vat and not is_confirmed and gross is None and not USUAL_RATES.issuperset(rates):
            odd = next(rate for rate in rates if rate not in USUAL_RATES)
            reason = _("aucun total ne confirme ce taux de TVA : est-ce un code ?")
            raise Unreconciled("ligne.taux_tva", f"{odd.normalize():f}", reason, is_misread=True)
        if not (checks or is_confirmed or self._layout.is_net_by_name):
            raise Unreconciled("total_ht", str(net), _("aucun montant n’en confirme un autre."), is_misread=True)
        head = self._head_with(net, vat)
        return head, [line.written(rate, columns) for (_row, line), rate in zip(self._lines, rates, strict=True)]

    def _net(self, net: Decimal | None, vat: Decimal | None, gross: Decimal | None) -> tuple[Decimal, int]:
        """The total without VAT, and how many amounts confirmed each other on the way. Raises Unreconciled."""
        lines = self._lines
        summed = sum([line.net for _, line in lines], Decimal(0))
        checks = sum([line.checks for _, line in lines])
        if net is None and lines:
            net = summed
        elif net is not None and lines:
            if net != summed and not self._takes_discounts_in_money(net):
                raise differs("total_ht", net, summed)
            checks += 1
        if net is None and vat is not None and gross is not None:
            net = gross - vat
            checks += not lines
        elif net is not None and vat is not None and gross is not None:
            if net + vat != gross:
                raise differs("total_ttc", net + vat, gross)
            checks += 1
        if net is None:
            raise Unreconciled("total_ht", "", _("le total HT ne se déduit pas."), is_misread=True)
        return net, checks

    def _takes_discounts_in_money(self, net: Decimal) -> bool:
        """Whether the lines make ``net`` with discounts that are amounts, or in the prices: they are taken so then."""
        if self._layout.is_discount_in_percent:
            return False
        found = []
        for _row, line in self._lines:
            quantity, price = line.numbers.get(QUANTITY), line.numbers.get(PRICE)
            if LINE_NET in line.numbers or quantity is None or price is None:
                return False
            found.append((quantity * price, line.numbers.get(DISCOUNT, Decimal(0))))
        in_money = [to_cents(product - discount) for product, discount in found]
        in_price = [to_cents(product) for product, _discount in found]
        nets = next((each for each in (in_money, in_price) if sum(each, Decimal(0)) == net), None)
        if nets is None:
            return False
        left_out = DISCOUNT if nets is in_price else ""
        self._lines = [  # a line is shared by all rows that say the same
            (row, replace(line, net=amount, numbers=_without(line.numbers, left_out), written_rate=None))
            for (row, line), amount in zip(self._lines, nets, strict=True)
        ]
        return True

    def _vat(self, vat: Decimal | None, rates: list[Decimal]) -> tuple[Decimal, bool]:
        """The VAT, and whether a total that states it and the lines confirm each other. Raises Unreconciled."""
        by_rate = self._vat_by_rate(rates)
        if vat is None:
            return self._vat_by_lines(by_rate), False
        if self._lines and by_rate != vat and not self._explained(by_rate, vat):
            raise differs("total_tva", by_rate, vat)
        return vat, bool(self._lines and vat)

    def _head_with(self, net: Decimal, vat: Decimal) -> dict[str, str]:
        """The head, canonical, with these totals. Raises Unreconciled where it has no date."""
        head = dict(self._head)
        if not head.get("date"):
            raise Unreconciled("date", "", _("la date manque."))
        head |= {"numero": self.number, "total_ht": str(net), "total_tva": str(vat), "total_ttc": str(net + vat)}
        for name in ("deja_paye", "tva_en_euros"):
            if name in self._totals:
                head[name] = str(self._totals[name])
        if self._amounts or self._layout.header_currencies:
            head["devise"] = self._currency(head.get("devise", ""))
        head[CELLS] = self._cells.text_of(self._stated)
        return head

    def _currency(self, text: str) -> str:
        """The currency that a column states in ``text``, or that is beside amounts or in names of columns."""
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
        if amount != number and abs(amount - number) > _NO_MORE_THAN_CENTS:
            raise Unreconciled(name, str(number), _("plus de deux décimales."), is_misread=True)
        return amount

    def _rates(self, net: Decimal, vat: Decimal | None) -> list[Decimal]:
        """The rate of each line: stated, or the only one that gives the VAT."""
        if not self._lines:
            return []
        rates = [line.rate for _, line in self._lines if line.rate is not None]
        if len(rates) == len(self._lines):
            return rates
        single = rate_of(net, vat) if vat is not None else None
        if len(self._lines) > 1 and (single not in (_HIGHEST, 0) or any(line.net < 0 for _, line in self._lines)):
            single = None  # lines at 20 % and at 0 % make 10 % together
        stated = {line.rate for _, line in self._lines if line.rate is not None and line.net}
        if single is not None and stated <= {single}:
            return [single if line.rate is None else line.rate for _, line in self._lines]
        if stated and all(line.net == 0 for _, line in self._lines if line.rate is None):
            return [line.rate if line.rate is not None else max(stated) for _, line in self._lines]
        return self._needed_rates()

    def _needed_rates(self) -> list[Decimal]:
        return [_needed_rate(row, line) for row, line in self._lines]

    def _vat_by_rate(self, rates: list[Decimal]) -> Decimal:
        if rates and rates.count(rates[0]) == len(rates):  # nearly always
            return to_cents(sum([line.net for _row, line in self._lines], Decimal(0)) * rates[0] / 100)
        nets: dict[Decimal, Decimal] = defaultdict(Decimal)
        for (_row, line), rate in zip(self._lines, rates, strict=True):
            nets[rate] += line.net
        return sum((to_cents(net * rate / 100) for rate, net in nets.items()), Decimal(0))

    def _vat_by_lines(self, by_rate: Decimal) -> Decimal:
        """The VAT where no total states it: what the lines' own say, where they say it."""
        if not self._lines:
            raise Unreconciled("total_tva", "", _("la TVA ne se déduit pas."), is_misread=True)
        stated_by_lines = [line.vat for _, line in self._lines if line.vat is not None]
        if len(stated_by_lines) == len(self._lines):
            stated = to_cents(sum(stated_by_lines, Decimal(0)))
            if stated != by_rate and not self._explained(by_rate, stated):
                raise differs("total_tva", by_rate, stated)
            return stated
        return by_rate

    def _explained(self, by_rate: Decimal, stated: Decimal) -> bool:
        """Whether VAT rounded line by line explains the difference: half a cent a line."""
        return abs(by_rate - stated) <= Decimal("0.005") * len(self._lines)


def _without(numbers: dict[str, Decimal], left_out: str) -> dict[str, Decimal]:
    return {name: number for name, number in numbers.items() if name != left_out}


def _needed_rate(row: int, line: FlatLine) -> Decimal:
    if line.rate is None:
        problem = Unreconciled("ligne.taux_tva", "", _("le taux de TVA d’une ligne ne se déduit pas."), is_misread=True)
        problem.line = row
        raise problem
    return line.rate
