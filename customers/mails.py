"""Mails about an account: its credentials, a link that opens it, a password that changed."""

from django.conf import settings
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from customers.links import PATHS, Purpose, write_reference
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


def draft_link_mail(*, account: Account, purpose: Purpose, sending: str, target: str = "") -> Draft:
    """A mail with the link that opens the space of ``account`` once; the link itself is made when the mail leaves.

    ``target`` is the page that it leads on to (a path of the site), or empty.
    """
    if purpose == Purpose.SIGN_IN:
        subject = _("Votre lien de connexion")
        body = _(
            "Bonjour,\n\nVoici le lien qui ouvre votre espace, sans mot de passe. Il sert une seule fois, dans les "
            "15 minutes.\n\nSi vous ne l’avez pas demandé, ignorez ce mail : sans le lien, personne n’entre."
        )
        label = _("Ouvrir mon espace")
    else:
        subject = _("Choisir un nouveau mot de passe")
        body = _(
            "Bonjour,\n\nVoici le lien pour choisir un nouveau mot de passe. Il sert une seule fois, dans l’heure.\n\n"
            "Si vous ne l’avez pas demandé, ignorez ce mail : votre mot de passe ne change pas."
        )
        label = _("Choisir mon mot de passe")
    button = settings.PORTAL_URL + PATHS[purpose].format(SECRET_MASK)
    if target:
        button = f"{button}?{urlencode({'next': target})}"
    return _draft_of_account(
        account,
        key=f"{purpose}:{account.pk}:{sending}",
        subject=subject,
        body=body,
        button=(label, button),
        secret_reference=write_reference(account, purpose),
    )


def draft_password_changed_mail(*, account: Account, sending: str) -> Draft:
    """Tell the owner of ``account`` that its password has changed (CNIL, délibération 2022-100)."""
    body = _(
        "Bonjour,\n\nLe mot de passe de votre espace vient d’être changé, et les autres sessions ont été fermées.\n\n"
        "Si ce n’est pas vous, choisissez-en un nouveau dès maintenant."
    )
    return _draft_of_account(
        account,
        key=f"password-changed:{account.pk}:{sending}",
        subject=_("Votre mot de passe a été changé"),
        body=body,
        button=(_("Choisir un nouveau mot de passe"), f"{settings.PORTAL_URL}/connexion/oubli/"),
    )


def _draft_of_account(
    account: Account, *, key: str, subject: str, body: str, button: tuple[str, str], secret_reference: str = ""
) -> Draft:
    identity = default_identity()
    composed = compose(
        LoadedTemplate(key="account", version=1, subject=subject, body=body),
        {},
        MailLook(
            company_name=identity.company,
            colour=identity.colour,
            space_url=settings.PORTAL_URL,
            button_label=button[0],
            button_url=button[1],
        ),
    )
    return Draft(
        key=key,
        kind="account",
        recipient=account.login,
        recipient_name=account.name,
        sender=identity.address or settings.DEFAULT_FROM_EMAIL,
        sender_name=identity.name,
        reply_to=identity.reply_to,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        secret_reference=secret_reference,
    )
