"""One person: all that is known of an account, and what is forgotten of it on demand (RGPD, articles 15, 17 and 20)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Account, Contact, Customer
from customers.retention import anonymise_account
from invoices.models import Consultation, Invoice
from invoices.retention import rename_reader
from mailing.outbox import messages_to
from mailing.trail.evidence import entries_by
from portal.models import Session
from portal.sessions import open_sessions

# What an erasure leaves, and why it may (RGPD, article 17.3 b and e).
KEPT: Final = (
    (_("les factures et leurs documents"), _("dix ans (C. com. art. L123-22) et six ans (LPF art. L102 B)")),
    (_("la fiche client et l’adresse de facturation"), _("mentions de la facture (CGI ann. II art. 242 nonies A)")),
    (_("les entrées de la piste d’audit, sans la personne"), _("piste d’audit fiable (CGI art. 289 VII 1°)")),
    (_("les mails partis, sans texte ni adresse"), _("preuve de l’envoi (RGPD art. 17.3 e)")),
)
ARTICLE: Final = _(
    "RGPD art. 17.3 b et e : le droit à l’effacement ne s’applique pas à ce que la loi impose de conserver."
)


def data_of(owner: Account) -> dict[str, Any]:
    """What the portal knows of ``owner``: right of access and portability (RGPD, articles 15 and 20)."""
    return {
        "compte": _account(owner),
        "clients": _customers(owner),
        "fournisseurs d’identité": list(owner.identities.order_by("pk").values("issuer", "subject", "created_at")),
        "contacts": _contacts(owner),
        "factures": _invoices(owner),
        "consultations": list(
            Consultation.objects.filter(account=owner).order_by("-at").values("invoice__number", "channel", "at")
        ),
        "mails": [
            {"objet": each.subject, "texte": each.text, "écrit le": each.created_at, "état": each.label}
            for each in messages_to([owner.login], limit=5000)
        ],
        "sessions": [
            {"appareil": each.device, "ouverte le": each.opened_at, "vue le": each.seen_at}
            for each in open_sessions(owner)
        ],
        "piste d’audit": [
            {"acte": entry.action_name, "le": entry.at, "objet": f"{entry.object_type} {entry.object_id}".strip()}
            for entry in entries_by(owner.pk)[:5000]
        ],
    }


def _account(owner: Account) -> dict[str, Any]:
    return {
        "identifiant": owner.login,
        "nom": owner.name,
        "créé le": owner.created_at,
        "dernière connexion": owner.last_login,
        "mot de passe choisi le": owner.password_changed_at,
        "identifiants envoyés le": owner.credentials_sent_at,
        "mail à chaque facture": owner.notify_by_mail,
        "langue": owner.language,
    }


def _customers(owner: Account) -> list[dict[str, Any]]:
    return [
        {
            "code": each.code,
            "nom": each.name,
            "e-mail": each.email,
            "adresse": [each.address, each.address_complement, each.postcode, each.city, each.country],
            "téléphone": each.phone,
            "SIREN": each.siren,
            "n° de TVA": each.vat_identifier,
        }
        for each in Customer.objects.filter(accesses__account=owner).order_by("code")
    ]


def _contacts(owner: Account) -> list[Mapping[str, object]]:
    """The contacts of the customers that ``owner`` sees who have the same address: the person, not colleagues."""
    return list(
        Contact.objects.filter(customer__accesses__account=owner, email__iexact=owner.login)
        .order_by("customer__code")
        .values("customer__code", "name", "function", "email", "is_main")
    )


def _invoices(owner: Account) -> list[Mapping[str, object]]:
    return list(
        Invoice.objects.visible_to(owner)
        .order_by("-issue_date", "-number")
        .values("number", "kind", "issue_date", "due_date", "total_with_vat", "currency", "customer__code")
    )


@dataclass(slots=True)
class ErasureReport:
    """What was forgotten of a person, by kind, and the account number that stays."""

    account: int
    counts: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values, with what stays and why."""
        return {
            "account": self.account,
            "erased": self.counts,
            "kept": [{"what": str(what), "ground": str(ground)} for what, ground in KEPT],
            "article": str(ARTICLE),
        }


@transaction.atomic
def erase_person(account: Account) -> ErasureReport:
    """Forget whose ``account`` is wherever it is written, except in what the law has kept."""
    report = ErasureReport(account.pk)
    former = account.login
    report.counts["consultations"] = Consultation.objects.filter(account=account).count()
    report.counts["mails"] = anonymise_account(account=account)
    account.refresh_from_db()
    rename_reader(account, former=former)
    about = Q(object_repr__contains=former) | Q(change_message__contains=former)
    report.counts["history"] = LogEntry.objects.filter(about).delete()[0]
    report.counts["sessions"] = Session.objects.filter(account=account).delete()[0]
    tries = (AccessAttempt, AccessFailureLog, AccessLog)
    report.counts["sign-ins"] = sum(model.objects.filter(username=former).delete()[0] for model in tries)
    return report
