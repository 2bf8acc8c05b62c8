"""Notices for the next page, from what happens once the answer has left: an archive that lacks a document."""

import logging
import secrets
from typing import Any, Final

from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from invoices.models import Document
from portal.faults import report_missing_documents
from portal.sessions import SessionStore

logger = logging.getLogger(__name__)

# What the keys of such notices in a session begin with; each has one of its own, for two archives may end at once.
LATE: Final = "late_notice_"
MOST_NAMED: Final = 10


class NoticeStorage(FallbackStorage):
    """Django's messages (``MESSAGE_STORAGE``), with those that were left for later."""

    def _get(self, *args: Any, **kwargs: Any) -> Any:
        messages, is_all = super()._get(*args, **kwargs)  # type: ignore[misc]  # the stubs leave it out
        session = self.request.session
        late = [session.pop(key) for key in list(session.keys()) if key.startswith(LATE)]
        return [*(messages or []), *(Message(constants.WARNING, text) for text in late)], is_all


def leave_notice(request: HttpRequest, text: str) -> None:
    """Show ``text`` on the next page of who made ``request``, whose answer may have left; nothing without a session."""
    session = SessionStore(request.session.session_key)
    session[f"{LATE}{secrets.token_hex(4)}"] = text
    if session.session_key is None:  # without a session, or signed out meanwhile: saved, it would be a new session
        return
    try:
        session.save()
    except UpdateError:  # signed out at this moment
        logger.info("a notice had no reader left")


def report_incomplete_archive(request: HttpRequest, name: str, documents: list[Document]) -> None:
    """Say to those who mend it, and on the next page, that the archive ``name`` left without these ``documents``."""
    report_missing_documents(documents)
    named = ", ".join(str(document.invoice) for document in documents[:MOST_NAMED])
    more = "…" if len(documents) > MOST_NAMED else ""
    sentence = _(
        "Dans « %(archive)s », il manque %(documents)s%(more)s : nous ne parvenons pas à les relire, c’est de notre "
        "fait. La panne est notée et signalée à ceux qui s’en occupent."
    )
    leave_notice(request, sentence % {"archive": name, "documents": named, "more": more})
