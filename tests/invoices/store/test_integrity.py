"""The archive is read back: what is missing, altered or no one's is named."""

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from invoices.models import Export, ExportItem
from invoices.store.frozen import store_bytes
from invoices.store.integrity import verify_documents
from tests.support.factories import freeze, make_invoice, make_published_invoice

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


def age(name: str, hours: float) -> None:
    path = default_storage.path(name)
    then = datetime.datetime.now(tz=datetime.UTC).timestamp() - hours * 3600
    os.utime(path, (then, then))


def test_a_sound_archive_is_clean() -> None:
    make_published_invoice()
    freeze(make_published_invoice(), b"%PDF-1.7 second version")

    report = verify_documents(orphans_older_than=DAY)

    assert (report.checked, report.is_clean) == (3, True)


def test_an_empty_archive_is_clean() -> None:
    assert verify_documents(orphans_older_than=DAY).is_clean


def test_missing_altered_and_unreadable_files_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    missing, altered, unreadable = (make_published_invoice() for _number in range(3))
    default_storage.delete(missing.documents.get().storage_name)
    with Path(default_storage.path(altered.documents.get().storage_name)).open("ab") as file:
        file.write(b" ")
    path = Path(default_storage.path(unreadable.documents.get().storage_name))
    path.unlink()
    path.mkdir()

    with pytest.raises(SystemExit) as ended:
        call_command("verify_documents", "--json")

    assert ended.value.code == 1
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said["checked"] == 3
    for kind, invoice in (("missing", missing), ("altered", altered), ("unreadable", unreadable)):
        assert [each["invoice"] for each in said[kind]] == [invoice.number]


def test_old_unreferenced_files_are_orphans_and_are_deleted_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    make_published_invoice()
    invoice = make_invoice()
    old = store_bytes(invoice, b"%PDF old", role="pdf", version=1)
    young = store_bytes(invoice, b"%PDF young", role="pdf", version=1)
    age(old, 30)
    with pytest.raises(SystemExit):
        call_command("verify_documents")
    assert f"orphelin : {old}" in capsys.readouterr().out

    call_command("verify_documents", "--delete-orphans")
    assert not default_storage.exists(old)
    assert default_storage.exists(young)

    call_command("verify_documents", "--delete-orphans", "--orphans-older-than", "0")
    assert not default_storage.exists(young)


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (Export.State.RUNNING, ExportItem.State.READY),
        (Export.State.PAUSED, ExportItem.State.READY),
        (Export.State.CANCELLED, ExportItem.State.CLAIMED),
    ],
)
def test_orphans_are_left_alone_while_an_export_may_take_them_up(state: str, line: str) -> None:
    # A run that was killed after storing takes its own file up again, however old it is.
    invoice = make_invoice()
    old = store_bytes(invoice, b"%PDF old", role="pdf", version=1)
    age(old, 30)
    export = Export.objects.create(number=1, state=state)
    ExportItem.objects.create(export=export, invoice=invoice, state=line)

    report = verify_documents(orphans_older_than=DAY, delete_orphans=True)

    assert (report.orphans, report.deleted) == ([old], 0)
    assert default_storage.exists(old)


def test_logos_are_no_orphans() -> None:
    company = make_invoice().company
    company.logo.save("logo.svg", ContentFile(b"<svg/>"))
    name = str(company.logo.name)
    age(name, 48)

    assert verify_documents(orphans_older_than=DAY, delete_orphans=True).deleted == 0
    assert default_storage.exists(name)


@pytest.mark.parametrize("hours", ["-1", "hier"])
def test_an_age_that_is_none_is_refused(hours: str) -> None:
    with pytest.raises(CommandError, match="heures"):
        call_command("verify_documents", "--orphans-older-than", hours)
