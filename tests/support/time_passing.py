"""Time that passes for rows: what a test does where the clock is the database's, which no one may set."""

import datetime

from django.db.models import DateTimeField, F, Model


def let_pass(time: datetime.timedelta, *models: type[Model]) -> None:
    """Make all rows of ``models`` as much older: every moment written in them is as much earlier."""
    for model in models:
        moments = [field.name for field in model._meta.concrete_fields if isinstance(field, DateTimeField)]
        model._base_manager.update(**{name: F(name) - time for name in moments})
