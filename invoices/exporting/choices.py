"""The choices of a selection, each declared once: the screen, the command line and the sentences are loops over them.

A new choice is a field of :class:`~invoices.exporting.criteria.Criteria` (or of its rules about contacts) and an entry
of :data:`CHOICES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.recipients import ContactRules
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.criteria_text import PERIODS, describe_period

type Text = str | Promise


class Kind(Enum):
    """What is chosen, hence the field of a form and the option of a command."""

    FLAG = "flag"
    TEXT = "text"
    DAY = "day"
    ONE_OF = "one_of"


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: where its value is, what the screen and the command say of it, and how a list sums it up."""

    path: str
    """The attribute of :class:`Criteria`, ``contacts.function`` for one of its rules about contacts."""
    kind: Kind
    heading: Text
    """What it is about, in a list of the choices made."""
    label: Text
    option_help: str
    say: Callable[[Criteria], str]
    """A part of the sentence under ``heading``; empty where there is nothing to say."""
    help_text: Text = ""
    values: tuple[tuple[str, Text], ...] = ()
    max_length: int | None = None
    needs: str = ""
    """The name of a choice that must be ticked as well."""

    @property
    def name(self) -> str:
        """The name of the form's field."""
        return self.path.rpartition(".")[2]

    @property
    def option(self) -> str:
        """The option of the command line."""
        return "--" + self.name.replace("_", "-")

    def read(self, criteria: Criteria) -> Any:
        """The value in ``criteria``."""
        return getattr(criteria.contacts if self.path.startswith("contacts.") else criteria, self.name)


_PERIOD = gettext_lazy("Période d’export")
_ADDRESSES = gettext_lazy("Adresses e-mail")
_MAIL = gettext_lazy("Mail au client")
_SCOPES = {
    str(Scope.WITH_CREDENTIALS): gettext_lazy(
        "Uniquement les factures des clients ayant des identifiants de connexion"
    ),
    str(Scope.ALL): gettext_lazy("Toutes les factures"),
}
_KINDS = {
    str(Customer.Kind.PROFESSIONAL): gettext_lazy("Pour les « professionnels »"),
    str(Customer.Kind.INDIVIDUAL): gettext_lazy("Pour les « particuliers »"),
    "": gettext_lazy("Les deux"),
}
_KINDS_SAID = {
    str(Customer.Kind.PROFESSIONAL): gettext_lazy("pour les professionnels"),
    str(Customer.Kind.INDIVIDUAL): gettext_lazy("pour les particuliers"),
    "": gettext_lazy("professionnels et particuliers"),
}


def _say_nothing(_criteria: Criteria) -> str:
    """What another choice under the same heading says already."""
    return ""


def _say_function(criteria: Criteria) -> str:
    text = criteria.contacts.function.strip()
    return _("fonction contenant « %(text)s »") % {"text": text} if text else ""


CHOICES: tuple[Choice, ...] = (
    Choice(
        "period",
        Kind.ONE_OF,
        _PERIOD,
        _PERIOD,
        "période relative",
        describe_period,
        values=tuple((str(period), label) for period, label in PERIODS.items()),
    ),
    Choice("start", Kind.DAY, _PERIOD, gettext_lazy("Début"), "date de facture, début inclus", _say_nothing),
    Choice("end", Kind.DAY, _PERIOD, gettext_lazy("Fin"), "date de facture, fin incluse", _say_nothing),
    Choice(
        "scope",
        Kind.ONE_OF,
        gettext_lazy("Sélection des factures"),
        gettext_lazy("Sélection des factures"),
        "clients ayant des identifiants (défaut), ou toutes les factures",
        lambda criteria: str(_SCOPES[criteria.scope])[:1].lower() + str(_SCOPES[criteria.scope])[1:],
        values=tuple(_SCOPES.items()),
    ),
    Choice(
        "kind",
        Kind.ONE_OF,
        gettext_lazy("Sélection des pièces"),
        gettext_lazy("Sélection des pièces"),
        "professionnels ou particuliers seulement",
        lambda criteria: str(_KINDS_SAID[criteria.kind]),
        values=tuple(_KINDS.items()),
    ),
    Choice(
        "contacts.use_contacts",
        Kind.FLAG,
        _ADDRESSES,
        gettext_lazy("Sélectionner les adresses mail des contacts rattachés aux fiches clients"),
        "adresses des contacts rattachés",
        lambda criteria: (
            _("contacts rattachés aux fiches clients")
            if criteria.contacts.use_contacts
            else _("adresse de la fiche client")
        ),
    ),
    Choice(
        "contacts.require_contact",
        Kind.FLAG,
        _ADDRESSES,
        gettext_lazy("Ne pas faire apparaître les clients n’ayant pas de contacts"),
        "écarter les clients sans contact retenu",
        lambda criteria: _("sans les clients n’ayant pas de contact") if criteria.contacts.require_contact else "",
    ),
    Choice(
        "contacts.main_contact_only",
        Kind.FLAG,
        _ADDRESSES,
        gettext_lazy("Sélectionner seulement les contacts « interlocuteur principal »"),
        "seulement l’interlocuteur principal",
        lambda criteria: _("interlocuteurs principaux seulement") if criteria.contacts.main_contact_only else "",
    ),
    Choice(
        "contacts.function",
        Kind.TEXT,
        _ADDRESSES,
        gettext_lazy("Filtrer les contacts dont la fonction contient"),
        "contacts dont la fonction contient ce texte",
        _say_function,
        gettext_lazy("Majuscules et accents ne comptent pas. Exemple : « compta »."),
        max_length=200,
    ),
    Choice(
        "generate_credentials",
        Kind.FLAG,
        gettext_lazy("Identifiants"),
        gettext_lazy("Générer les identifiants de connexion à l’espace client"),
        "générer les identifiants manquants",
        lambda criteria: _("générés en chemin") if criteria.generate_credentials else _("non générés"),
    ),
    Choice(
        "notify",
        Kind.FLAG,
        _MAIL,
        gettext_lazy("Accompagner la mise à jour de l’espace client d’un mail pour avertir le client"),
        "avertir par mail",
        lambda criteria: "" if criteria.notify else _("aucun"),
    ),
    Choice(
        "one_mail_per_customer",
        Kind.FLAG,
        _MAIL,
        gettext_lazy("Un seul mail par client"),
        "un seul mail par client",
        lambda criteria: _("un seul par client") if criteria.one_mail_per_customer else _("un par facture"),
        gettext_lazy("Toutes ses factures du même export ; au-delà d’une certaine taille, le lien seul."),
        needs="notify",
    ),
    Choice(
        "attach_pdf",
        Kind.FLAG,
        _MAIL,
        gettext_lazy("Joindre le PDF de la facture au mail envoyé"),
        "joindre le PDF au mail",
        lambda criteria: _("avec le PDF joint") if criteria.attach_pdf else _("sans pièce jointe"),
        needs="notify",
    ),
    Choice(
        "mail_only_reason",
        Kind.TEXT,
        gettext_lazy("Dérogation à la plateforme agréée"),
        gettext_lazy("Dérogation à la plateforme agréée : motif"),
        "envoyer par mail seulement ce qui doit passer par une plateforme agréée, pour cette raison (gardée)",
        lambda criteria: criteria.mail_only_reason,
        gettext_lazy(
            "À remplir seulement pour envoyer par mail des factures que la loi destine à une plateforme agréée. "
            "Le motif est gardé avec l’export."
        ),
        max_length=500,
    ),
)
"""In the order of the screen."""

CHOICE_BY_NAME = {choice.name: choice for choice in CHOICES}


def values_of(criteria: Criteria) -> dict[str, Any]:
    """What a form shows for ``criteria``, by the names of the choices: a relative period shows no days."""
    values = {choice.name: _plain(choice.read(criteria)) for choice in CHOICES}
    if criteria.period != Period.FIXED:
        values |= {choice.name: None for choice in CHOICES if choice.kind == Kind.DAY}
    return values


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def criteria_of(values: Mapping[str, Any]) -> Criteria:
    """The criteria of values by the names of the choices; what is empty is as if nothing had been chosen.

    Raises ValueError as :class:`Criteria` does.
    """
    chosen = {
        name: values[name].strip() if choice.kind == Kind.TEXT else values[name]
        for name, choice in CHOICE_BY_NAME.items()
        if values.get(name)
    }
    rules = {item.name: chosen.pop(item.name) for item in fields(ContactRules) if item.name in chosen}
    if "period" in chosen:
        chosen["period"] = Period(chosen["period"])
    if "scope" in chosen:
        chosen["scope"] = Scope(chosen["scope"])
    return Criteria(**chosen, contacts=ContactRules(**rules))


def describe_criteria(criteria: Criteria) -> list[tuple[str, str]]:
    """Pairs of heading and sentence, in the order and in the words of the selection screen."""
    said: dict[str, list[str]] = {}
    for choice in CHOICES:
        is_idle = choice.needs and not CHOICE_BY_NAME[choice.needs].read(criteria)
        part = "" if is_idle else choice.say(criteria)
        if part:
            said.setdefault(str(choice.heading), []).append(part)
    return [(heading, ", ".join(parts)) for heading, parts in said.items()]
