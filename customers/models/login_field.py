"""The login of an account, in the one form in which it is stored and compared."""

import unicodedata
from typing import Any

from django.db import models

# The length of an address at most (RFC 5321, 4.5.3.1.3), which is what a login is.
LONGEST_LOGIN = 254


def canonical_login(text: str) -> str:
    """The form of a login under which all its writings are one: NFKC, lower case, no blanks around, nothing invisible.

    The dotless ı stays itself: PostgreSQL's upper case would make it the same as i, and one person's tries another's.
    """
    visible = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", visible).strip().lower()


class LoginField(models.CharField[str, str]):
    """A ``CharField`` that stores and looks up logins by :func:`canonical_login`."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Write the canonical form, on the instance too."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = canonical_login(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Look up by the canonical form: ``login="A@x"`` finds «a@x»."""
        prepared = super().get_prep_value(value)
        return canonical_login(prepared) if isinstance(prepared, str) else prepared
