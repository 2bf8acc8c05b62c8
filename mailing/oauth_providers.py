"""The companies whose mail servers ask for OAuth 2.0: their authorization servers, and what these answer.

Sources: Microsoft, «Authenticate an IMAP, POP or SMTP connection using OAuth» and «Microsoft Entra authentication and
authorization error codes»; Google, «OAuth 2.0 Mechanism» (Gmail) and «Using OAuth 2.0 for Server to Server
Applications». Any other issuer is described by the settings alone.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The ways to a token: the application in its own name, a person who agrees once, a key of a service account.
FLOWS = ("client_credentials", "device", "service_account")


@dataclass(frozen=True)
class Provider:
    """An issuer of tokens. ``{tenant}`` in its addresses is the directory of the company; ``scopes`` are by flow."""

    token_url: str = ""
    device_url: str = ""
    default_flow: str = "client_credentials"
    scopes: tuple[tuple[str, str], ...] = ()

    def scope(self, flow: str) -> str:
        """What a token of ``flow`` must open, by default."""
        return dict(self.scopes).get(flow, "")


PROVIDERS = {
    "microsoft": Provider(
        token_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",  # noqa: S106 - an address
        device_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode",
        scopes=(
            ("client_credentials", "https://outlook.office365.com/.default"),
            (
                "device",
                "https://outlook.office.com/SMTP.Send https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
            ),
        ),
    ),
    "google": Provider(
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        device_url="https://oauth2.googleapis.com/device/code",
        default_flow="service_account",
        scopes=(("service_account", "https://mail.google.com/"), ("device", "https://mail.google.com/")),
    ),
    "autre": Provider(),
}

# A word of the answer (its error, its description) → what it means and what to do. The first that is found counts.
_MEANINGS: tuple[tuple[str, str | Promise], ...] = (
    (
        "AADSTS7000222",
        _("le secret de l’application a expiré : en créer un autre et le mettre dans MAIL_OAUTH_CLIENT_SECRET"),
    ),
    (
        "AADSTS7000215",
        _("MAIL_OAUTH_CLIENT_SECRET n’est pas le secret de l’application (mettre sa valeur, non son nom)"),
    ),
    ("AADSTS700016", _("l’application MAIL_OAUTH_CLIENT_ID est inconnue de cet annuaire : vérifier MAIL_OAUTH_TENANT")),
    ("AADSTS90002", _("l’annuaire MAIL_OAUTH_TENANT n’existe pas")),
    ("AADSTS65001", _("le consentement manque ou a été retiré : le redonner, puis relancer « manage.py mail_auth »")),
    ("AADSTS5007", _("une double authentification est demandée : relancer « manage.py mail_auth »")),
    ("AADSTS50173", _("le mot de passe du compte a changé : relancer « manage.py mail_auth »")),
    ("AADSTS700082", _("l’accès n’a pas servi assez longtemps et a expiré : relancer « manage.py mail_auth »")),
    ("AADSTS70011", _("la portée demandée n’est pas valable : vérifier MAIL_OAUTH_SCOPES")),
    ("AADSTS500011", _("la portée demandée n’est pas celle de la messagerie : vérifier MAIL_OAUTH_SCOPES")),
    ("invalid_grant", _("le consentement a été retiré ou a expiré : relancer « manage.py mail_auth »")),
    ("invalid_client", _("l’application est refusée : vérifier MAIL_OAUTH_CLIENT_ID et MAIL_OAUTH_CLIENT_SECRET")),
    (
        "unauthorized_client",
        _("l’application n’a pas le droit d’obtenir ce jeton : l’y autoriser, ou changer MAIL_OAUTH_FLOW"),
    ),
    (
        "unsupported_grant_type",
        _("le fournisseur ne connaît pas cette façon de se connecter : changer MAIL_OAUTH_FLOW"),
    ),
    (
        "invalid_scope",
        _("la portée demandée n’est pas permise : vérifier MAIL_OAUTH_SCOPES, ou changer MAIL_OAUTH_FLOW"),
    ),
    ("invalid_target", _("la portée demandée n’est pas celle de la messagerie : vérifier MAIL_OAUTH_SCOPES")),
    ("access_denied", _("la demande a été refusée : relancer « manage.py mail_auth » et accepter")),
    ("expired_token", _("le code n’a pas été saisi à temps : relancer « manage.py mail_auth »")),
    ("interaction_required", _("le fournisseur veut voir une personne : relancer « manage.py mail_auth »")),
    ("consent_required", _("le consentement manque ou a été retiré : relancer « manage.py mail_auth »")),
)
_UNKNOWN = _("le fournisseur refuse la demande : vérifier les réglages MAIL_OAUTH_…")


def explain(error: str, description: str) -> str:
    """What an authorization server's refusal (RFC 6749 § 5.2) means and what to do, in French, without a full stop."""
    said = f"{description} {error}"
    return str(next((meaning for word, meaning in _MEANINGS if word in said), _UNKNOWN))
