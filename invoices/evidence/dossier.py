"""*Dossier de preuve*: what the portal knows of one invoice as a ZIP, with a program that verifies it without us."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from invoices.evidence import verifier
from invoices.exporting.report import exports_of, outcome_words
from invoices.models import Delivery, Invoice
from mailing.evidence import mails_as_evidence
from mailing.trail.actions import Action
from mailing.trail.evidence import as_evidence, chains_to_roots, entries_about
from mailing.trail.recording import record

_CHUNK: Final = 256 * 1024


class _Dossier:
    """A ZIP that remembers the SHA-256 of each file in it."""

    def __init__(self, file: BinaryIO) -> None:
        self.archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.fingerprints: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        """Put a small file."""
        self.archive.writestr(name, content)
        self.fingerprints[name] = hashlib.sha256(content).hexdigest()

    def add_json(self, name: str, value: Any) -> None:
        """Put plain values, readable."""
        self.add(name, json.dumps(value, ensure_ascii=False, indent=1, default=_plain).encode())

    def add_stored(self, name: str, storage_name: str) -> bool:
        """Put a stored file in pieces; False where the store does not hold it any more."""
        digest = hashlib.sha256()
        try:
            with default_storage.open(storage_name) as source, self.archive.open(name, "w") as target:
                for chunk in source.chunks(_CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
        except FileNotFoundError:
            return False
        self.fingerprints[name] = digest.hexdigest()
        return True


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def write_dossier(invoice: Invoice, file: BinaryIO) -> str:
    """Write the dossier of ``invoice`` into ``file``; the SHA-256 of its table of fingerprints, which the trail keeps.

    One document at a time is in memory. A document that the store has lost is named in ``documents.json``.
    """
    dossier = _Dossier(file)
    with dossier.archive:
        dossier.add("verifier.py", Path(verifier.__file__).read_bytes())
        dossier.add("LISEZ-MOI.txt", _read_me(invoice).encode("utf-8-sig"))
        dossier.add_json("facture.json", _facts(invoice))
        dossier.add_json("documents.json", list(_add_documents(dossier, invoice)))
        mails = Delivery.objects.filter(item__invoice=invoice).order_by().values_list("message", flat=True)
        dossier.add_json("mails.json", mails_as_evidence(mails))
        dossier.add_json(
            "consultations.json", list(invoice.consultations.order_by("at").values("at", "login", "channel"))
        )
        dossier.add_json("exports.json", _exports(invoice))
        dossier.add_json("cycle_de_vie.json", _life(invoice))
        _add_trail(dossier, invoice)
        table = json.dumps(dossier.fingerprints, ensure_ascii=False, indent=1).encode()
        dossier.archive.writestr("empreintes.json", table)
    sha256 = hashlib.sha256(table).hexdigest()
    record(Action.PROOF_EXPORTED, invoice, details={"number": invoice.number, "sha256": sha256})
    return sha256


def _add_documents(dossier: _Dossier, invoice: Invoice) -> Any:
    for document in invoice.documents.order_by("role", "version"):
        name = f"documents/{Path(invoice.pdf_filename).stem}-v{document.version}.{document.role}"
        yield {
            "fichier": name if dossier.add_stored(name, document.storage_name) else "",
            "version": document.version,
            "sha256": document.sha256,
            "octets": document.size,
            "fige_le": document.created_at,
            "origine": str(document.get_source_display()),
            "profil": document.profile,
            "sha256_du_xml": document.xml_sha256,
            "motif": document.reason,
            "par": document.author_name,
            "en_vigueur": document.pk == invoice.document_id,
        }


def _facts(invoice: Invoice) -> dict[str, Any]:
    return {
        "numero": invoice.number,
        "nature": str(invoice.get_kind_display()),
        "societe": {"nom": invoice.company.name, "siren": invoice.company.siren},
        "client": {"code": invoice.customer.code, "nom": invoice.customer.name},
        "commande": invoice.purchase_order_reference,
        "date": invoice.issue_date,
        "echeance": invoice.due_date,
        "total_ht": invoice.total_without_vat,
        "tva": invoice.total_vat,
        "total_ttc": invoice.total_with_vat,
        "net_a_payer": invoice.amount_due,
        "devise": invoice.currency,
        "origine": str(invoice.get_origin_display()),
        "importee_le": invoice.imported_at,
        "publiee_le": invoice.published_at,
        "consultee_le": invoice.first_consulted_at,
        "corrige": invoice.corrects.number if invoice.corrects else None,
    }


def _exports(invoice: Invoice) -> list[dict[str, Any]]:
    return [
        {
            "numero": line.item.export.number,
            "par": line.item.export.author_name,
            "cree_le": line.item.export.created_at,
            "fini_le": line.item.finished_at,
            "issue": outcome_words(line),
        }
        for line in exports_of(invoice)
    ]


def _life(invoice: Invoice) -> dict[str, Any]:
    return {
        "remises": list(invoice.handovers.values("at", "platform", "filename", "author_name")),
        "depots": list(
            invoice.submissions.values("platform__name", "state", "flow_id", "sha256", "sent_at", "answered_at")
        ),
        "statuts": list(invoice.statuses.values("at", "code", "reason", "source", "author_name")),
        "encaissements": list(invoice.payments.values("date", "amount", "source", "author_name")),
    }


def _add_trail(dossier: _Dossier, invoice: Invoice) -> None:
    entries = list(entries_about(invoice))
    dossier.add_json("piste.json", as_evidence(entries))
    chains = []
    for chain, stamp in chains_to_roots(entries):
        name = f"horodatages/{chain['day']}"
        if stamp is not None:
            dossier.add(f"{name}.tsr", stamp)
            dossier.add(f"{name}.txt", chain["root"].encode())
        chains.append({**chain, "stamp": f"{name}.tsr" if stamp is not None else ""})
    dossier.add_json("chaines.json", chains)


def _read_me(invoice: Invoice) -> str:
    return _(
        "Dossier de preuve : %(invoice)s.\r\n\r\n"
        "documents/         les fichiers figés, toutes versions, tels que le client les a reçus\r\n"
        "documents.json     leurs empreintes SHA-256, écrites au moment où ils ont été figés\r\n"
        "mails.json         les mails, la réponse du serveur qui les a reçus, leurs pièces jointes\r\n"
        "consultations.json qui a ouvert la facture dans son espace, et quand\r\n"
        "exports.json, cycle_de_vie.json   exports, remises, statuts, encaissements\r\n"
        "piste.json         les entrées de la piste d’audit, chacune avec son maillon\r\n"
        "chaines.json, horodatages/        de chaque entrée à la racine d’un jour, et son horodatage (RFC 3161)\r\n"
        "empreintes.json    l’empreinte de chaque fichier ; la sienne est dans la piste d’audit du portail\r\n\r\n"
        "Vérifier, dans le dossier décompressé, sans le portail : python3 verifier.py [racines.pem]\r\n"
    ) % {"invoice": invoice}
