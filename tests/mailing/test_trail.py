"""The trail: written with the act, refused by the database to whoever would change it, chained and verified."""

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from mailing.trail.acting import Actor
from mailing.trail.actions import Action
from mailing.trail.chain import chain_new_entries, note_root
from mailing.trail.ends import read_ends
from mailing.trail.models import BEGINNING, Entry, Link, PersonalValues, Root
from mailing.trail.recording import Act, record, record_all
from mailing.trail.verification import verify_trail
from portal.backoffice.ui.lists import BackOfficeAdmin
from tests.support.trail import empty_the_trail, execute, lift_the_guard

pytestmark = pytest.mark.django_db


@pytest.fixture
def chained() -> list[Entry]:
    """Five acts of one person, in the chain."""
    before = Entry.objects.count()
    acts = [Act(Action.CHANGED, None, {"step": number}, {"login": "marie@client.example"}) for number in range(5)]
    record_all(acts, by=Actor(7, "paul@example.fr", "192.0.2.7"))
    chain_new_entries()
    return list(Entry.objects.order_by("pk")[before:])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail_entry SET action = 'nothing'",
        "DELETE FROM trail_entry",
        "UPDATE trail_link SET sha256 = ''",
        "DELETE FROM trail_link",
        "UPDATE trail_personalvalues SET \"values\" = ''",
        "UPDATE trail_root SET sha256 = ''",
        "DELETE FROM trail_root",
    ],
)
def test_the_database_refuses_to_change_or_delete_what_the_trail_holds(chained: list[Entry], statement: str) -> None:
    note_root(date(2026, 11, 26))
    with pytest.raises(DatabaseError, match="La piste d’audit ne se modifie pas"), transaction.atomic():
        execute(statement)
    assert verify_trail().fault is None


def test_sqlite_refuses_to_replace_an_entry_too(chained: list[Entry]) -> None:
    if connection.vendor == "postgresql":
        statement, refusal = "TRUNCATE trail_entry", "La piste d’audit ne se modifie pas"
    else:
        statement = f"INSERT OR REPLACE INTO trail_entry SELECT * FROM trail_entry WHERE id = {chained[0].pk}"
        refusal = "REPLACE sur trail_entry"
    with pytest.raises(DatabaseError, match=refusal), transaction.atomic():
        execute(statement)


def test_an_act_that_is_rolled_back_leaves_no_entry() -> None:
    before = Entry.objects.count()

    def fail_after_recording() -> None:
        with transaction.atomic():
            record(Action.PUBLISHED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_recording()
    assert Entry.objects.count() == before


def test_persons_stand_in_the_side_table_alone(chained: list[Entry]) -> None:
    entry = chained[0]
    written = "".join(str(value) for value in Entry.objects.filter(pk=entry.pk).values_list().get())
    assert "marie" not in written
    assert "192.0.2.7" not in written
    values = json.loads(entry.personal.values)
    assert (values["login"], values["by"], values["from"]) == ("marie@client.example", "paul@example.fr", "192.0.2.7")


def test_the_same_person_twice_has_two_hashes(chained: list[Entry]) -> None:
    assert len({entry.personal_sha256 for entry in chained}) == 5


def test_the_chain_holds_after_personal_values_were_erased(chained: list[Entry]) -> None:
    PersonalValues.objects.filter(pk=chained[2].pk).delete()
    report = verify_trail()
    assert report.fault is None
    assert report.erased == 1


def test_chaining_goes_on_where_it_ended(chained: list[Entry]) -> None:
    record(Action.SIGNED_IN)
    assert verify_trail().waiting == 1
    assert chain_new_entries() == 1
    assert chain_new_entries() == 0
    assert list(Link.objects.values_list("position", flat=True)) == list(range(1, Link.objects.count() + 1))
    assert verify_trail().waiting == 0


def test_an_entry_of_a_transaction_that_ended_late_gets_its_place_too(chained: list[Entry]) -> None:
    late = chained[-1].pk + 10
    Entry.objects.create(pk=late + 1, action="signed-in")
    chain_new_entries()
    Entry.objects.create(pk=late, action="signed-in")
    assert chain_new_entries() == 1
    assert verify_trail().fault is None


@pytest.mark.parametrize(
    ("damage", "kind", "which"),
    [
        ("UPDATE trail_entry SET details = '{{\"step\":8}}' WHERE id = {third}", "changed", 2),
        ("UPDATE trail_entry SET account = 8 WHERE id = {third}", "changed", 2),
        ("DELETE FROM trail_entry WHERE id = {second}", "missing", 1),
        ("DELETE FROM trail_link WHERE entry_id = {second}", "missing-link", None),
        ("UPDATE trail_link SET entry_sha256 = '" + "a" * 64 + "' WHERE entry_id = {third}", "changed", 2),
        ("UPDATE trail_link SET sha256 = '" + "a" * 64 + "' WHERE entry_id = {second}", "reordered", 1),
        ("UPDATE trail_personalvalues SET \"values\" = '{{}}' WHERE entry_id = {third}", "personal-changed", 2),
    ],
)
def test_what_was_changed_is_named_at_once(chained: list[Entry], damage: str, kind: str, which: int | None) -> None:
    lift_the_guard()
    execute(damage.format(second=chained[1].pk, third=chained[2].pk))
    fault = verify_trail().fault
    assert fault is not None
    assert fault.kind == kind
    assert fault.entry == (None if which is None else chained[which].pk)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL holds no such value in these columns")
@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("UPDATE trail_entry SET at = 'X' || substr(at, 2) WHERE id = {third}", "changed"),
        ("UPDATE trail_entry SET details = CAST(X'7BFF7D' AS TEXT) WHERE id = {third}", "changed"),
        (
            "UPDATE trail_personalvalues SET \"values\" = CAST(X'7BFF7D' AS TEXT) WHERE entry_id = {third}",
            "personal-changed",
        ),
    ],
)
def test_a_byte_that_makes_a_value_unreadable_is_named_too(chained: list[Entry], damage: str, kind: str) -> None:
    lift_the_guard()
    execute(damage.format(third=chained[2].pk))
    fault = verify_trail().fault
    assert fault is not None
    assert (fault.kind, fault.entry) == (kind, chained[2].pk)


def test_personal_values_that_were_given_to_no_entry_are_named(chained: list[Entry]) -> None:
    lift_the_guard()
    execute(f"UPDATE trail_personalvalues SET entry_id = {chained[-1].pk + 100} WHERE entry_id = {chained[2].pk}")
    fault = verify_trail().fault
    assert fault is not None
    assert (fault.kind, fault.entry) == ("personal-changed", chained[-1].pk + 100)


def test_two_entries_that_changed_places_are_named(chained: list[Entry]) -> None:
    lift_the_guard()
    first, second = (Link.objects.get(entry=chained[number]) for number in (1, 2))
    Link.objects.filter(pk__in=[first.pk, second.pk]).delete()
    for link, position in ((first, second.position), (second, first.position)):
        link.position = position
        link.save(force_insert=True)
    fault = verify_trail().fault
    assert fault is not None
    assert (fault.kind, fault.entry) == ("reordered", chained[2].pk)


def test_an_end_that_was_cut_off_is_known_by_the_root(chained: list[Entry]) -> None:
    root = note_root(date(2026, 11, 26))
    assert isinstance(root, Root)
    lift_the_guard()
    Link.objects.filter(entry=chained[4]).delete()
    Entry.objects.filter(pk=chained[4].pk).delete()
    fault = verify_trail().fault
    assert fault is not None
    assert (fault.kind, fault.position) == ("cut", root.position)


def test_a_chain_written_again_does_not_give_the_root(chained: list[Entry]) -> None:
    note_root(date(2026, 11, 26))
    lift_the_guard()
    execute(f"UPDATE trail_entry SET account = 8 WHERE id = {chained[4].pk}")
    last = Link.objects.get(entry=chained[4])
    previous = Link.objects.filter(position=last.position - 1).values_list("sha256", flat=True).first() or BEGINNING
    forged = Link.after((last.position - 1, previous), Entry.objects.get(pk=chained[4].pk))
    Link.objects.filter(pk=last.pk).update(entry_sha256=forged.entry_sha256, sha256=forged.sha256)
    fault = verify_trail().fault
    assert fault is not None
    assert fault.kind == "root"


@pytest.mark.parametrize("damage", ["cut", "written again"])
def test_an_end_that_is_known_elsewhere_shows_what_was_done_after_the_last_root(
    chained: list[Entry], tmp_path: Path, damage: str
) -> None:
    out, known = StringIO(), tmp_path / "ends.jsonl"
    call_command("verify_trail", json=True, stdout=out)
    known.write_text(out.getvalue())
    call_command("verify_trail", known=known, stdout=StringIO())
    lift_the_guard()
    last = Link.objects.get(entry=chained[4])
    if damage == "cut":
        Link.objects.filter(pk=last.pk).delete()
        PersonalValues.objects.filter(pk=chained[4].pk).delete()
        Entry.objects.filter(pk=chained[4].pk).delete()
    else:
        execute(f"UPDATE trail_entry SET account = 8 WHERE id = {chained[4].pk}")
        previous = Link.objects.get(position=last.position - 1).sha256
        forged = Link.after((last.position - 1, previous), Entry.objects.get(pk=chained[4].pk))
        Link.objects.filter(pk=last.pk).update(entry_sha256=forged.entry_sha256, sha256=forged.sha256)
    assert verify_trail().fault is None
    fault = verify_trail(known=read_ends(known)).fault
    assert fault is not None
    assert (fault.kind, fault.position) == ("known-end", last.position)
    assert ("manque" in fault.sentence) is (damage == "cut")


@pytest.mark.parametrize("content", [None, "abc", "[]", '{"checked": "x", "last_sha256": ""}', "{}"])
def test_a_file_of_ends_that_cannot_be_read_is_named(content: str | None, tmp_path: Path) -> None:
    known = tmp_path / "ends.jsonl"
    if content is not None:
        known.write_text(content)
    with pytest.raises(CommandError, match=r"ends\.jsonl") as refused:
        call_command("verify_trail", known=known)
    assert refused.value.returncode == 2


def test_the_command_names_the_fault_and_ends_with_1(chained: list[Entry]) -> None:
    lift_the_guard()
    execute(f"UPDATE trail_entry SET action = 'signed-in' WHERE id = {chained[3].pk}")
    told, out = StringIO(), StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verify_trail", stdout=told)
    assert end.value.code == 1
    assert f"L’entrée {chained[3].pk} (rang" in told.getvalue()
    with pytest.raises(SystemExit):
        call_command("verify_trail", json=True, stdout=out)
    assert json.loads(out.getvalue())["fault"]["entry"] == chained[3].pk


def test_a_trail_that_a_test_emptied_is_guarded_again(chained: list[Entry]) -> None:
    empty_the_trail()
    assert not Entry.objects.exists()
    record(Action.SIGNED_IN)
    with pytest.raises(DatabaseError, match="La piste d’audit ne se modifie pas"), transaction.atomic():
        execute("DELETE FROM trail_entry")


def test_every_list_of_the_back_office_writes_into_the_trail() -> None:
    ours = [page for page in admin.site._registry.values() if type(page).__module__.startswith("portal.")]
    assert ours
    assert [page for page in ours if not isinstance(page, BackOfficeAdmin)] == []
