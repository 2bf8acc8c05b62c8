"""Codes to which a table of customers gives another company than their cards: nothing of it is taken on them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from customers.identifiers import check_siren, check_siret, differing_number
from customers.models import Customer
from invoices.importing.parties import NUMBER_WORDS, contested_sentence
from invoices.importing.report import Rejection, card_identity
from invoices.importing.values import shown

_AT_ONCE: Final = 900
_COLUMNS: Final = {"siren": "siren", "vat_identifier": "tva_intracom"}
_MENDED: Final = (
    "Donnez un autre code à ce client dans l’ERP, ou corrigez la fiche du portail. « Remplacer » dans Importer, "
    "seulement si c’est le même client : ses factures, ses contacts et ses accès restent sur sa fiche."
)
MENDED_BY_THE_CARD: Final = (
    "Donnez la table des clients avec un autre code pour ce client, ou corrigez sa fiche ; puis redonnez ce fichier."
)


@dataclass
class ContestedCards:
    """Cards whose code the ERP gives another company: those of imports before, and those of this one."""

    _sentences: dict[int, str] | None = None
    _marks: dict[int, dict[str, str]] = field(default_factory=dict)

    def reason(self, key: int | None) -> str:
        """Why nothing new comes on the card of this key, in French; empty where it is not contested."""
        return self._all().get(key or 0, "")

    def _all(self) -> dict[int, str]:
        if self._sentences is None:
            cards = Customer.objects.exclude(contested_by={})
            self._sentences = {card.pk: contested_sentence(card) for card in cards}
        return self._sentences

    def rejection(
        self, customer: Customer, values: Mapping[str, Any], place: tuple[str, int], replace: Collection[str]
    ) -> Rejection | None:
        """The refusal of the row at ``place`` (file, line) with these ``values``; None where it may be written.

        ``replace``: the cards that staff let become another company's (:func:`~.report.card_identity`).
        """
        stated = _valid(values)
        identity = card_identity(customer.code)
        other = None if identity in replace else differing_number(stated, customer.numbers)
        if stated:  # a table without these columns says nothing of it
            self._mark(customer, stated if other else {})
        if other is None:
            return None
        name, number, own = other
        word, column = NUMBER_WORDS[name], _COLUMNS[name]
        if name == "siren" and not values.get("siren"):
            column = "tva_intracom"
        reason = (
            f"La fiche « {shown(customer.code)} » est celle de « {shown(customer.name)} » ({word} {own}), cette ligne "
            f"est de « {shown(values.get('name', ''))} » ({word} {number}) : c’est un autre client, la fiche ne change "
            "pas."
        )
        return Rejection(*place, column, number, reason, _MENDED, identity)

    def _mark(self, customer: Customer, stated: dict[str, str]) -> None:
        sentences = self._all()
        if customer.contested_by != stated:
            self._marks[customer.pk] = customer.contested_by = stated
        sentences[customer.pk] = contested_sentence(customer)

    def write(self) -> None:
        """Keep on the cards what was found: invoices may come later, in a file of their own."""
        marks = [Customer(pk=key, contested_by=stated) for key, stated in self._marks.items()]
        Customer.objects.bulk_update(marks, ["contested_by"], batch_size=_AT_ONCE)


def _valid(values: Mapping[str, Any]) -> dict[str, str]:
    """The numbers of a row that hold: of a row that is refused, one may be wrong."""
    numbers = {name: str(values.get(name, "")) for name in ("siren", "siret", "vat_identifier")}
    for name, check in (("siren", check_siren), ("siret", check_siret)):
        if check(numbers[name])[1]:
            numbers[name] = ""
    return {name: number for name, number in numbers.items() if number}
