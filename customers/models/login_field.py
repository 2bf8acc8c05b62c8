"""The login of an account, in the one form in which it is stored and compared."""

from typing import Any

from django.db import models

from customers.logins import canonical_login


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
