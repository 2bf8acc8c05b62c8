"""Real worker processes: killed, stopped, side by side, their database cut. No mail is lost, none is sent twice."""

import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from mailing import outbox
from mailing.heartbeats import last_heartbeat
from mailing.models import Message
from mailing.outbox import Draft
from tests.support.shared_database import SharedDatabase, ended
from tests.support.smtp_sink import Sink, running

pytestmark = pytest.mark.django_db(transaction=True)

CONNECTIONS = 2


@pytest.fixture
def shared(tmp_path: Path) -> SharedDatabase:
    """The test's database, lent to children."""
    return SharedDatabase(tmp_path)


def write_mails(number: int) -> None:
    """So many mails in the outbox."""
    outbox.write_messages(
        Draft(
            key=f"k{count}",
            kind="invoice",
            recipient=f"client{count}@exemple.fr",
            sender="compta@exemple.fr",
            subject="Votre facture",
            text="Bonjour",
        )
        for count in range(number)
    )


def settings_of(port: int, **more: str) -> dict[str, str]:
    """What a worker needs to know, by its environment."""
    return {
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "MAIL_CONNECTIONS": str(CONNECTIONS),
        "MAIL_LEASE_SECONDS": "2",
        **more,
    }


def states() -> Counter[str]:
    """How many mails are in which state."""
    return Counter(Message.objects.values_list("state", flat=True))


def test_a_worker_killed_between_the_servers_yes_and_its_own_record_sends_again_only_what_it_held(
    shared: SharedDatabase,
) -> None:
    number, kills = 30, [4, 11, 19]
    write_mails(number)
    shared.lend()
    sink = Sink()
    victim: list[int] = []

    def kill_at_acceptance(_recipient: str) -> None:
        if kills and len(sink.mails) >= kills[0]:
            kills.pop(0)
            os.kill(victim[0], signal.SIGKILL)

    sink.on_accept = kill_at_acceptance
    killed = 0
    with running(sink) as port:
        while len(set(sink.message_ids)) < number or killed < 3:
            child = shared.start("send_queued_mail", **settings_of(port))
            victim[:] = [child.pid]
            code, output = ended(child)
            assert code in (0, -signal.SIGKILL), output
            killed += code == -signal.SIGKILL
            time.sleep(0.3)
        time.sleep(2.1)  # the lease of the last victim ends
        code, output = ended(shared.start("send_queued_mail", **settings_of(port)))
        assert code == 0, output
    shared.take_back()
    assert killed == 3
    assert states() == {"accepted": number}
    received = Counter(sink.message_ids)
    assert set(received) == set(Message.objects.values_list("message_id", flat=True))
    assert 1 <= sum(received.values()) - number <= killed * CONNECTIONS


def test_a_worker_asked_to_stop_finishes_what_it_holds_and_leaves_the_rest(shared: SharedDatabase) -> None:
    write_mails(20)
    shared.lend()
    sink = Sink()
    sink.delay = 0.5
    accepted = threading.Event()
    sink.on_accept = lambda _recipient: accepted.set()
    with running(sink) as port:
        child = shared.start("send_queued_mail", "--loop", **settings_of(port))
        assert accepted.wait(30)
        child.send_signal(signal.SIGTERM)
        code, output = ended(child, timeout=10)
    shared.take_back()
    assert code == 0, output
    assert states() == {"accepted": len(sink.mails), "queued": 20 - len(sink.mails)}
    assert len(sink.mails) < 20
    assert last_heartbeat("mail") is None


def test_a_worker_that_waits_shows_its_pulse_and_sends_what_comes(shared: SharedDatabase) -> None:
    write_mails(1)
    shared.lend()
    sink = Sink()
    arrived = threading.Event()
    sink.on_accept = lambda _recipient: arrived.set()
    with running(sink) as port:
        child = shared.start("send_queued_mail", "--loop", **settings_of(port))
        assert arrived.wait(30)
        child.send_signal(signal.SIGKILL)  # so that it has no time to say goodbye
        child.communicate()
    shared.take_back()
    pulse = last_heartbeat("mail")
    assert pulse is not None
    assert pulse.name.endswith(f":{child.pid}")
    assert (timezone.now() - pulse.seen_at).total_seconds() < 60


def test_two_workers_share_one_outbox_without_a_mail_sent_twice(shared: SharedDatabase) -> None:
    write_mails(60)
    shared.lend()
    sink = Sink()
    sink.delay = 0.1
    with running(sink) as port:
        children = [shared.start("send_queued_mail", **settings_of(port)) for _ in range(2)]
        for code, output in [ended(child) for child in children]:
            assert code == 0, output
    shared.take_back()
    assert states() == {"accepted": 60}
    assert Counter(sink.message_ids) == dict.fromkeys(Message.objects.values_list("message_id", flat=True), 1)


def test_two_workers_together_keep_the_pace_of_a_minute(shared: SharedDatabase) -> None:
    write_mails(20)
    shared.lend()
    sink = Sink()
    with running(sink) as port:
        settings = settings_of(port, MAIL_PER_MINUTE="7", MAIL_LEASE_SECONDS="60")
        children = [shared.start("send_queued_mail", "--loop", **settings) for _ in range(2)]
        deadline = time.monotonic() + 30
        while len(sink.mails) < 7 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(3)  # time enough for many more, if nothing held them back
        for child in children:
            child.send_signal(signal.SIGTERM)
        for code, output in [ended(child) for child in children]:
            assert code == 0, output
    shared.take_back()
    assert len(sink.mails) == 7
    assert states() == {"accepted": 7, "queued": 13}


def _cut_postgresql(spared: list[int]) -> None:
    """Cut every connection but the test's own, as a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND NOT pid = ANY(%s)",
            [spared],
        )


def _hold_sqlite(shared: SharedDatabase) -> None:
    """Hold the write lock for a moment, as a long import does."""
    holder = sqlite3.connect(shared.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(1)
    holder.execute("ROLLBACK")
    holder.close()


def test_a_database_cut_right_after_the_servers_yes_sends_nothing_twice(shared: SharedDatabase) -> None:
    write_mails(20)
    shared.lend()
    sink = Sink()
    spared: list[int] = []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            spared = [row[0] for row in cursor.fetchall()]

    def cut_at_acceptance(_recipient: str) -> None:
        if len(sink.mails) in (3, 9):
            cutter = threading.Thread(target=cut_and_close)
            cutter.start()
            cutter.join()

    def cut_and_close() -> None:
        if connection.vendor == "postgresql":
            _cut_postgresql(spared)
        else:
            _hold_sqlite(shared)
        connection.close()  # the one of this thread

    sink.on_accept = cut_at_acceptance
    with running(sink) as port:
        code, output = ended(shared.start("send_queued_mail", **settings_of(port, MAIL_LEASE_SECONDS="60")))
    shared.take_back()
    assert code == 0, output
    assert ("database:" in output) is (connection.vendor == "postgresql")  # the cut was felt
    assert states() == {"accepted": 20}
    assert Counter(sink.message_ids) == dict.fromkeys(Message.objects.values_list("message_id", flat=True), 1)
