"""The mail that gives an account its credentials."""

from django.conf import settings
from django.utils.translation import gettext as _

from customers.models import Account
from mailing.composition import SECRET_MASK, LoadedTemplate, MailLook, compose
from mailing.identity import default_identity
from mailing.outbox import Draft


def draft_credentials_mail(*, account: Account, template: LoadedTemplate, sending: str) -> Draft:
    """The credentials of ``account``; the secret itself is put in when the mail leaves.

    ``sending`` tells one wanted sending from the next: the same one is never written twice.
    """
    identity = default_identity()
    preferences = f"{settings.PORTAL_URL}/compte/"
    composed = compose(
        template,
        {
            "#LOGIN_CONNEXION": account.login,
            "#PWD_CONNEXION": SECRET_MASK,
            "#NOM_CLIENT": account.name,
            "#SOCIETE": identity.company,
            "#URL_ESPACE": settings.PORTAL_URL,
        },
        MailLook(
            company_name=identity.company,
            colour=identity.colour,
            space_url=settings.PORTAL_URL,
            button_label=_("Ouvrir mon espace"),
            button_url=f"{settings.PORTAL_URL}/connexion/",
            preferences_url=preferences,
        ),
    )
    return Draft(
        key=f"credentials:{account.pk}:{sending}",
        kind=str(template.key),
        recipient=account.login,
        recipient_name=account.name,
        sender=identity.address or settings.DEFAULT_FROM_EMAIL,
        sender_name=identity.name,
        reply_to=identity.reply_to,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        secret_reference=str(account.pk) if composed.shows_secret else "",
        unsubscribe_url=preferences,
    )
