"""Logging in: the login whatever its case, and no word on whether it exists."""

import unicodedata
from typing import Any

from django.contrib.auth.backends import ModelBackend


class AccountBackend(ModelBackend):
    """Django's own backend, plus the expiry of provisional passwords.

    A provisional password that has run out is refused like a wrong one; the page says how to get a new one.
    """

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        """The account of this login and password; blanks and dashes that pasting changed are put right where needed."""
        account = super().authenticate(request, username=username, password=password, **kwargs)
        if account is None and isinstance(password, str) and (pasted := _undo_pasting(password)) != password:
            return super().authenticate(request, username=username, password=pasted, **kwargs)
        return account

    def user_can_authenticate(self, user: Any) -> bool:
        """Active accounts whose provisional password, if it is still one, has not expired."""
        return super().user_can_authenticate(user) and not user.has_expired_provisional


def _undo_pasting(password: str) -> str:
    """``password`` without blanks around it, invisible characters and typographic dashes, which mail programs add."""
    visible = "".join(char for char in password if unicodedata.category(char) != "Cf")
    return "".join("-" if unicodedata.category(char) == "Pd" else char for char in visible).strip()
