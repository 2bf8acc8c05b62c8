"""The choices of a selection in French sentences: for the list, the bordereau and the script page."""

import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from invoices.exporting.criteria import Criteria, Period, Scope

PERIODS = {
    Period.PREVIOUS_MONTH: gettext_lazy("mois dernier"),
    Period.CURRENT_MONTH: gettext_lazy("mois en cours"),
    Period.SINCE_LAST_EXPORT: gettext_lazy(
        "depuis le dernier export (pas encore exportées, quelle que soit leur date)"
    ),
}


def write_date(day: datetime.date) -> str:
    """``2025-06-07`` as «07/06/2025»."""
    return date_format(day, "d/m/Y")


def describe_dates(start: datetime.date | None, end: datetime.date | None) -> str:
    """«du 01/06/2025 au 30/06/2025», or what remains of it where one end is open."""
    if start and end:
        if start == end:
            return _("le %(day)s") % {"day": write_date(start)}
        return _("du %(start)s au %(end)s") % {"start": write_date(start), "end": write_date(end)}
    if start:
        return _("à partir du %(start)s") % {"start": write_date(start)}
    if end:
        return _("jusqu’au %(end)s") % {"end": write_date(end)}
    return _("toutes les dates")


def describe_period(criteria: Criteria) -> str:
    """The period: «mois dernier (du 01/10/2026 au 31/10/2026)», or its dates alone where it is fixed."""
    if criteria.period == Period.FIXED:
        return describe_dates(criteria.start, criteria.end)
    name = str(PERIODS[criteria.period])
    if criteria.start is None and criteria.end is None:
        return name
    return f"{name} ({describe_dates(criteria.start, criteria.end)})"


def describe_criteria(criteria: Criteria) -> list[tuple[str, str]]:
    """Pairs of heading and sentence, in the order and in the words of the selection screen."""
    scopes = {
        Scope.WITH_CREDENTIALS: _("uniquement les factures des clients ayant des identifiants de connexion"),
        Scope.ALL: _("toutes les factures"),
    }
    kinds = {
        "": _("professionnels et particuliers"),
        str(Customer.Kind.PROFESSIONAL): _("pour les professionnels"),
        str(Customer.Kind.INDIVIDUAL): _("pour les particuliers"),
    }
    exception = (_("Dérogation à la plateforme agréée"), criteria.mail_only_reason)
    return [
        (_("Période d’export"), describe_period(criteria)),
        (_("Sélection des factures"), scopes[criteria.scope]),
        (_("Sélection des pièces"), kinds[criteria.kind]),
        (_("Adresses e-mail"), _describe_addresses(criteria)),
        (_("Identifiants"), _("générés en chemin") if criteria.generate_credentials else _("non générés")),
        (_("Mail au client"), _describe_mail(criteria)),
        *([exception] if criteria.mail_only_reason else []),
    ]


def _describe_addresses(criteria: Criteria) -> str:
    rules = criteria.contacts
    parts = [_("contacts rattachés aux fiches clients") if rules.use_contacts else _("adresse de la fiche client")]
    if rules.require_contact:
        parts.append(_("sans les clients n’ayant pas de contact"))
    if rules.main_contact_only:
        parts.append(_("interlocuteurs principaux seulement"))
    if rules.function.strip():
        parts.append(_("fonction contenant « %(text)s »") % {"text": rules.function.strip()})
    return ", ".join(parts)


def _describe_mail(criteria: Criteria) -> str:
    if not criteria.notify:
        return _("aucun")
    parts = [_("un seul par client") if criteria.one_mail_per_customer else _("un par facture")]
    parts.append(_("avec le PDF joint") if criteria.attach_pdf else _("sans pièce jointe"))
    return ", ".join(parts)
