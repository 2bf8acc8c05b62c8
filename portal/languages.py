"""In which language a page is written: the account's, else the browser's, among those that a company offers.

The back-office is French. So is everything where no company has switched a language on.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_supported_language_variant, override
from django.utils.translation.trans_real import parse_accept_lang_header

from customers.models import Account
from invoices.models import Company


def offered_languages() -> list[str]:
    """French, and what companies offer besides. One query."""
    return [settings.LANGUAGE_CODE, *Company.objects.languages()]


def language_of(request: HttpRequest) -> str:
    """The language of the page that is asked for. A query only where another language than French is wanted."""
    if request.path.startswith(reverse("admin:index")):
        return settings.LANGUAGE_CODE
    offered: list[str] | None = None
    for wanted in _wanted_languages(request):
        if wanted == settings.LANGUAGE_CODE:
            break
        offered = offered_languages() if offered is None else offered
        if wanted in offered:
            return wanted
    return settings.LANGUAGE_CODE


def _wanted_languages(request: HttpRequest) -> Iterator[str]:
    visit = getattr(request, "visit", None)  # a member of staff sees what the customer sees
    reader = visit.account if visit is not None else request.user
    if isinstance(reader, Account):
        yield reader.language
        return
    for code, quality in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        if code == "*" or not quality:
            continue
        try:
            yield get_supported_language_variant(code)
        except LookupError:
            continue


def _written_in(language: str, parts: Iterable[bytes]) -> Iterator[bytes]:
    """``parts``, each made while ``language`` is active: what is sent as it is made outlives the middleware."""
    iterator = iter(parts)
    while True:
        with override(language):
            part = next(iterator, None)
        if part is None:
            return
        yield part


def _keep_language(response: HttpResponseBase, language: str) -> None:
    """Make what ``response`` sends as it is made in ``language`` too; a file's bytes are there already."""
    if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse) and not response.is_async:
        parts = cast("Iterable[bytes]", response.streaming_content)
        response.streaming_content = _written_in(language, parts)


class LanguageMiddleware:
    """Writes the page in its reader's language, and says which it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """``Content-Language``, and ``Vary`` where the browser's preference counts."""
        language = language_of(request)
        with override(language):
            response = self.get_response(request)
        if language != settings.LANGUAGE_CODE:
            _keep_language(response, language)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Content-Language", language)
            if not request.user.is_authenticated:
                patch_vary_headers(response, ["Accept-Language"])
        return response
