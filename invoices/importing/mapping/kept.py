"""Mappings that people have confirmed, found again by the shape of a table's header."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.identifiers import differing_number, is_real_vat
from customers.models import Customer
from customers.searching import search_key
from invoices.importing.mapping.fields import CUSTOMER_NAME
from invoices.importing.mapping.flat_lines import Unreconciled
from invoices.importing.mapping.names import name_key
from invoices.importing.mapping.samples import Sample
from invoices.importing.tables.codes import code_key
from invoices.importing.values import shown
from invoices.importing.words import kept_text
from invoices.models import Company, ImportMapping

_SECOND_SIGNS: Final = (
    ("siret", "siret"),
    ("siren", "siren"),
    ("tva_intracom", "vat_identifier"),
    ("email", "email"),
    ("code_postal", "postcode"),
)
_COLUMN_OF: Final = {attribute: column for column, attribute in _SECOND_SIGNS}
_STRONG_ORDER: Final = ("siret", "siren", "tva_intracom")
_STRONG: Final = frozenset(_STRONG_ORDER)


def fingerprint(names: Sequence[str]) -> str:
    """What is the same for all tables of a shape: their column names in their order, whatever their writing."""
    keys = [name_key(name) for name in names]
    while keys and not keys[-1]:
        keys.pop()
    return hashlib.sha256("\x1f".join(keys).encode()).hexdigest()


class KeptMappings:
    """The mappings that serve an import of ``company``; those of a company go before those of all."""

    def __init__(self, company: Company | None) -> None:
        self._company = company

    def find(self, sample: Sample) -> ImportMapping | None:
        """The mapping of a table of this shape."""
        wanted = Q(company=None) | Q(company=self._company) if self._company is not None else Q(company=None)
        found = ImportMapping.objects.filter(wanted, fingerprint=fingerprint(column_names(sample)))
        return max(found, key=lambda mapping: mapping.company_id or 0, default=None)

    def note_use(self, mapping: ImportMapping) -> None:
        """Remember when a mapping served last."""
        ImportMapping.objects.filter(pk=mapping.pk).update(used_at=timezone.now())


def column_names(sample: Sample) -> list[str]:
    """The names of all columns of a sample, in their order."""
    return [column.name for column in sample.columns]


class CustomerSearch:
    """Finds the card of a customer of whom a table gives no code: by the exact name and a second sign."""

    def __init__(self, answers: Mapping[str, str] | None = None) -> None:
        """``answers``: names of customers in search form and their codes, as a person has said."""
        self._answers = answers or {}
        self._found: dict[tuple[tuple[str, str], ...], tuple[str, bool]] = {}
        self._codes: set[str] | None = None
        self._numbers: dict[str, dict[str, str]] | None = None

    def is_known(self, code: str) -> bool:
        """Whether there is a card of this code."""
        if self._codes is None:
            self._codes = set(map(code_key, Customer.objects.order_by().values_list("code", flat=True)))
        return code_key(code) in self._codes

    def contradiction(self, code: str, given: dict[str, str]) -> tuple[str, str, str] | None:
        """The column, value and card's value of a number of ``given`` that is another on the card ``code``."""
        stated = {name: bare_number for name in _STRONG if (bare_number := _compact(given.get(name, "")))}
        if not stated:
            return None
        if self._numbers is None:
            rows = Customer.objects.order_by().values_list("code", *(attribute for _, attribute in _SECOND_SIGNS[:3]))
            self._numbers = {code_key(card): dict(zip(_STRONG_ORDER, numbers, strict=True)) for card, *numbers in rows}
        on_card = self._numbers.get(code_key(code), {})
        siret, own = stated.get("siret", ""), _compact(on_card.get("siret", ""))
        if siret and own and siret != own:  # the invoices of another place of the same company
            return "siret", siret, own
        other = differing_number(_by_attribute(stated), _by_attribute(on_card))
        return (_COLUMN_OF[other[0]], *other[1:]) if other else None

    def code_of(self, given: dict[str, str]) -> tuple[str, bool]:
        """The code for these ``client.*`` cells, and whether its card is new.

        A card is new where the cells state a SIRET, SIREN or VAT number and no card has it, nor the name. Raises
        Unreconciled with a sentence where no card, or more than one, may be meant.
        """
        key = tuple(sorted(given.items()))
        found = self._found.get(key)
        if found is None:
            answer = self._answers.get(search_key(given.get("raison_sociale", "")))
            found = self._found[key] = (answer, False) if answer else self._search(given)
        return found

    def _search(self, given: dict[str, str]) -> tuple[str, bool]:
        name = kept_text(given.get("raison_sociale", ""))
        if not name:
            raise Unreconciled("code_client", "", _("le client manque."))
        is_called_so = Q(name__iexact=name) | Q(name__iexact=unicodedata.normalize("NFD", name))
        cards = list(Customer.objects.filter(is_called_so).order_by("code")[:50])
        sure = [card for card in cards if _has_second_sign(card, given)]
        if len(sure) == 1:
            return sure[0].code, False
        column = CUSTOMER_NAME
        if not cards:
            strong = {
                attribute: "".join(given[one].split()).replace(".", "").upper()
                for one, attribute in _SECOND_SIGNS
                if one in _STRONG and given.get(one)
            }
            same = Q()
            for attribute, value in strong.items():
                same |= Q(**{attribute: value})
            if strong and not Customer.objects.filter(same).exists():
                return next(iter(strong.values())), True
            reason = _(
                "aucune fiche client ne s’appelle « %(name)s » : importez les clients, ou ouvrez ce fichier "
                "dans Importer."
            )
        elif not sure:
            reason = _(
                "le nom « %(name)s » seul ne suffit pas : il faut un second signe (SIREN, n° de TVA, e-mail, "
                "code postal) ou le code client ; ouvrez ce fichier dans Importer."
            )
        else:
            reason = _("plusieurs fiches s’appellent « %(name)s » : ouvrez ce fichier dans Importer.")
        raise Unreconciled(column, name, reason % {"name": shown(name)})


def _by_attribute(numbers: Mapping[str, str]) -> dict[str, str]:
    return {attribute: numbers.get(column, "") for column, attribute in _SECOND_SIGNS[:3]}


def _compact(number: str) -> str:
    return "".join(char for char in number if char.isalnum()).upper()


def _numbers_of(card: Customer) -> dict[str, str]:
    return {column: getattr(card, attribute) for column, attribute in _SECOND_SIGNS}


def _siren_in(given: Mapping[str, str]) -> str:
    """The SIREN that a SIREN, a SIRET or a French VAT number states; empty for none."""
    number = _compact(given.get("siren", "")) or _compact(given.get("siret", ""))[:9]
    vat = _compact(given.get("tva_intracom", ""))
    return number or (vat[4:] if vat.startswith("FR") and is_real_vat(vat) else "")


def _has_second_sign(card: Customer, given: dict[str, str]) -> bool:
    stated, on_card = _siren_in(given), _siren_in(_numbers_of(card))
    agrees = bool(stated) and stated == on_card
    for column, attribute in _SECOND_SIGNS:
        one = search_key(given.get(column, "")).replace(" ", "")
        other = search_key(getattr(card, attribute)).replace(" ", "")
        if one and other:
            if one == other:
                agrees = True
            elif column in _STRONG:
                return False
    return agrees
