"""What an action was about and that is no more there: a sentence on a page that is, instead of «not found»."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

View = Callable[..., HttpResponseBase]


class GoneError(Exception):
    """Somebody removed it meanwhile; the message is a French sentence, ``back`` the address of a page that is there."""

    def __init__(self, sentence: str, *, back: str) -> None:
        super().__init__(sentence)
        self.back = back


def leads_back(view: View) -> View:
    """A view whose :class:`GoneError` becomes a sentence at the top of the page that it names."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except GoneError as gone:
            messages.warning(request, str(gone))
            return redirect(gone.back)

    return wrapped
