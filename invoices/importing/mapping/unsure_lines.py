"""Lines whose amounts may be others than they look, and that nothing else in their invoice confirms."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from invoices.importing.mapping.fields import LINE
from invoices.importing.mapping.flat_lines import DISCOUNT, LINE_NET, PRICE, QUANTITY, FlatLine, Unreconciled
from invoices.importing.mapping.layout import Layout
from invoices.importing.tables.rows import names_a_part


def refuse_parts(lines: Sequence[tuple[int, FlatLine]]) -> None:
    """Raises Unreconciled where an amount of ``lines``, which no total checks, may be in that of another one."""
    for row, line in lines:
        text = line.texts.get("designation", "")
        if line.net and names_a_part(text):
            reason = _("ce montant est peut-être dans celui d’une autre ligne, et aucun total ne le dit.")
            problem = Unreconciled(f"{LINE}designation", text, reason, is_misread=True)
            problem.line = row
            raise problem


def refuse_unsure_lines(lines: Sequence[tuple[int, FlatLine]], layout: Layout, factor: tuple[str, str] | None) -> None:
    """Raises Unreconciled where «Prix» or «Remise» may be the line's, and no amount says whether it is."""
    if factor is not None:
        sentence = _("aucun montant ne dit si le prix est aussi multiplié par « %(column)s ».")
        raise Unreconciled(PRICE, factor[1], sentence % {"column": factor[0]}, is_misread=True)
    for row, line in lines:
        name = ""
        if LINE_NET not in line.numbers and not layout.is_price_of_a_unit:
            name = PRICE if line.numbers.get(QUANTITY, 1) != 1 else ""
        if not name and not layout.is_discount_in_percent and line.numbers.get(DISCOUNT):
            name = DISCOUNT
        if name:
            reason = {
                PRICE: _("rien ne dit que la quantité × le prix est le montant de la ligne."),
                DISCOUNT: _("rien ne dit si la remise est un montant ou en pour cent, ni de quoi."),
            }
            problem = Unreconciled(name, str(line.numbers[name]), reason[name], is_misread=True)
            problem.line = row
            raise problem
