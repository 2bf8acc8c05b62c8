"""Logging in: the login whatever its case, and no word on whether it exists."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from customers.typed_passwords import writings_of


class AccountBackend(ModelBackend):
    """Django's own backend, plus the expiry of provisional passwords.

    A provisional password that has run out is refused like a wrong one; the page says how to get a new one.
    """

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        """The account of this login and password; what pasting changed in the password is put right where needed."""
        if not isinstance(password, str):
            return super().authenticate(request, username=username, password=password, **kwargs)
        tried = (
            super(AccountBackend, self).authenticate(request, username=username, password=writing, **kwargs)
            for writing in writings_of(password)
        )
        return next((account for account in tried if account is not None), None)

    def user_can_authenticate(self, user: Any) -> bool:
        """Active accounts whose provisional password, if it is still one, has not expired."""
        return super().user_can_authenticate(user) and not user.has_expired_provisional
