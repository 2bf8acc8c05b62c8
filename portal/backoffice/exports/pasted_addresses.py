"""Addresses of many customers, pasted from a spreadsheet (code and address) or typed one by one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from customers.models import Customer
from portal.backoffice.ui.mail_addresses import check_email

# A tab where a spreadsheet was copied, a semicolon or a comma where a file was, blanks where somebody typed.
_BETWEEN = re.compile(r"[\t;,]|\s+")


@dataclass(slots=True)
class ReadAddresses:
    """The good addresses by customer, and what is wrong: of a line (as it was pasted), and of a customer's field."""

    good: dict[int, str] = field(default_factory=dict)
    bad_lines: list[tuple[int, str, str]] = field(default_factory=list)
    """Number, text and sentence of each line that was refused."""
    bad_fields: dict[int, str] = field(default_factory=dict)


def read_addresses(*, pasted: str, typed: Mapping[int, str], customers: Iterable[Customer]) -> ReadAddresses:
    """What was pasted and typed, for ``customers``; every line and field is looked at, whatever is wrong with others.

    A line is a code and an address in either order, other columns count for nothing; a first line without an address is
    taken for the heads of the columns. A code may lack the zeros that spreadsheets drop, and its case.
    """
    read = ReadAddresses()
    known = {customer.code: customer for customer in customers}
    near: dict[str, list[Customer]] = {}
    for customer in known.values():
        near.setdefault(_bare(customer.code), []).append(customer)
    by_key = {customer.pk: customer for customer in known.values()}
    for key, text in typed.items():
        if text.strip() and key in by_key:
            try:
                read.good[key] = check_email(text)
            except ValidationError as problem:
                read.bad_fields[key] = problem.messages[0]
    is_first = True
    for number, line in enumerate(pasted.lstrip("\ufeff").splitlines(), start=1):
        cells = [cell.strip().strip('"') for cell in _BETWEEN.split(line) if cell.strip()]
        if not cells:
            continue
        addresses = [cell for cell in cells if "@" in cell]
        was_first, is_first = is_first, False
        if not addresses and was_first and not any(_find(cell, known, near) for cell in cells):
            continue  # the heads of the columns
        try:
            customer = _customer_of(cells, known, near)
            if not addresses:
                raise ValueError(_("il n’y a pas d’adresse e-mail."))
            address = check_email(addresses[0])
            if read.good.get(customer.pk, address) != address:
                raise ValueError(_("le client %(code)s a déjà une autre adresse plus haut.") % {"code": customer.code})
        except ValidationError as problem:
            read.bad_lines.append((number, line.strip(), problem.messages[0]))
        except ValueError as problem:
            read.bad_lines.append((number, line.strip(), str(problem)))
        else:
            read.good[customer.pk] = address
    return read


def _customer_of(cells: list[str], known: Mapping[str, Customer], near: Mapping[str, list[Customer]]) -> Customer:
    """The customer whose code is in one of ``cells``. Raises ValueError."""
    words = [cell for cell in cells if "@" not in cell]
    for cell in words:
        if customer := _find(cell, known, near):
            return customer
    if not words:
        raise ValueError(_("il n’y a pas de code de client."))
    raise ValueError(
        _("« %(code)s » n’est le code d’aucun client sans adresse de cette liste.") % {"code": words[0][:50]}
    )


def _find(cell: str, known: Mapping[str, Customer], near: Mapping[str, list[Customer]]) -> Customer | None:
    if cell in known:
        return known[cell]
    alike = near.get(_bare(cell), [])
    return alike[0] if len(alike) == 1 else None


def _bare(code: str) -> str:
    return code.casefold().lstrip("0")
