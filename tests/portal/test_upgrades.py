"""What an installation from before keeps when its database is migrated."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)


def _apps_at(*targets: tuple[str, str]) -> Apps:
    executor = MigrationExecutor(connection)
    return executor.loader.project_state([*targets]).apps


@pytest.fixture
def before_bulk_actions() -> Iterator[Apps]:
    """The database of a version in which bulk actions had another name; the present one again at the end."""
    call_command("migrate", "customers", "0005", verbosity=0)
    yield _apps_at(("customers", "0005_logins_in_one_form"), ("auth", "0012_alter_user_first_name_max_length"))
    call_command("migrate", verbosity=0)


def test_a_group_keeps_its_right_to_see_bulk_actions_and_the_actions_stay(before_bulk_actions: Apps) -> None:
    Permission = before_bulk_actions.get_model("auth", "Permission")
    group = before_bulk_actions.get_model("auth", "Group").objects.create(name="Standard")
    group.permissions.add(Permission.objects.get(codename="view_gesture"))
    former: Any = getattr(before_bulk_actions, "get_model")("customers", "Gesture")  # noqa: B009 - unknown to mypy
    done = former.objects.create(kind="activate")

    call_command("migrate", verbosity=0)

    from django.contrib.auth.models import Group
    from django.contrib.auth.models import Permission as PresentPermission

    from customers.models import BulkAction

    rights = Group.objects.get(name="Standard").permissions.values_list("content_type__model", "codename")
    assert list(rights) == [("bulkaction", "view_bulkaction")]
    assert not PresentPermission.objects.filter(codename__endswith="_gesture").exists()
    assert BulkAction.objects.get().pk == done.pk
