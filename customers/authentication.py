"""Logging in: the login whatever its case, and no word on whether it exists."""

from typing import Any

from django.contrib.auth.backends import ModelBackend


class AccountBackend(ModelBackend):
    """Django's own backend, plus the expiry of provisional passwords.

    A provisional password that has run out is refused like a wrong one; the page says how to get a new one.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """Active accounts whose provisional password, if it is still one, has not expired."""
        return super().user_can_authenticate(user) and not user.has_expired_provisional
