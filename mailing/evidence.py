"""What proves that a mail left: to whom, when, what the server answered, and which bytes went with it."""

from collections.abc import Iterable
from typing import Any

from mailing.models import Message


def mails_as_evidence(ids: Iterable[Any]) -> list[dict[str, Any]]:
    """The mails ``ids`` as plain values, by the time they were written; their secrets are masked as they are kept."""
    rows = Message.objects.filter(pk__in=list(ids)).order_by("created_at", "pk").prefetch_related("attachments")
    return [
        {
            "message_id": row.message_id,
            "destinataire": row.recipient,
            "expediteur": row.sender,
            "objet": row.subject,
            "texte": row.text,
            "etat": row.state,
            "etat_en_clair": str(row.get_state_display()),
            "reponse_du_serveur": row.reason,
            "code_smtp": row.reply_code,
            "essais": row.attempts,
            "ecrit_le": row.created_at,
            "premier_essai_le": row.first_attempt_at,
            "accepte_par_le_serveur_le": row.accepted_at,
            "revenu_le": row.bounced_at,
            "pieces_jointes": [
                {"nom": each.filename, "sha256": each.sha256, "octets": each.size} for each in row.attachments.all()
            ],
        }
        for row in rows
    ]
