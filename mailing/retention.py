"""What is forgotten of mails after their time: what they said, not that they left, nor to whom."""

import datetime
from typing import Final

from mailing.models import FailedAddress, Message, Reply
from mailing.plain_text import ERASED_TEXT

_AT_ONCE: Final = 1000


def erase_bodies(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget the text of mails that ended before that moment; how many. Such a mail is never sent again."""
    old = Message.objects.filter(created_at__lt=before).exclude(state__in=Message.PENDING_STATES)
    whole = old.exclude(text=ERASED_TEXT).order_by()
    if dry_run:
        return whole.count()
    count = 0
    # In steps, each a short transaction: the mailer goes on beside it.
    while keys := list(whole.values_list("pk", flat=True)[:_AT_ONCE]):
        count += Message.objects.filter(pk__in=keys).update(text=ERASED_TEXT, html="")
    return count


def erase_replies(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget who wrote what to the return address, where somebody dealt with it before that moment; how many."""
    closed = Reply.objects.filter(received_at__lt=before).exclude(state__in=Reply.OPEN_STATES)
    return closed.count() if dry_run else closed.delete()[1].get("mailing.Reply", 0)


def erase_failed_addresses(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget addresses in error that were put right before that moment; how many."""
    resolved = FailedAddress.objects.filter(resolved_at__lt=before)
    return resolved.count() if dry_run else resolved.delete()[0]


def erase_recipient(addresses: set[str], *, by: str) -> int:
    """Put ``by`` in place of a person's addresses in the outbox, and delete the texts sent to him; how many mails."""
    ended = Message.objects.exclude(state__in=Message.PENDING_STATES)
    theirs = ended.filter(recipient__in=addresses)
    FailedAddress.objects.filter(address__in=[address.lower() for address in addresses]).delete()
    Reply.objects.filter(sender__in=addresses).exclude(state__in=Reply.OPEN_STATES).delete()
    return theirs.update(recipient=by, recipient_name="", html="", text=ERASED_TEXT)
