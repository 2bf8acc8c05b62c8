"""One session that two requests of a browser change at once."""

from typing import Any

import pytest

from portal.models import Session
from portal.notices import NoticeStorage, leave_notice
from portal.sessions import SessionStore

pytestmark = pytest.mark.django_db


def open_session(**data: Any) -> str:
    session = SessionStore()
    session.update(data)
    session.save()
    assert session.session_key
    return session.session_key


def test_two_requests_of_one_browser_keep_what_the_other_wrote_in_the_session() -> None:
    key = open_session(kept="1", changed="1", removed="1")
    mine, theirs = SessionStore(key), SessionStore(key)
    assert mine["kept"] == theirs["kept"]
    mine["changed"] = "2"
    del mine["removed"]
    theirs["new"] = "3"

    theirs.save()
    mine.save()
    mine["last"] = "4"
    mine.save()

    assert dict(SessionStore(key).items()) == {"kept": "1", "changed": "2", "new": "3", "last": "4"}


def test_notices_of_two_archives_that_end_at_once_are_both_shown(rf: Any) -> None:
    key = open_session(theirs="before")
    request = rf.get("/")
    request.session = SessionStore(key)
    request.session["theirs"] = "after"

    leave_notice(request, "Il manque A.")
    leave_notice(request, "Il manque B.")
    request.session.save()

    later = rf.get("/")
    later.session = SessionStore(key)
    assert later.session["theirs"] == "after"
    assert {str(message) for message in NoticeStorage(later)} == {"Il manque A.", "Il manque B."}
    later.session.save()
    assert list(SessionStore(key).keys()) == ["theirs"]


def test_a_notice_for_one_who_signed_out_meanwhile_opens_no_new_session(rf: Any) -> None:
    request = rf.get("/")
    request.session = SessionStore(open_session(theirs="before"))
    SessionStore(request.session.session_key).delete()

    leave_notice(request, "Il manque A.")

    assert not Session.objects.exists()
