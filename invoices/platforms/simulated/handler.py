"""The requests of a simulated platform: flows, directory, tokens, and what a simulation is asked to do."""

import base64
import binascii
import email.parser
import email.policy
import json
import logging
import re
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from invoices.platforms.simulated.asked import (
    DOCUMENTS,
    MOST_RESULTS,
    NoAnswerError,
    RefusalError,
    checked_filter,
    checked_info,
    checked_where,
    json_object,
    whole_number,
)
from invoices.platforms.simulated.book import Book
from invoices.platforms.simulated.faults import Fault, Faults
from invoices.platforms.simulated.judge import judge_invoice
from invoices.platforms.simulated.page import ANSWERS, write_page
from invoices.platforms.simulated.server import Settings, SimulatedPlatform

logger = logging.getLogger(__name__)

TOKEN_SECONDS: Final = 600
MOST_BYTES: Final = 30 * 1024 * 1024
HTML: Final = "text/html; charset=utf-8"
_FLOW: Final = "/afnor-flow/v1"
_DIRECTORY: Final = "/afnor-directory/v1"


def open_platform(address: tuple[str, int], book: Book, faults: Faults, settings: Settings) -> SimulatedPlatform:
    """A simulated platform that listens on ``address``; ``serve_forever`` lets it answer."""
    return SimulatedPlatform(address, _Handler, book, faults, settings)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: SimulatedPlatform
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """To the log, not to the terminal."""
        logger.debug(format, *args)

    def do_GET(self) -> None:
        """Read."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Give or search."""
        self._answer("POST")

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked («do_DELETE»…): answered, by 405 where the address is known."""
        if name.startswith("do_"):
            return lambda: self._answer(self.command)
        raise AttributeError(name)

    def _answer(self, method: str) -> None:
        try:
            status, body, kind = self._dispatch(method)
            self._send(status, body, kind)
        except RefusalError as refusal:
            if self._is_form and self.path.startswith("/simulation"):
                page = write_page(self.server.book, refusal.message)
                self._send(refusal.status, page.encode(), HTML)
                return
            problem = json.dumps({"errorCode": refusal.code, "errorMessage": refusal.message}, ensure_ascii=False)
            self._send(refusal.status, problem.encode(), "application/json", refusal.headers)
        except NoAnswerError:
            self.close_connection = True
            self.connection.close()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if body or status not in (204, 304):
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _dispatch(self, method: str) -> tuple[int, bytes, str]:
        split = urlsplit(self.path)
        path = split.path
        content = self._body()
        routes: dict[str, dict[str, Any]] = {
            "/oauth2/token": {"POST": lambda: self._token(content)},
            f"{_FLOW}/healthcheck": {"GET": lambda: (200, {"status": "ok"})},
            f"{_FLOW}/flows": {"POST": lambda: self._submit(content)},
            f"{_FLOW}/flows/search": {"POST": lambda: self._search(content)},
            f"{_DIRECTORY}/directory-line/search": {"POST": lambda: self._lines(content)},
            "/": {"GET": lambda: (200, write_page(self.server.book))},
            "/simulation/callbacks": {"POST": lambda: self._call_back_to(content)},
            "/simulation/faults": {"POST": lambda: self._ask_for_fault(content)},
            "/simulation/status": {"POST": lambda: self._answer_as_buyer(content)},
            "/simulation/counts": {"GET": lambda: (200, self.server.book.counts())},
        }
        if path not in routes and path.startswith(f"{_FLOW}/flows/"):
            identifier = unquote(path.removeprefix(f"{_FLOW}/flows/"))
            routes[path] = {"GET": lambda: self._flow(identifier, parse_qs(split.query, keep_blank_values=True))}
        if path.startswith(f"{_DIRECTORY}/siren/code-insee:"):
            siren = unquote(path.rpartition(":")[2])
            routes[path] = {"GET": lambda: self._siren(siren)}
        if path not in routes:
            raise RefusalError(404, "NOT_FOUND", "Cette adresse n’existe pas.")
        if method not in routes[path]:
            allowed = {"Allow": ", ".join(routes[path])}
            raise RefusalError(405, "METHOD_NOT_ALLOWED", "Cette méthode n’est pas prévue ici.", allowed)
        if path.startswith(("/afnor-flow", "/afnor-directory")):
            self._check_token()
        if path.startswith("/simulation"):
            self._check_origin()
        status, answer = routes[path][method]()
        if method == "POST" and self._is_form and path.startswith("/simulation"):
            return 200, write_page(self.server.book, "C’est noté.").encode(), HTML
        if isinstance(answer, str):
            return status, answer.encode(), HTML
        if isinstance(answer, bytes):
            return status, answer, "application/octet-stream"
        return status, b"" if answer is None else json.dumps(answer, ensure_ascii=False).encode(), "application/json"

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            self.close_connection = True
            raise RefusalError(400, "BAD_REQUEST", "La longueur du corps n’est pas lisible.")
        if int(length) > MOST_BYTES:
            self.close_connection = True
            raise RefusalError(413, "TOO_LARGE", "Le fichier est trop volumineux.")
        return self.rfile.read(int(length))

    # Tokens.

    def _token(self, content: bytes) -> tuple[int, Any]:
        form = parse_qs(content.decode("utf-8", "replace"))
        given = (form.get("client_id", [""])[0], form.get("client_secret", [""])[0])
        scheme, _space, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                name = secret = ""
            given = (unquote(name), unquote(secret))
        settings = self.server.settings
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        if given != (settings.client_id, settings.client_secret):
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(24)
        self.server.book.add_token(token, time.time() + TOKEN_SECONDS)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}

    def _check_token(self) -> None:
        scheme, _space, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.server.book.lets_in(token, time.time()):
            headers = {"WWW-Authenticate": "Bearer"}
            raise RefusalError(401, "UNAUTHORIZED", "Le jeton manque ou n’est plus valable.", headers)

    # Flows.

    def _submit(self, content: bytes) -> tuple[int, Any]:
        info, name, file = self._parts(content)
        values = checked_info(info)
        fault = self.server.faults.next()
        if fault in (Fault.THROTTLED, Fault.UNAVAILABLE):
            headers = {"Retry-After": str(self.server.settings.retry_after)}
            if fault == Fault.THROTTLED:
                raise RefusalError(429, "TOO_MANY_REQUESTS", "Trop de demandes.", headers)
            raise RefusalError(503, "UNAVAILABLE", "Le service est en maintenance.", headers)
        if fault == Fault.BROKEN:
            raise RefusalError(500, "INTERNAL_ERROR", "Erreur interne.")
        flow = self.server.book.add_flow(
            status="Pending",
            content=file,
            is_judged=False,
            fault=fault or "",
            name=values["name"] or name,
            tracking_id=values["trackingId"],
            syntax=values["flowSyntax"],
            rule=values["processingRule"],
            sha256=values["sha256"],
            direction="Out",
            kind="CustomerInvoiceLC" if values["flowSyntax"] == "CDAR" else "CustomerInvoice",
        )
        self.server.wake()
        if fault == Fault.NO_ANSWER:
            raise NoAnswerError
        return 202, flow

    def _parts(self, content: bytes) -> tuple[dict[str, Any], str, bytes]:
        kind = self.headers.get("Content-Type", "")
        if not kind.lower().startswith("multipart/form-data"):
            raise RefusalError(415, "UNSUPPORTED_MEDIA_TYPE", "Le corps doit être multipart/form-data.")
        head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + content)
        parts = {}
        for part in message.iter_parts() if message.is_multipart() else ():
            payload = part.get_payload(decode=True)
            parts[part.get_param("name", header="content-disposition")] = (
                part.get_filename() or "",
                payload if isinstance(payload, bytes) else b"",
            )
        if "flowInfo" not in parts or "file" not in parts:
            raise RefusalError(400, "BAD_REQUEST", "Les parties « flowInfo » et « file » sont demandées.")
        name, file = parts["file"]
        if not file:
            raise RefusalError(422, "EMPTY_FILE", "Le fichier est vide.")
        return json_object(parts["flowInfo"][1]), name, file

    def _search(self, content: bytes) -> tuple[int, Any]:
        asked = json_object(content)
        where, limit = asked.get("where"), asked.get("limit", 25)
        if not isinstance(where, dict) or set(asked) - {"where", "limit"}:
            raise RefusalError(400, "BAD_REQUEST", "« where » est demandé, « limit » permis.")
        limit = whole_number(limit, 1, MOST_RESULTS)
        if limit is None:
            raise RefusalError(400, "BAD_REQUEST", f"« limit » va de 1 à {MOST_RESULTS}.")
        results = self.server.book.search(checked_where(where), limit)
        return 200, {"limit": limit, "total": len(results), "results": results}

    def _flow(self, identifier: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        kind = query.get("docType", ["Metadata"])
        if len(kind) != 1 or kind[0] not in DOCUMENTS or set(query) - {"docType"}:
            raise RefusalError(400, "BAD_REQUEST", "« docType » vaut Metadata ou Original.")
        flow = self.server.book.flow(identifier)
        if flow is None:
            raise RefusalError(404, "NOT_FOUND", "Ce flux n’existe pas.")
        return 200, flow if kind[0] == "Metadata" else self.server.book.content(identifier)

    # The directory.

    def _lines(self, content: bytes) -> tuple[int, Any]:
        asked = json_object(content)
        filters, limit, ignored = asked.get("filters"), asked.get("limit", 50), asked.get("ignore", 0)
        if not isinstance(filters, dict) or set(filters) - {"siren", "siret"} or not filters:
            raise RefusalError(400, "BAD_REQUEST", "« filters » porte siren, siret ou les deux.")
        wanted = {}
        for name, size in (("siren", 9), ("siret", 14)):
            if name in filters:
                wanted[name] = checked_filter(name, filters[name], size)
        limit, ignored = whole_number(limit, 1, MOST_RESULTS), whole_number(ignored, 0, 10**6)
        if limit is None or ignored is None or set(asked) - {"filters", "limit", "ignore", "include"}:
            raise RefusalError(400, "BAD_REQUEST", "« limit » et « ignore » sont des nombres.")
        included = asked.get("include", [])
        if not isinstance(included, list) or any(each != "routingCode" for each in included):
            raise RefusalError(400, "BAD_REQUEST", "« include » est une liste de « routingCode ».")
        lines = self.server.book.lines(wanted.get("siren", wanted.get("siret", "")[:9]))
        found = [line for line in lines if "siret" not in wanted or line.get("siret") == wanted["siret"]]
        if not found:
            return 204, None
        return 200, {"totalNumberOfResults": len(found), "results": found[ignored : ignored + limit]}

    def _siren(self, siren: str) -> tuple[int, Any]:
        if not re.fullmatch(r"[0-9]{9}", siren):
            raise RefusalError(400, "BAD_REQUEST", "Un SIREN a 9 chiffres.")
        lines = self.server.book.lines(siren)
        if not lines:
            raise RefusalError(404, "NOT_FOUND", "Ce SIREN n’est pas dans l’annuaire.")
        is_closed = all(line.get("directoryLineStatus") != "Enabled" for line in lines)
        return 200, {
            "siren": siren,
            "businessName": lines[0].get("name", ""),
            "administrativeStatus": "C" if is_closed else "A",
        }

    # What a simulation has beside: faults and statuses on demand.

    @property
    def _is_form(self) -> bool:
        """True where the page of the simulation was filled in; programs send JSON."""
        return self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")

    def _check_origin(self) -> None:
        """Other sites' pages cannot speak to a platform on this machine through a visitor's browser."""
        origin = self.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != self.headers.get("Host", ""):
            raise RefusalError(403, "FORBIDDEN", "Cette page n’est pas celle de la simulation.")

    def _asked_of_simulation(self, content: bytes) -> dict[str, Any]:
        """What a person or a program asks of the simulation: a form, or JSON."""
        try:
            return json_object(content)
        except RefusalError:
            if not self._is_form:
                raise
        form = parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in form.items()}

    def _call_back_to(self, content: bytes) -> tuple[int, Any]:
        """Where callbacks go from now on: ``{"url", "secret"}``."""
        asked = self._asked_of_simulation(content)
        url = str(asked.get("url", "")).strip()
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise RefusalError(400, "BAD_REQUEST", "L’adresse des rappels commence par http:// ou https://.")
        self.server.book.call_back_to(url, str(asked.get("secret", "")))
        return 200, {"url": url}

    def _ask_for_fault(self, content: bytes) -> tuple[int, Any]:
        asked = self._asked_of_simulation(content)
        if asked.get("fault") not in list(Fault):
            raise RefusalError(400, "BAD_REQUEST", f"Les pannes connues : {', '.join(Fault)}.")
        count = asked.get("count", 1)
        typed = isinstance(count, str) and count.isascii() and count.isdigit() and len(count) < 5
        count = whole_number(int(count) if typed else count, 1, 1000)
        if count is None:
            raise RefusalError(400, "BAD_REQUEST", "« count » est un nombre de 1 à 1000.")
        self.server.faults.ask_for(Fault(asked["fault"]), count)
        return 200, {"fault": asked["fault"]}

    def _answer_as_buyer(self, content: bytes) -> tuple[int, Any]:
        """The buyer answers: ``{"number", "code", "label", "reasonCode", "reason"}``."""
        asked = {name: str(value) for name, value in self._asked_of_simulation(content).items()}
        for flow in self.server.book.search({"ackStatus": "Ok"}, 10**6):
            if flow["flowDirection"] == "Out" and flow["flowSyntax"] in ("Factur-X", "CII", "UBL"):
                found = judge_invoice(self.server.book.content(flow["flowId"]), flow["flowSyntax"], None)
                if found.number == asked.get("number"):
                    code = asked.get("code", "205")
                    word, usual = ANSWERS.get(code, ("", ""))
                    label, reason_code = asked.get("label", word), asked.get("reasonCode", usual)
                    self.server.answer_as_buyer(found, code, label, reason_code, asked.get("reason", ""))
                    return 200, {"number": found.number}
        raise RefusalError(404, "NOT_FOUND", "Cette facture n’a pas été déposée ici.")
