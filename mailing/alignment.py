"""What the last check of deliverability found, and the question it leads to before a large export."""

import datetime
from collections.abc import Callable, Mapping

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailing.addresses import InvalidAddressError
from mailing.deliverability import NoMailServerError, Setting, Verdict, current_setting
from mailing.destinations import is_large
from mailing.models import OutboxControl
from mailing.transports import uses_smtp

# More recipients than these at one large provider (Gmail asks more of those who send much, from 5,000 a day on).
MOST_WITHOUT_QUESTION = 500


def note_check(verdict: Verdict, now: datetime.datetime) -> None:
    """Remember what ``verdict`` says, and of which settings."""
    OutboxControl.objects.get_or_create(pk=1)
    found = {"setting": _digest(verdict.setting), "is_aligned": verdict.is_aligned, "checked_at": now.isoformat()}
    OutboxControl.objects.filter(pk=1).update(alignment=found)


def _digest(setting: Setting) -> list[str]:
    return [setting.sender_domain, setting.return_domain, setting.relay, setting.dkim_domain]


def question_before(recipients: Callable[[], Mapping[str, int]]) -> str:
    """Why somebody should confirm mails to so many ``recipients`` per destination; "" where no one has to.

    ``recipients`` is called where the last check does not say that our mails are aligned (RFC 7489 § 3.1).
    """
    if not uses_smtp():
        return ""
    row = OutboxControl.objects.filter(pk=1).first()
    found = row.alignment if row is not None else {}
    try:
        is_known = bool(found) and found["setting"] == _digest(current_setting())
    except (NoMailServerError, InvalidAddressError):
        is_known = False
    if is_known and found["is_aligned"]:
        return ""
    many = {where: count for where, count in recipients().items() if is_large(where) and count > MOST_WITHOUT_QUESTION}
    if not many:
        return ""
    names = ", ".join(_("%(count)d chez %(name)s") % {"count": many[name], "name": name} for name in sorted(many))
    if is_known:
        day = date_format(timezone.localtime(datetime.datetime.fromisoformat(found["checked_at"])), "d/m/Y")
        doubt = _(
            "le contrôle du %(day)s a trouvé que ni SPF ni DKIM ne répondent de notre adresse d’expédition. Un grand "
            "fournisseur peut refuser tous ces mails."
        ) % {"day": day}
    else:
        doubt = _("personne n’a vérifié avec ces réglages que SPF ou DKIM répondent de notre adresse d’expédition.")
    return _("Destinataires : %(names)s. Or %(doubt)s À faire d’abord : Délivrabilité, ou manage.py check_mail.") % {
        "names": names,
        "doubt": doubt,
    }
