"""The outbox as the other rooms see it."""

import datetime
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailing import outbox
from mailing.failed_addresses import failed_addresses, known_bad, mark_address_failed, resolve_address
from mailing.heartbeats import last_heartbeat, record_heartbeat, remove_heartbeat
from mailing.models import FailedAddress, Message, MessageAttachment
from mailing.outbox import Attachment, Draft

pytestmark = pytest.mark.django_db


def draft(key: str = "invoice/1/a@exemple.fr", **values: object) -> Draft:
    """A mail about nothing in particular."""
    fields: dict[str, object] = {
        "kind": "invoice",
        "recipient": "client@exemple.fr",
        "sender": "compta@société.fr",
        "subject": "Votre facture F1",
        "text": "Bonjour",
    }
    return Draft(key=key, **(fields | values))  # type: ignore[arg-type]


def test_messages_are_written_in_the_order_of_their_drafts() -> None:
    ids = outbox.write_messages([draft(f"k{number}", recipient=f"c{number}@exemple.fr") for number in range(5)])
    assert [Message.objects.get(pk=pk).recipient for pk in ids] == [f"c{number}@exemple.fr" for number in range(5)]


def test_a_key_written_twice_gives_the_first_message_and_no_second_attachment() -> None:
    pdf = Attachment("2026/f1.pdf", "F1.pdf", "application/pdf", 3, "0" * 64)
    first = outbox.write_messages([draft(attachments=(pdf,))])
    again = outbox.write_messages([draft("other"), draft(subject="Autre objet", attachments=(pdf,))])
    assert again[1] == first[0]
    assert Message.objects.count() == 2
    assert Message.objects.get(pk=first[0]).subject == "Votre facture F1"
    assert MessageAttachment.objects.count() == 1


def test_a_key_twice_in_one_call_is_one_message_the_first() -> None:
    ids = outbox.write_messages([draft(subject="premier"), draft(subject="second")])
    assert ids[0] == ids[1]
    assert [message.subject for message in Message.objects.all()] == ["premier"]


def test_the_message_id_is_made_at_writing_with_the_senders_domain_in_ascii() -> None:
    [pk] = outbox.write_messages([draft()])
    message_id = Message.objects.get(pk=pk).message_id
    assert message_id.endswith(f".{pk.hex}@xn--socit-esab.fr>")
    assert message_id.isascii()


def test_ten_times_more_messages_cost_no_more_statements() -> None:
    pdf = Attachment("2026/f1.pdf", "F1.pdf", "application/pdf", 3, "0" * 64)
    counts = []
    for size in (10, 100):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            outbox.write_messages([draft(f"{size}/{number}", attachments=(pdf,)) for number in range(size)])
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_messages_vanish_with_the_callers_transaction() -> None:
    with transaction.atomic():
        outbox.write_messages([draft()])
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_a_line_break_in_a_subject_or_name_is_a_blank() -> None:
    [pk] = outbox.write_messages(
        [draft(subject="Facture\r\nBcc: tous@exemple.fr", recipient_name="A\nB", sender_name="C\u2028D")]
    )
    message = Message.objects.get(pk=pk)
    assert message.subject == "Facture  Bcc: tous@exemple.fr"
    assert (message.recipient_name, message.sender_name) == ("A B", "C D")


def test_an_address_in_error_is_known_whatever_its_case_until_corrected() -> None:
    now = timezone.now()
    mark_address_failed("Faux@Exemple.FR", "boîte inconnue", None, now)
    assert known_bad(["faux@exemple.fr", "FAUX@exemple.fr", "bon@exemple.fr"]) == {
        "faux@exemple.fr": "boîte inconnue",
        "FAUX@exemple.fr": "boîte inconnue",
    }
    assert [row[0] for row in failed_addresses()] == ["faux@exemple.fr"]
    assert resolve_address("FAUX@EXEMPLE.fr")
    assert not resolve_address("FAUX@EXEMPLE.fr")
    assert known_bad(["faux@exemple.fr"]) == {}
    mark_address_failed("faux@exemple.fr", "encore", None, now)
    assert known_bad(["faux@exemple.fr"]) == {"faux@exemple.fr": "encore"}
    assert FailedAddress.objects.get().failures == 2


def test_states_are_given_for_the_messages_that_exist() -> None:
    [pk] = outbox.write_messages([draft()])
    states = outbox.states_of([pk, uuid.uuid4()])
    assert list(states) == [pk]
    assert (states[pk].state, states[pk].label, states[pk].reason) == ("queued", "en file", "")


def _end(pk: uuid.UUID, state: str, **values: object) -> None:
    Message.objects.filter(pk=pk).update(state=state, next_attempt_at=None, **values)


def test_retry_queues_again_what_failed_and_never_what_was_accepted_or_is_in_hand() -> None:
    now = timezone.now()
    queued, deferred, rejected, bounced, cancelled, accepted, sending = outbox.write_messages(
        [draft(f"k{number}") for number in range(7)]
    )
    Message.objects.filter(pk=deferred).update(
        state="deferred", attempts=4, next_attempt_at=now + datetime.timedelta(hours=4)
    )
    _end(rejected, "rejected", reason="550", reply_code=550, ended_at=now)
    _end(bounced, "bounced", accepted_at=now, bounced_at=now, bounce_kind="hard")
    _end(cancelled, "cancelled")
    _end(accepted, "accepted", accepted_at=now)
    _end(sending, "sending", lease_until=now)
    everything = [queued, deferred, rejected, bounced, cancelled, accepted, sending]
    assert outbox.retry(everything, "Anne Martin") == 4
    states = outbox.states_of(everything)
    assert [states[pk].state for pk in everything] == ["queued"] * 5 + ["accepted", "sending"]
    assert states[rejected].reason == "Remise en file par Anne Martin."
    assert states[deferred].attempts == 0
    assert states[bounced].bounced_at is None


def test_only_waiting_messages_can_be_cancelled() -> None:
    now = timezone.now()
    queued, accepted, sending = outbox.write_messages([draft(f"k{number}") for number in range(3)])
    _end(accepted, "accepted", accepted_at=now)
    _end(sending, "sending", lease_until=now)
    assert outbox.cancel([queued, accepted, sending], "Anne Martin") == 1
    states = outbox.states_of([queued, accepted, sending])
    assert [states[pk].label for pk in (queued, accepted, sending)] == ["abandonnée", "envoyée", "en cours d’envoi"]


def test_the_pause_keeps_who_said_so_first() -> None:
    assert not outbox.is_paused()
    outbox.pause("Anne Martin")
    outbox.pause("Paul Petit")
    assert outbox.is_paused()
    since = outbox.paused_since()
    assert since is not None
    assert since[1] == "Anne Martin"
    outbox.resume()
    assert not outbox.is_paused()
    assert outbox.paused_since() is None


def test_the_summary_names_every_state() -> None:
    now = timezone.now()
    first, _second = outbox.write_messages([draft("k1"), draft("k2")])
    _end(first, "accepted", accepted_at=now)
    assert outbox.summary(timezone.now()) == {
        "queued": 1,
        "sending": 0,
        "accepted": 1,
        "written": 0,
        "deferred": 0,
        "rejected": 0,
        "bounced": 0,
        "cancelled": 0,
        "due": 1,
    }


def test_the_pulse_names_the_last_process_seen() -> None:
    assert last_heartbeat() is None
    record_heartbeat("poste-1:12", "mail")
    record_heartbeat("poste-2:13", "export")
    record_heartbeat("poste-2:13", "export")
    pulse = last_heartbeat()
    assert pulse is not None
    assert pulse.name == "poste-2:13"
    mail = last_heartbeat("mail")
    assert mail is not None
    assert mail.name == "poste-1:12"
    remove_heartbeat("poste-1:12")
    assert last_heartbeat("mail") is None


@pytest.mark.parametrize(
    "values",
    [
        {"state": "accepted", "next_attempt_at": None},
        {"state": "queued", "next_attempt_at": None},
        {"state": "sending", "next_attempt_at": None},
        {"state": "rejected"},
    ],
    ids=["accepted at no time", "queued for no time", "sent by nobody", "rejected yet waiting"],
)
def test_the_database_refuses_a_state_that_contradicts_its_dates(values: dict[str, object]) -> None:
    [pk] = outbox.write_messages([draft()])
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=pk).update(**values)
