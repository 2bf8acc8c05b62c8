"""The client of the flow and directory services that the norm gives all approved platforms.

What is asked and answered is described in ``openapi.yaml`` beside this module, in our own words, as public clients of
platforms show it by their use. Nothing here knows the database but the row that says how a platform is reached.
"""

import contextlib
import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from django.utils.translation import gettext as _

from invoices.models import Platform
from mailing.json_text import parse_json
from mailing.letters import harmless

CONNECT_SECONDS: Final = 10
ANSWER_SECONDS: Final = 60
LONGEST_REQUEST_SECONDS: Final = CONNECT_SECONDS + ANSWER_SECONDS
PAGE: Final = 100
MOST_PAGES: Final = 1000
LONGEST_PAUSE: Final = 3600.0
DEFAULT_PAUSE: Final = 30.0
_NOT_TAKEN: Final = (400, 404, 409, 413, 415, 422)


class PlatformError(Exception):
    """A platform could not do what was asked; the message is a French sentence."""


class BusyPlatformError(PlatformError):
    """The platform wants to be asked again after ``seconds`` (429, 503): nothing was taken."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class AccessError(PlatformError):
    """The platform does not let us in (401, 403, no token): nothing was taken, and everything else will fail too."""


class FlowRefusedError(PlatformError):
    """The platform does not take this flow (400, 413, 422): sending it again changes nothing."""


class UnknownFateError(PlatformError):
    """No answer, or one that says nothing (5xx): the platform may have taken the flow, or not."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow as the platform describes it."""

    flow_id: str
    tracking_id: str
    syntax: str
    updated_at: datetime.datetime | None
    acknowledgement: str  # "Pending", "Ok", "Error" or nothing
    reason: str  # of an error, as one text: codes and messages
    codes: tuple[str, ...] = ()


class PlatformClient:
    """Talks to one platform; a token is asked for when it is needed and renewed when it has ended."""

    def __init__(self, platform: Platform, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """``answer_seconds``: how long an answer is waited for before the fate of a request counts as unknown."""
        self.platform = platform
        self._timeout = (CONNECT_SECONDS, answer_seconds)
        self._session: OAuth2Session | None = None

    def submit(
        self,
        content: bytes,
        *,
        name: str,
        syntax: str,
        tracking_id: str,
        sha256: str,
        processing_rule: str,
        profile: str = "",
    ) -> Flow:
        """Hand ``content`` over; returns the flow that the platform made of it.

        Raises the errors of this module, of which :class:`UnknownFateError` alone leaves open whether it was taken.
        """
        info = {"flowSyntax": syntax, "name": name, "trackingId": tracking_id, "sha256": sha256}
        if profile:
            info["flowProfile"] = profile
        if self.platform.takes_processing_rule:
            info["processingRule"] = processing_rule
        kind = "application/pdf" if name.endswith(".pdf") else "application/xml"
        files = {
            "flowInfo": (None, json.dumps(info), "application/json"),
            "file": (name, content, kind),
        }
        return _flow(self._json(self._ask("POST", f"{self.platform.flow_url}/v1/flows", files=files)))

    def find_by_tracking_id(self, tracking_id: str, *, since: datetime.datetime) -> list[Flow]:
        """The flows that we submitted under ``tracking_id``: searched for by it, or among all since ``since``."""
        if self.platform.searches_tracking_id:
            found = self._search({"trackingId": tracking_id})
        else:
            found = self.flows_updated_after(since)
        return [flow for flow in found if flow.tracking_id == tracking_id]

    def flows_updated_after(self, moment: datetime.datetime) -> Iterator[Flow]:
        """All flows that changed after ``moment`` (aware), the oldest change first, page by page."""
        return self._search({"updatedAfter": write_moment(moment)})

    def read_file(self, flow_id: str) -> bytes:
        """The file of a flow, as it was given to the platform."""
        address = f"{self.platform.flow_url}/v1/flows/{quote(flow_id, safe='')}"
        return bytes(self._ask("GET", address, params={"docType": "Original"}).content)

    def check_health(self) -> None:
        """Raise the errors of this module where the platform does not answer, or does not let us in."""
        self._ask("GET", f"{self.platform.flow_url}/v1/healthcheck")

    def directory_lines(self, siren: str, siret: str = "") -> list[dict[str, Any]]:
        """The lines of the directory of a SIREN (of one establishment where ``siret`` is given), as they came."""
        filters = {"siren": {"op": "strict", "value": siren}}
        if siret:
            filters["siret"] = {"op": "strict", "value": siret}
        address = f"{self.platform.directory_url}/v1/directory-line/search"
        found: list[dict[str, Any]] = []
        for _page in range(MOST_PAGES):
            body = {"filters": filters, "limit": PAGE, "ignore": len(found), "include": ["routingCode"]}
            answer = self._ask("POST", address, json=body)
            results = [] if answer.status_code == 204 else self._json(answer).get("results") or []
            found += [line for line in results if isinstance(line, dict)]
            if len(results) < PAGE:
                break
        return found

    def legal_unit(self, siren: str) -> dict[str, Any] | None:
        """What the directory says of a SIREN; None where it does not know it."""
        try:
            answer = self._ask("GET", f"{self.platform.directory_url}/v1/siren/code-insee:{siren}")
        except FlowRefusedError:
            return None
        return self._json(answer)

    def _search(self, where: dict[str, Any]) -> Iterator[Flow]:
        address = f"{self.platform.flow_url}/v1/flows/search"
        seen: set[str] = set()
        for _page in range(MOST_PAGES):
            results = self._json(self._ask("POST", address, json={"limit": PAGE, "where": where})).get("results")
            flows = [_flow(result) for result in results or [] if isinstance(result, dict)]
            news = [flow for flow in flows if flow.flow_id not in seen]
            yield from news
            seen.update(flow.flow_id for flow in news)
            last = max((flow.updated_at for flow in flows if flow.updated_at), default=None)
            # The next page is asked for by the last change: those that changed at the same moment come again.
            if len(flows) < PAGE or not news or last is None:
                return
            where = {**where, "updatedAfter": write_moment(last - datetime.timedelta(milliseconds=1))}

    def _ask(self, method: str, address: str, **options: Any) -> requests.Response:
        """An answer below 400; otherwise what it means as one of the errors of this module."""
        answer = self._send(method, address, **options)
        if answer.status_code == 401:
            # The token may have ended before its time: once more with a new one.
            self._session = None
            answer = self._send(method, address, **options)
        if answer.status_code < 400:
            return answer
        said = _words_of(answer)
        if answer.status_code in (401, 403):
            raise AccessError(_("La plateforme refuse l’accès (%(said)s).") % {"said": said})
        if answer.status_code in (429, 503):
            seconds = _retry_after(answer.headers.get("Retry-After", ""))
            raise BusyPlatformError(_("La plateforme demande d’attendre (%(said)s).") % {"said": said}, seconds)
        if answer.status_code in _NOT_TAKEN:
            raise FlowRefusedError(said)
        raise UnknownFateError(_("La plateforme a répondu par une erreur (%(said)s).") % {"said": said})

    def _send(self, method: str, address: str, **options: Any) -> requests.Response:
        session = self._session or self._sign_in()
        try:
            answer: requests.Response = session.request(
                method, address, timeout=self._timeout, allow_redirects=False, **options
            )
        except AuthlibBaseError as problem:
            raise AccessError(_("La plateforme refuse l’accès (%(said)s).") % {"said": problem.error}) from problem
        except requests.ConnectTimeout as problem:
            raise BusyPlatformError(_("La plateforme ne répond pas."), DEFAULT_PAUSE) from problem
        except requests.RequestException as problem:
            sentence = _("La plateforme n’a pas répondu (%(said)s).") % {"said": type(problem).__name__}
            raise UnknownFateError(sentence) from problem
        return answer

    def _sign_in(self) -> OAuth2Session:
        """A session with a token. Whatever goes wrong here, nothing was handed over."""
        platform = self.platform
        secret = platform.read_client_secret()
        if secret is None:
            sentence = _("Le secret de la plateforme ne peut pas être déchiffré : saisissez-le à nouveau.")
            raise AccessError(sentence)
        session = OAuth2Session(
            platform.client_id,
            secret,
            scope=platform.scope or None,
            token_endpoint=platform.token_url,
            token_endpoint_auth_method="client_secret_post" if platform.secret_in_body else "client_secret_basic",
            grant_type="client_credentials",
        )
        try:
            session.fetch_token(platform.token_url, grant_type="client_credentials", timeout=self._timeout)
        except AuthlibBaseError as problem:
            raise AccessError(_why_no_token(problem)) from problem
        except requests.HTTPError as problem:
            answer = problem.response
            if answer is not None and answer.status_code in (429, 503):
                seconds = _retry_after(answer.headers.get("Retry-After", ""))
                raise BusyPlatformError(_("La plateforme demande d’attendre."), seconds) from problem
            raise BusyPlatformError(_("La plateforme ne donne pas de jeton."), DEFAULT_PAUSE) from problem
        except (requests.RequestException, ValueError) as problem:
            raise BusyPlatformError(_("La plateforme ne donne pas de jeton."), DEFAULT_PAUSE) from problem
        self._session = session
        return session

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        try:
            found = parse_json(answer.content)
        except ValueError as problem:
            raise UnknownFateError(_("La réponse de la plateforme n’est pas lisible.")) from problem
        if not isinstance(found, dict):
            raise UnknownFateError(_("La réponse de la plateforme n’est pas lisible."))
        return found


def _why_no_token(problem: AuthlibBaseError) -> str:
    """What the error of RFC 6749 (5.2) means for who fills in the card of the platform."""
    refused = _("La plateforme refuse l’identifiant ou le secret du client (%(said)s).")
    words = {
        "invalid_client": refused,
        "unauthorized_client": refused,
        "invalid_scope": _("La plateforme refuse la portée demandée (%(said)s)."),
    }
    return words.get(problem.error, _("La plateforme refuse l’accès (%(said)s).")) % {"said": problem.error}


def write_moment(moment: datetime.datetime) -> str:
    """A moment as the interface writes it: UTC, with «Z», to the millisecond."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(text: object) -> datetime.datetime | None:
    """The moment in ``text``; UTC where it names no zone; None where it is none."""
    with contextlib.suppress(ValueError):
        found = datetime.datetime.fromisoformat(str(text))
        return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
    return None


def _text(value: object) -> str:
    return "" if value is None else harmless(str(value))


def _flow(found: dict[str, Any]) -> Flow:
    acknowledgement = found.get("acknowledgement")
    acknowledgement = acknowledgement if isinstance(acknowledgement, dict) else {}
    given = acknowledgement.get("details")
    details = [detail for detail in given if isinstance(detail, dict)] if isinstance(given, list) else []
    words = [
        " : ".join(_text(detail[key]) for key in ("reasonCode", "reasonMessage") if detail.get(key))
        for detail in details
    ]
    return Flow(
        flow_id=_text(found.get("flowId"))[:100],
        tracking_id=_text(found.get("trackingId")),
        syntax=_text(found.get("flowSyntax")),
        updated_at=read_moment(found.get("updatedAt") or ""),
        acknowledgement=_text(acknowledgement.get("status")),
        reason=" ; ".join(word for word in words if word),
        codes=tuple(_text(detail["reasonCode"]) for detail in details if detail.get("reasonCode")),
    )


def _words_of(answer: requests.Response) -> str:
    """«422 BAD_FLOW : Le fichier est vide», as much as the answer says."""
    try:
        found = parse_json(answer.content)
    except ValueError:
        found = None
    said = []
    if isinstance(found, dict):
        said = [str(found[key])[:500] for key in ("errorCode", "errorMessage", "error", "detail") if found.get(key)]
    return f"{answer.status_code} {' : '.join(said)}".strip()


def _retry_after(text: str) -> float:
    """The seconds of ``Retry-After``, which gives them or a date (RFC 9110, 10.2.3), within bounds."""
    seconds = DEFAULT_PAUSE
    if text.isascii() and text.strip().isdigit():
        seconds = float(text)
    elif text:
        with contextlib.suppress(ValueError, TypeError):
            wanted = parsedate_to_datetime(text)
            wanted = wanted if wanted.tzinfo is not None else wanted.replace(tzinfo=datetime.UTC)
            seconds = (wanted - datetime.datetime.now(datetime.UTC)).total_seconds()
    return min(max(seconds, 1.0), LONGEST_PAUSE)
