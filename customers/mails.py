"""Mails about an account: its credentials, a link that opens it, a password that changed."""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from customers.links import LIFETIMES, PAGES, Purpose, write_reference
from customers.models import Account
from customers.space_urls import space_url
from mailing.composition import SECRET_MASK, Composed, LoadedTemplate, MailLook, compose
from mailing.failed_addresses import TO_FORMER_ADDRESS
from mailing.identity import SenderIdentity, identity_for
from mailing.outbox import Draft
from mailing.placeholders import (
    SECRET_PLACEHOLDER,
    Placeholder,
    brief_values_of,
    register_message,
    register_placeholders,
    values_of,
)


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """Whom a mail addresses: the account that receives it, and the name by which it greets."""

    account: Account
    name: str


def register_mail_values() -> None:
    """Register the placeholders that an account fills, and the message of credentials."""
    register_placeholders(
        AccountHolder,
        Placeholder("#NOM_CLIENT", gettext_lazy("nom du client"), lambda holder: holder.name, "Boulangerie Martin"),
        Placeholder(
            "#LOGIN_CONNEXION",
            gettext_lazy("identifiant de connexion"),
            lambda holder: holder.account.login,
            "compta@martin.exemple",
            is_copied=True,
        ),
        Placeholder(
            SECRET_PLACEHOLDER,
            gettext_lazy("mot de passe provisoire"),
            lambda _holder: SECRET_MASK,
            SECRET_MASK,
            is_copied=True,
        ),
    )
    register_message("credentials", SenderIdentity, AccountHolder, expected=("#LOGIN_CONNEXION", SECRET_PLACEHOLDER))


def draft_credentials_mail(*, account: Account, template: LoadedTemplate, sending: str) -> Draft:
    """The credentials of ``account``; the secret itself is put in when the mail leaves.

    ``sending`` distinguishes one wanted sending from the next: the same one is never written twice.
    """
    identity = identity_for(account.pk)
    preferences = space_url("account", host=identity.host)
    subjects = (identity, AccountHolder(account, account.get_full_name()))
    worded = template.in_language(identity.language_for(account.language))
    with override(worded.language):
        composed = compose(
            worded,
            values_of(*subjects),
            MailLook(
                company_name=identity.company,
                colour=identity.colour,
                space_url=identity.space_root,
                button_label=_("Ouvrir mon espace"),
                button_url=space_url("login", host=identity.host),
                preferences_url=preferences,
            ),
            brief_values_of(*subjects),
        )
    return _draft(
        account,
        identity,
        composed,
        key=f"credentials:{account.pk}:{sending}",
        kind=str(template.key),
        secret_reference=str(account.pk) if composed.shows_secret else "",
        unsubscribe_url=preferences,
    )


_WORDS = {Purpose.SIGN_IN: "mail/sign_in_link.txt", Purpose.PASSWORD: "mail/password_link.txt"}


def draft_link_mail(*, account: Account, purpose: Purpose, sending: str, target: str = "") -> Draft:
    """A mail with the link that opens the space of ``account`` once; the link itself is made when the mail leaves.

    ``target`` is the page that it leads on to (a path of the site), or empty.
    """
    query = f"?{urlencode({'next': target})}" if target else ""
    return _draft_of_account(
        account,
        _WORDS[purpose],
        {"minutes": int(LIFETIMES[purpose].total_seconds() // 60)},
        key=f"{purpose}:{account.pk}:{sending}",
        button=(PAGES[purpose], SECRET_MASK),
        query=query,
        secret_reference=write_reference(account, purpose),
    )


def draft_password_changed_mail(*, account: Account, sending: str) -> Draft:
    """Notify the owner of ``account`` that its password has changed (CNIL, délibération 2022-100)."""
    return _draft_of_account(
        account,
        "mail/password_changed.txt",
        {},
        key=f"password-changed:{account.pk}:{sending}",
        button=("ask_password_link",),
    )


def draft_login_moved_mail(*, account: Account, now: str) -> Draft:
    """Notify the address by which ``account`` logs in that ``now`` takes its place; written before it does."""
    draft = _draft_of_account(
        account,
        "mail/login_moved.txt",
        {"now": now},
        key=f"login-moved:{account.pk}:{account.login}:{now}",
        button=("home",),
    )
    return replace(draft, kind=TO_FORMER_ADDRESS)


def _draft_of_account(
    account: Account,
    words: str,
    context: dict[str, Any],
    *,
    key: str,
    button: tuple[str, ...],
    query: str = "",
    secret_reference: str = "",
) -> Draft:
    """The mail whose words are in the template ``words``: its first line is the subject, its last one the button.

    ``button`` is the page to which the button leads, by its name and arguments, with ``query`` behind.
    """
    identity = identity_for(account.pk)
    with override(identity.language_for(account.language)):
        subject, _blank, rest = render_to_string(words, context).strip().partition("\n")
        body, _blank, button_label = rest.strip().rpartition("\n")
        composed = compose(
            LoadedTemplate(key="account", version=1, subject=subject, body=body),
            values_of(identity, AccountHolder(account, account.get_full_name())),
            MailLook(
                company_name=identity.company,
                colour=identity.colour,
                space_url=identity.space_root,
                button_label=button_label,
                button_url=space_url(*button, host=identity.host) + query,
            ),
        )
    return _draft(account, identity, composed, key=key, kind="account", secret_reference=secret_reference)


def _draft(
    account: Account,
    identity: SenderIdentity,
    composed: Composed,
    *,
    key: str,
    kind: str,
    secret_reference: str,
    unsubscribe_url: str = "",
) -> Draft:
    """The mail ``composed``, from ``identity`` to the owner of ``account``."""
    return Draft(
        key=key,
        kind=kind,
        recipient=account.login,
        recipient_name=account.name,
        sender=identity.address or settings.DEFAULT_FROM_EMAIL,
        sender_name=identity.name,
        reply_to=identity.reply_to,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        secret_reference=secret_reference,
        unsubscribe_url=unsubscribe_url,
    )
