"""What a request may carry: how large a body (refused by what it announces, before it is read), and no NUL.

PostgreSQL holds no NUL character, and none is meant. In a query one becomes a space; in a form the sign for what cannot
be read, as Django makes of bytes that are no UTF-8.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, UnreadablePostError
from django.utils.translation import gettext as _

from portal.refusals import render_refusal

Size = int | Callable[[], int]

# What visitors and customers write: logins, passwords, reasons, a page of ticks.
PUBLIC_BYTES = 100_000
# What a form adds around the files that it carries.
FORM_ROOM = 20_000


def accepts_files[View: Callable[..., Any]](most: Size, *, of_public: bool = False) -> Callable[[View], View]:
    """Let the view take files of ``most`` bytes together (a number, or a function that reads a setting).

    Only staff send them, unless ``of_public``: whoever has not signed in sends no more to this page than to another.
    """

    def mark(view: View) -> View:
        view.files_accepted = (most, of_public)  # type: ignore[attr-defined]
        return view

    return mark


class QueryMiddleware:
    """Comes before all that reads an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """A NUL in the query becomes a space."""
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query or "\x00" in query:
            request.META["QUERY_STRING"] = query.replace("%00", "%20").replace("\x00", "%20")
        return self.get_response(request)


class BodyLimitMiddleware:
    """Comes before the CSRF check, which is the first to read a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing is known of the page yet: see :meth:`process_view`."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """413 for a body larger than the page needs, and for one that does not announce its size.

        The fields of the others are read here, a little before the CSRF check does, and freed of NUL; not where that
        check asks for none: such a page is called by a program, and reads its body as it came.
        """
        is_staff = getattr(request.user, "is_staff", False)
        most, of_public = getattr(view, "files_accepted", (0, False))
        room = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if is_staff else PUBLIC_BYTES
        takes_files = bool(most) and (is_staff or of_public)
        files = (most() if callable(most) else most) if takes_files else 0
        announced = str(request.META.get("CONTENT_LENGTH") or "0")
        is_counted = announced.isascii() and announced.isdigit() and "HTTP_TRANSFER_ENCODING" not in request.META
        if is_counted and int(announced) <= (files + FORM_ROOM if takes_files else room):
            if request.method == "POST" and not getattr(view, "csrf_exempt", False):
                _replace_nul(request)
            return None
        return too_large(request, files or room, is_file=takes_files, is_counted=is_counted)


def _replace_nul(request: HttpRequest) -> None:
    try:
        fields = list(request.POST.lists())
    except UnreadablePostError:
        return  # whoever sent it is gone
    if any("\x00" in text for name, values in fields for text in (name, *values)):
        clean = QueryDict(mutable=True, encoding=request.encoding)
        for name, values in fields:
            clean.setlist(name.replace("\x00", "\ufffd"), [value.replace("\x00", "\ufffd") for value in values])
        request.POST = clean  # type: ignore[assignment]


def too_large(request: HttpRequest, most: int, *, is_file: bool, is_counted: bool = True) -> HttpResponse:
    """Page 413: how much may be sent; the body is left unread."""
    size = (
        _("%(number)s Mo") % {"number": most // 1_000_000}
        if most >= 1_000_000
        else _("%(number)s ko") % {"number": most // 1000}
    )
    if not is_counted:
        sentence = _("Cet envoi n’annonce pas sa taille.")
    elif is_file:
        sentence = _("Ce fichier est trop grand : %(size)s au plus.") % {"size": size}
    else:
        sentence = _("Cet envoi est trop grand : %(size)s au plus.") % {"size": size}
    # Nothing asks for request.POST later: it would read the body after all.
    request._mark_post_parse_error()  # type: ignore[attr-defined]
    return render_refusal(request, "413.html", {"title": _("Envoi trop grand"), "sentence": sentence}, status=413)
