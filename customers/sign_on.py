"""Who an identity of the issuer is here: a member of staff, found, joined or created; never a customer."""

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.history import write_history
from customers.issuer import SUPERUSER, Issuer, RefusedIdentityError, granted_groups, verified_address
from customers.logins import LONGEST_LOGIN, canonical_login
from customers.models import Account, IssuerIdentity

logger = logging.getLogger(__name__)


def account_of_identity(claims: Mapping[str, Any], issuer: Issuer) -> Account | None:
    """The account that the subject of ``claims`` has already; None where it has none."""
    found = (
        IssuerIdentity.objects.filter(issuer=issuer.address, subject=claims["sub"]).select_related("account").first()
    )
    return found.account if found else None


def sign_on(claims: Mapping[str, Any], issuer: Issuer, *, always_says_verified: bool) -> Account:
    """The open account of staff of the one whom ``claims`` (already checked) are about, its groups as they say.

    Raises :class:`~customers.issuer.RefusedIdentityError`. Who lost all groups loses them here too, with his sessions.
    """
    granted = granted_groups(claims, issuer)
    for is_again in (False, True):
        try:
            with transaction.atomic():
                account = _find(claims, issuer) or _join(claims, issuer, granted, always_says_verified)
                is_granted = _set_groups(account, granted, issuer)
        except IntegrityError:
            if is_again:
                raise
            continue  # the same person in two windows: the other one has written the rows
        if not is_granted:
            raise _no_group(issuer)
        return account
    raise AssertionError


def _find(claims: Mapping[str, Any], issuer: Issuer) -> Account | None:
    known = account_of_identity(claims, issuer)
    if known is None:
        return None
    account = Account.objects.select_for_update().get(pk=known.pk)
    _check_is_open(account, issuer)
    return account


def _join(claims: Mapping[str, Any], issuer: Issuer, granted: frozenset[str], always_says_verified: bool) -> Account:
    """The first time: the account of staff of that verified address, else a new one. IntegrityError in a race."""
    if not granted:
        raise _no_group(issuer)
    login = canonical_login(verified_address(claims, issuer, always_says_verified=always_says_verified))
    if len(login) > LONGEST_LOGIN:
        raise RefusedIdentityError("email", "Cette adresse e-mail est trop longue pour un identifiant.")
    account = Account.objects.select_for_update().filter(login=login).first()
    if account is None:
        account = Account.objects.create_user(login, name=str(claims.get("name") or "")[:200], is_staff=True)
        write_history(account.pk, [account], f"Compte créé à la première connexion par {issuer.name}.")
    else:
        _check_may_join(account, granted, issuer)
        write_history(account.pk, [account], f"Compte relié à {issuer.name}.")
    IssuerIdentity.objects.create(account=account, issuer=issuer.address, subject=claims["sub"])
    if account.must_change_password:  # drawn by us, and of no use any more
        account.set_unusable_password()
        account.must_change_password, account.provisional_password = False, ""
        account.provisional_expires_at = None
        account.save()
    return account


def _check_may_join(account: Account, granted: frozenset[str], issuer: Issuer) -> None:
    if not account.is_staff:
        raise RefusedIdentityError(
            "customer", f"{account.login} est l’identifiant d’un client : il n’ouvre pas le back-office."
        )
    _check_is_open(account, issuer)
    if account.identities.filter(issuer=issuer.address).exists():
        raise RefusedIdentityError(
            "other-subject",
            f"{account.login} a déjà servi à une autre personne de {issuer.name}. Demandez à votre administrateur de "
            "désactiver ou de renommer son compte.",
        )
    if account.is_superuser and SUPERUSER not in granted:
        raise RefusedIdentityError(
            "superuser",
            f"{account.login} est administrateur : {issuer.name} ne l’ouvre que si OIDC_GROUPS donne « {SUPERUSER} » à "
            "l’un de vos groupes. Connectez-vous par mot de passe.",
        )


def _check_is_open(account: Account, issuer: Issuer) -> None:
    if account.login == issuer.emergency_login:
        raise RefusedIdentityError("emergency", "Le compte de secours se connecte par mot de passe.")
    if not account.is_active or not account.is_staff:
        raise RefusedIdentityError("closed", f"Le compte {account.login} est désactivé dans ce portail.")


def _set_groups(account: Account, granted: frozenset[str], issuer: Issuer) -> bool:
    """Give ``account`` the mapped groups that are granted, take the others of them; True where it has one of them."""
    mapped = {group.name: group for group in Group.objects.filter(name__in=issuer.mapped_groups)}
    if unknown := sorted(granted - mapped.keys() - {SUPERUSER}):
        logger.warning("OIDC_GROUPS names groups that do not exist: %s", ", ".join(unknown))
    present = set(account.groups.filter(name__in=mapped).values_list("name", flat=True))
    wanted = granted & mapped.keys()
    account.groups.add(*(mapped[name] for name in wanted - present))
    account.groups.remove(*(mapped[name] for name in present - wanted))
    changes = [*(f"+ {name}" for name in sorted(wanted - present)), *(f"- {name}" for name in sorted(present - wanted))]
    is_super = SUPERUSER in granted
    if SUPERUSER in issuer.mapped_groups and account.is_superuser != is_super:
        account.is_superuser = is_super
        account.save(update_fields=["is_superuser"])
        changes.append(f"{'+' if is_super else '-'} {SUPERUSER}")
    if changes:
        write_history(account.pk, [account], f"Groupes selon {issuer.name} : {', '.join(changes)}.")
    if wanted or is_super:
        return True
    if changes:  # what is open elsewhere ends with the rights
        account.sessions_closed_at = timezone.now()
        account.save(update_fields=["sessions_closed_at"])
    return False


def _no_group(issuer: Issuer) -> RefusedIdentityError:
    return RefusedIdentityError(
        "no-group",
        f"{issuer.name} vous reconnaît, mais aucun de vos groupes n’ouvre le back-office. Demandez à votre "
        "administrateur de vous ajouter à l’un d’eux.",
    )
