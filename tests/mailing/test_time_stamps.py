"""The root of each day, stamped by an authority of this machine: OpenSSL."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from mailing.trail.actions import Action
from mailing.trail.chain import chain_new_entries, note_root
from mailing.trail.der import sort_certificates
from mailing.trail.models import Root, TimeStamp
from mailing.trail.recording import record
from mailing.trail.stamps import seal_last_day
from mailing.trail.verification import verify_trail
from tests.support.timestamp_authority import openssl
from tests.support.trail import execute, lift_the_guard

pytestmark = pytest.mark.django_db


@pytest.fixture
def stamped(authority: tuple[str, Path], settings: Any) -> TimeStamp:
    """An entry, chained, under the stamped root of yesterday."""
    settings.TIMESTAMP_URL, settings.TIMESTAMP_CA_FILE = authority[0], str(authority[1])
    record(Action.SIGNED_IN)
    chain_new_entries()
    assert seal_last_day() == 1
    return TimeStamp.objects.select_related("root").latest("at")


def test_the_root_of_yesterday_is_stamped_once(stamped: TimeStamp) -> None:
    assert seal_last_day() == 0
    report = verify_trail()
    assert report.fault is None
    assert (report.roots, report.stamps) == (1, 1)


def test_certificates_come_in_any_order(stamped: TimeStamp) -> None:
    """OpenSSL sends them as they are in its settings, which DER does not allow and a strict reader refuses."""
    answer = bytes(stamped.answer)
    assert sort_certificates(answer) != answer
    assert sort_certificates(sort_certificates(answer)) == sort_certificates(answer)


@pytest.mark.parametrize("answer", [b"", b"0", b"0\x84\xff\xff\xff\xff", b"0\x00", b"not at all", bytes(range(256))])
def test_what_is_no_time_stamp_stays_as_it_is(answer: bytes) -> None:
    assert sort_certificates(answer) == answer


def test_openssl_alone_verifies_the_stamp(stamped: TimeStamp, authority: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / "root.tsr").write_bytes(bytes(stamped.answer))
    (tmp_path / "root.txt").write_text(stamped.root.sha256)
    files = ("-in", str(tmp_path / "root.tsr"), "-data", str(tmp_path / "root.txt"))
    assert b"OK" in openssl("ts", "-verify", *files, "-CAfile", str(authority[1]))


@pytest.mark.parametrize("is_authority_known", [True, False])
def test_any_byte_of_the_stamp_that_was_changed_is_named(
    stamped: TimeStamp, settings: Any, is_authority_known: bool
) -> None:
    if not is_authority_known:
        settings.TIMESTAMP_CA_FILE = ""
    lift_the_guard()
    content = bytes(stamped.answer)
    for where in range(0, len(content), 37):
        changed = content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :]
        TimeStamp.objects.filter(pk=stamped.pk).update(answer=changed)
        fault = verify_trail().fault
        assert fault is not None, where
        assert fault.kind == "stamp"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE trail_timestamp SET authority = 'http://autre.example/tsa'",
        "UPDATE trail_timestamp SET root_id = '2026-01-01'",
        "DELETE FROM trail_timestamp",
        "UPDATE trail_root SET day = '2026-01-01'",
    ],
)
def test_what_was_changed_beside_the_bytes_of_the_stamp_is_named(stamped: TimeStamp, damage: str) -> None:
    lift_the_guard()
    execute(damage)
    fault = verify_trail().fault
    assert fault is not None
    assert (fault.kind, stamped.root_id.isoformat() in fault.sentence) == ("stamp", True)


def test_a_root_at_no_position_of_the_chain_is_named(stamped: TimeStamp) -> None:
    lift_the_guard()
    execute("UPDATE trail_root SET position = 0")
    fault = verify_trail().fault
    assert fault is not None
    assert fault.kind == "root"


def test_the_entry_of_a_stamp_alone_asks_for_no_other_root(stamped: TimeStamp) -> None:
    today = timezone.localdate()
    assert chain_new_entries() == 1
    assert note_root(today) is None
    record(Action.SIGNED_OUT)
    chain_new_entries()
    assert note_root(today) is not None
    assert verify_trail().fault is None


def test_a_stamp_of_another_root_is_named(stamped: TimeStamp) -> None:
    lift_the_guard()
    record(Action.SIGNED_OUT)
    chain_new_entries()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trail_root SET position = (SELECT max(position) FROM trail_link), "
            "sha256 = (SELECT sha256 FROM trail_link ORDER BY position DESC LIMIT 1)"
        )
    fault = verify_trail().fault
    assert fault is not None
    assert "n’est pas celui de cette racine" in fault.sentence


def test_an_authority_that_is_away_is_asked_again_later(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.TIMESTAMP_URL = "http://127.0.0.1:9/"
    record(Action.SIGNED_IN)
    chain_new_entries()
    assert seal_last_day() == 0
    assert "ne répond pas" in caplog.text
    assert Root.objects.filter(stamp=None).exists()
