"""What people write to the return address: kept once, with what it answers, until somebody dealt with it."""

from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone

from mailing import correspondence
from mailing.bounces import Effect, take_in
from mailing.mime import build_mail, return_path
from mailing.models import Message, Reply
from mailing.outbox import write_messages
from tests.support.factories import make_staff
from tests.support.sending import draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings: Any) -> Message:
    """A mail that a server accepted."""
    settings.BOUNCE_ADDRESS = "retours@exemple.fr"
    [pk] = write_messages([draft()])
    Message.objects.update(state="accepted", accepted_at=timezone.now(), next_attempt_at=None)
    return Message.objects.get(pk=pk)


def letter(to: str, **headers: str) -> bytes:
    """A mail to the return address, as mail programs write it."""
    mail = EmailMessage()
    known = {"From": "Marie Dupont <marie@client.example>", "Subject": "Absence de TVA sur ma facture"}
    for name, value in {**known, "To": to, "Message-ID": "<q1@client.example>", **headers}.items():
        mail[name] = value
    mail.set_content("Bonjour,\n\nla TVA manque sur la facture 18000135.\n")
    return mail.as_bytes()


def test_what_a_person_wrote_waits_with_the_mail_that_it_answers(sent: Message) -> None:
    assert take_in(letter(return_path(sent)), timezone.now()) is Effect.OTHER

    [reply] = Reply.objects.all()
    assert (reply.kind, reply.state, reply.message) == ("person", "open", sent)
    assert (reply.sender, reply.sender_name) == ("marie@client.example", "Marie Dupont")
    assert (reply.subject, reply.mail_id) == ("Absence de TVA sur ma facture", "<q1@client.example>")
    assert reply.text == "Bonjour,\n\nla TVA manque sur la facture 18000135."


def test_a_mail_that_is_read_twice_is_kept_once(sent: Message) -> None:
    for _ in range(2):
        take_in(letter(return_path(sent)), timezone.now())

    assert Reply.objects.count() == 1


@pytest.mark.parametrize(
    ("headers", "kind", "state"),
    [
        ({"Auto-Submitted": "auto-replied", "Subject": "Absente du bureau"}, "automatic", "done"),
        ({"From": "Mailinblack <noreply@mailinblack.com>", "Subject": "Confirmez votre envoi"}, "challenge", "open"),
        ({"From": "MAILER-DAEMON@mx.example", "Subject": "Notification"}, "unread", "open"),
    ],
)
def test_what_a_machine_wrote_is_recognised(sent: Message, headers: dict[str, str], kind: str, state: str) -> None:
    take_in(letter(return_path(sent), **headers), timezone.now())

    assert list(Reply.objects.values_list("kind", "state")) == [(kind, state)]


def test_the_link_of_a_challenge_is_kept_though_its_mail_is_html(sent: Message) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "noreply@mailinblack.com", return_path(sent), "Confirmez votre envoi"
    mail.set_content('<p>Bonjour, <a href="https://app.mailinblack.example/c?t=1&amp;u=2">je confirme</a></p>', "html")

    take_in(mail.as_bytes(), timezone.now())

    assert Reply.objects.get().text.splitlines()[-1] == "https://app.mailinblack.example/c?t=1&u=2"


def test_an_answer_leaves_once_in_the_thread_of_the_one_who_wrote(sent: Message) -> None:
    take_in(letter(return_path(sent), **{"Reply-To": "compta@client.example"}), timezone.now())
    reply = Reply.objects.get()

    pk = correspondence.answer_by_mail(reply.pk, "Bonjour Marie,\nla voici.", "Nathalie Blanc")

    answer = Message.objects.get(pk=pk)
    mail = build_mail(answer, [], None, timezone.now()).message()
    assert (answer.recipient, answer.subject) == ("compta@client.example", "Re: Absence de TVA sur ma facture")
    assert (mail["In-Reply-To"], mail["Auto-Submitted"]) == ("<q1@client.example>", None)
    assert answer.text.startswith("Bonjour Marie,\nla voici.\n\nLe ")
    assert "\n> la TVA manque sur la facture 18000135." in answer.text
    reply.refresh_from_db()
    assert (reply.state, reply.answer_id, reply.closed_by) == ("answered", pk, "Nathalie Blanc")
    with pytest.raises(correspondence.TooLateError, match="entre-temps"):
        correspondence.answer_by_mail(reply.pk, "Encore", "Paul")
    assert Message.objects.filter(kind="answer").count() == 1


def test_what_is_handed_over_waits_until_it_is_done(sent: Message) -> None:
    colleague = make_staff()
    take_in(letter(return_path(sent)), timezone.now())
    reply = Reply.objects.get()

    correspondence.hand_over(reply.pk, colleague.pk)
    assert correspondence.count_open(colleague.pk) == correspondence.OpenReplies(total=1, mine=1)
    correspondence.mark_done(reply.pk, "Paul")
    assert correspondence.count_open(colleague.pk) == correspondence.OpenReplies(total=0, mine=0)
    correspondence.reopen(reply.pk)
    assert correspondence.count_open(colleague.pk) == correspondence.OpenReplies(total=1, mine=0)
