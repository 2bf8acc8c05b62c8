"""The HTTP server of a simulated platform: flows, directory, tokens, callbacks.

It listens on this machine only. What it takes and answers is described in ``invoices/platforms/openapi.yaml``.
"""

import datetime
import hashlib
import json
import logging
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import requests

from invoices.formats.cdar_writer import BUYER, PLATFORM, SELLER, StatusParty, StatusToWrite, write_status
from invoices.formats.rules import RuleChecker
from invoices.platforms.callbacks import sign_standard
from invoices.platforms.simulated.book import Book
from invoices.platforms.simulated.faults import Fault, Faults
from invoices.platforms.simulated.judge import Judgement, judge_invoice, judge_status

logger = logging.getLogger(__name__)

_LABELS: Final = {"200": "Déposée", "202": "Reçue", "203": "Mise à disposition", "213": "Rejetée"}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a simulated platform is reached and behaves."""

    client_id: str = "portail"
    client_secret: str = "simulation"  # noqa: S105 - of a platform that exists on this machine only
    judges: bool = True
    """Whether schema and rules are run; without, invoices are taken as they are."""
    knows_everybody: bool = False
    """Whether a buyer's address need not be in the directory."""
    retry_after: int = 1


class SimulatedPlatform(ThreadingHTTPServer):
    """The server, and the thread that judges what was taken."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        book: Book,
        faults: Faults,
        settings: Settings,
    ) -> None:
        super().__init__(address, handler)
        self.book = book
        self.faults = faults
        self.settings = settings
        self._checker = RuleChecker(french_rules=True) if settings.judges else None
        self._ends = threading.Event()
        self._work = threading.Event()
        self._judge = threading.Thread(target=self._judge_for_ever, daemon=True)
        self._judge.start()

    @property
    def url(self) -> str:
        """The address of the server."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def server_close(self) -> None:
        """End the thread too."""
        self._ends.set()
        self._work.set()
        self._judge.join(timeout=10)
        super().server_close()
        self.book.close()
        if self._checker is not None:
            self._checker.close()

    def wake(self) -> None:
        """There is something to judge."""
        self._work.set()

    def _judge_for_ever(self) -> None:
        while not self._ends.is_set():
            try:
                rows = self.book.unjudged()
                for row in rows:
                    self._take_up(row)
                for is_spoilt in sorted({row["fault"] == Fault.BAD_SIGNATURE for row in rows}):
                    self._call_back(is_spoilt=is_spoilt)
            except Exception:
                logger.exception("The simulated platform could not judge a flow")
                rows = []
            if not rows:
                self._work.wait(1.0)
                self._work.clear()

    def _take_up(self, row: Any) -> None:
        if row["fault"] == Fault.WRONG_HASH or hashlib.sha256(row["content"]).hexdigest() != row["sha256"] != "":
            self._refuse(row["id"], "CHECKSUM_MISMATCH", "L’empreinte du fichier n’est pas celle annoncée.")
            return
        if row["syntax"] == "CDAR":
            problem = judge_status(row["content"])
            if problem:
                self._refuse(row["id"], "REJ_SEMAN", problem)
            else:
                self.book.answer_flow(row["id"], "Ok", [])
            return
        if row["syntax"] == "FRR":
            self.book.answer_flow(row["id"], "Ok", [])
            return
        self._judge_invoice(row)

    def _judge_invoice(self, row: Any) -> None:
        found = judge_invoice(row["content"], row["syntax"], self._checker)
        with self.book.at_once():
            self._answer(row, found)

    def _answer(self, row: Any, found: Judgement) -> None:
        """Accept or reject an invoice that was looked at, and report it."""
        settings = self.settings
        identity = f"{found.seller}/{found.number}/{found.issue_date[:4]}"
        code, reason = found.reason_code, found.reason
        if not code and self.book.is_known(identity):
            code, reason = "DOUBLON", "Cette facture a déjà été déposée."
        if not code and not settings.knows_everybody and not self._is_reached(found.address):
            code, reason = "REJ_ADR", f"L’adresse {found.address or '(absente)'} n’est pas dans l’annuaire."
        if not code and row["fault"] == Fault.REJECTED:
            code, reason = "REJ_SEMAN", "Rejet simulé : une règle de gestion n’est pas respectée."
        if code:
            self._refuse(row["id"], code, reason)
            self._add_platform_status(found, "213", code, reason)
            return
        self.book.answer_flow(row["id"], "Ok", [], identity)
        copies = 2 if row["fault"] == Fault.DUPLICATE else 1
        for status in ("200", "202", "203"):
            for _copy in range(copies):
                self._add_platform_status(found, status)
        if row["fault"] == Fault.LATE_REJECTION:
            self._add_platform_status(found, "213", "DOUBLON", "Cette facture a déjà été déposée.")

    def _is_reached(self, address: str) -> bool:
        lines = self.book.lines(address[:9])
        return any(
            line["addressingIdentifier"] == address and line.get("directoryLineStatus") == "Enabled" for line in lines
        )

    def _refuse(self, identifier: str, code: str, reason: str) -> None:
        detail = {"level": "Error", "item": "file", "reasonCode": code, "reasonMessage": reason}
        self.book.answer_flow(identifier, "Error", [detail])

    def add_status(self, found: Judgement, code: str, label: str, reason_code: str = "", reason: str = "") -> None:
        """Write a message of the life cycle of an invoice, as the buyer or the platform would."""
        if not found.number or not found.seller or not found.issue_date:
            return
        now = datetime.datetime.now(datetime.UTC)
        platform = StatusParty(siren="999999998", name="Plateforme simulée", role=PLATFORM)
        buyer = StatusParty(siren=found.buyer, name=found.buyer_name, role=BUYER)
        message = StatusToWrite(
            message_id=f"{found.number}_{code}_{now:%Y%m%d%H%M%S}_{secrets.token_hex(3)}",
            written_at=now,
            issuer=platform if code in _LABELS else buyer,
            recipient=StatusParty(siren=found.seller, name=found.seller_name, role=SELLER, address=found.seller),
            code=code,
            label=label,
            at=now,
            number=found.number,
            type_code=found.type_code,
            issue_date=datetime.date.fromisoformat(found.issue_date),
            seller_siren=found.seller,
            reason_code=reason_code,
            reason=reason,
        )
        self.book.add_flow(
            status="Ok",
            content=write_status(message),
            is_judged=True,
            name=f"{code}.xml",
            syntax="CDAR",
            kind="CustomerInvoiceLC",
            direction="In",
            rule="NotApplicable",
        )

    def answer_as_buyer(self, found: Judgement, code: str, label: str, reason_code: str, reason: str) -> None:
        """Write the message of a buyer's answer, and call back."""
        self.add_status(found, code, label, reason_code, reason)
        self._call_back(is_spoilt=False)

    def _add_platform_status(self, found: Judgement, code: str, reason_code: str = "", reason: str = "") -> None:
        self.add_status(found, code, _LABELS[code], reason_code, reason)

    def _call_back(self, *, is_spoilt: bool) -> None:
        """Notify the portal that there is something new, signed as Standard Webhooks are."""
        url, secret = self.book.callback_target()
        if not url:
            return
        body = json.dumps({"type": "flow.updated"}).encode()
        identifier, moment = f"msg_{secrets.token_hex(8)}", str(int(time.time()))
        signature = sign_standard(f"{secret}BAD" if is_spoilt else secret, identifier, moment, body)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": identifier,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{signature}",
        }
        answer = 0
        try:
            answer = requests.post(url, data=body, headers=headers, timeout=5, allow_redirects=False).status_code
        except requests.RequestException as problem:
            logger.info("The callback was not taken: %s", problem)
        self.book.note_callback(is_spoilt=is_spoilt, answer=answer)
