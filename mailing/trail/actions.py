"""What the trail records: the key of each act, as it is in entries for good, and its words."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Action(TextChoices):
    """An act. A key is never used again for another one."""

    SIGNED_IN = "signed-in", _("connexion")
    SIGN_IN_REFUSED = "sign-in-refused", _("connexion refusée")
    SIGNED_OUT = "signed-out", _("déconnexion")
    CREDENTIALS_MADE = "credentials-made", _("identifiants créés")
    CREDENTIALS_SENT = "credentials-sent", _("identifiants envoyés")
    ACCOUNT_CLOSED = "account-closed", _("compte désactivé")
    ACCOUNT_OPENED = "account-opened", _("compte activé")
    PASSWORD_CHOSEN = "password-chosen", _("mot de passe choisi")
    ADDRESS_CHANGED = "address-changed", _("adresse corrigée")
    COPIES_CHANGED = "copies-changed", _("nombre de factures à éditer modifié")
    EXPORT_BEGUN = "export-begun", _("export commencé")
    EXPORT_ENDED = "export-ended", _("export terminé")
    EXPORT_CANCELLED = "export-cancelled", _("export annulé")
    PUBLISHED = "published", _("facture publiée")
    NEW_VERSION = "new-version", _("nouvelle version de document")
    CONSULTED = "consulted", _("facture consultée")
    DOCUMENT_MISSING = "document-missing", _("document introuvable dans le stockage")
    ADDED = "added", _("ajout")
    CHANGED = "changed", _("modification")
    DELETED = "deleted", _("suppression")
    PURGED = "purged", _("purge de données personnelles")
    PERSON_EXPORTED = "person-exported", _("données d’une personne remises")
    PERSON_ERASED = "person-erased", _("personne effacée")
    PROOF_EXPORTED = "proof-exported", _("dossier de preuve remis")
    LEFT = "left", _("données emportées")
    BACKED_UP = "backed-up", _("sauvegarde")
    RESTORED = "restored", _("restauration")
    ROOT_STAMPED = "root-stamped", _("racine horodatée")
