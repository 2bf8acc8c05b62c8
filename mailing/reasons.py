"""Why a server did not take a mail: what each reason means, whose fault it is, and what to do about it."""

from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(Enum):
    """Why a server did not take a mail; ``value`` is what the database keeps."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    NO_MAIL_DOMAIN = "no-domain"
    FULL = "full"
    SIZE = "size"
    LOOP = "loop"
    GREYLISTED = "greylisted"
    PACE = "pace"
    TEMPORARY = "temporary"
    CONTENT = "content"
    POLICY = "policy"
    OTHER = "other"
    HELO = "helo"
    SENDER = "sender"
    IDENTITY = "identity"
    BLOCKLIST = "blocklist"
    REPUTATION = "reputation"
    RELAY = "relay"
    LOGIN = "login"
    QUOTA = "quota"

    @property
    def blames_address(self) -> bool:
        """True where the address itself is bad: another mail will fare the same until somebody corrects it."""
        return self in (Reason.UNKNOWN, Reason.DISABLED, Reason.NO_MAIL_DOMAIN)

    @property
    def is_ours(self) -> bool:
        """True where our own server, domain or access is refused: every other mail will fare the same."""
        return self in _OURS

    @property
    def passes(self) -> bool:
        """True where waiting is all there is to do."""
        return self in (Reason.LOOP, Reason.GREYLISTED, Reason.PACE, Reason.TEMPORARY, Reason.QUOTA)

    @property
    def words(self) -> str:
        """What happened, in French."""
        return str(MEANINGS[self][0])

    @property
    def remedy(self) -> str:
        """What to do, in French."""
        return str(MEANINGS[self][1])


_OURS = frozenset(
    {
        Reason.HELO,
        Reason.SENDER,
        Reason.IDENTITY,
        Reason.BLOCKLIST,
        Reason.REPUTATION,
        Reason.RELAY,
        Reason.LOGIN,
        Reason.QUOTA,
    }
)

MEANINGS: dict[Reason, tuple[str | Promise, str | Promise]] = {
    Reason.UNKNOWN: (_("L’adresse est refusée"), _("Demander la bonne adresse au client.")),
    Reason.DISABLED: (_("L’adresse est refusée, sa boîte est fermée"), _("Demander une autre adresse au client.")),
    Reason.NO_MAIL_DOMAIN: (
        _("L’adresse est refusée, son domaine ne reçoit pas de mails"),
        _("Vérifier ce qui suit le @ avec le client."),
    ),
    Reason.FULL: (_("La boîte du destinataire est pleine"), _("Prévenir le client, puis réessayer.")),
    Reason.SIZE: (_("Le mail est trop gros pour le serveur"), _("Envoyer le lien sans pièce jointe.")),
    Reason.LOOP: (_("Le mail tourne en rond chez le destinataire"), _("Le signaler au client, puis réessayer.")),
    Reason.GREYLISTED: (_("Le serveur fait attendre un premier mail"), _("Rien à faire : le mail est représenté.")),
    Reason.PACE: (_("Le serveur demande d’aller moins vite"), _("Rien à faire : le mail est représenté.")),
    Reason.TEMPORARY: (_("Le serveur n’a pas pris le mail"), _("Rien à faire, sinon réessayer plus tard.")),
    Reason.CONTENT: (_("Le serveur ne veut pas de ce mail, pris pour indésirable"), _("Prévenir le client autrement.")),
    Reason.POLICY: (_("Le serveur ne veut pas de ce mail"), _("Demander au client d’autoriser notre adresse.")),
    Reason.OTHER: (_("Le serveur ne veut pas de ce mail, sans dire clairement pourquoi"), _("Lire sa réponse.")),
    Reason.HELO: (
        _("Notre serveur est refusé : son nom (HELO, DNS inverse) ne convient pas"),
        _("Donner au serveur un nom complet, connu du DNS dans les deux sens."),
    ),
    Reason.SENDER: (
        _("Notre serveur est refusé : l’adresse de l’expéditeur ne convient pas"),
        _("Vérifier l’adresse d’expédition, et que notre compte a le droit d’écrire en son nom."),
    ),
    Reason.IDENTITY: (
        _("Notre serveur est refusé : SPF, DKIM ou DMARC ne sont pas en ordre"),
        _("Corriger les enregistrements SPF, DKIM et DMARC du domaine d’expédition."),
    ),
    Reason.BLOCKLIST: (
        _("Notre serveur est refusé : il est sur une liste noire"),
        _("Demander le retrait de son adresse IP à la liste nommée."),
    ),
    Reason.REPUTATION: (
        _("Notre serveur est refusé : sa réputation, ou celle du domaine, est mauvaise"),
        _("Ralentir l’envoi et s’adresser au fournisseur nommé."),
    ),
    Reason.RELAY: (
        _("Notre serveur est refusé : il n’a pas le droit de transmettre"),
        _("Vérifier EMAIL_URL : serveur, port, identifiants."),
    ),
    Reason.LOGIN: (
        _("Notre serveur est refusé : le serveur refuse notre accès"),
        _("Vérifier les identifiants de EMAIL_URL."),
    ),
    Reason.QUOTA: (
        _("Notre serveur est refusé : la limite d’envoi de notre compte est atteinte"),
        _("Attendre, ou relever la limite chez le fournisseur ; régler MAIL_PER_HOUR dessous."),
    ),
}
