"""What an entry of the trail says beside its act, in French: «de a@x à b@x», «export n° 12, 54 lignes»."""

import json
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models.customer import DEMATERIALISED
from invoices.models import Consultation, Document
from invoices.money import write_count
from mailing.trail.actions import Action
from mailing.trail.models import Entry
from portal.backoffice.ui.changes import describe_values

# How somebody came in, or tried to.
_WAYS = {
    "password": gettext_lazy("par mot de passe"),
    "link": gettext_lazy("par un lien"),
    "issuer": gettext_lazy("par le fournisseur d’identité"),
    "code": gettext_lazy("code de la double authentification"),
}
# What precedes a value, under the key that the record of the act gave it, in the order of the sentence.
_VALUES = {
    "object": gettext_lazy("%s"),
    "change": gettext_lazy("%s"),
    "number": gettext_lazy("n° %s"),
    "export": gettext_lazy("export n° %s"),
    "customer": gettext_lazy("client %s"),
    "login": gettext_lazy("identifiant %s"),
    "version": gettext_lazy("version %s"),
    "sha256": gettext_lazy("SHA-256 %s"),
    "file": gettext_lazy("fichier %s"),
    "backup": gettext_lazy("sauvegarde du %s"),
    "reason": gettext_lazy("motif : %s"),
}
_COUNTS = {
    "lines": (gettext_lazy("facture prête"), gettext_lazy("factures prêtes")),
    "invoices": (gettext_lazy("facture"), gettext_lazy("factures")),
    "documents": (gettext_lazy("document"), gettext_lazy("documents")),
    "damaged": (gettext_lazy("document abîmé"), gettext_lazy("documents abîmés")),
    "rows": (gettext_lazy("ligne"), gettext_lazy("lignes")),
}
_ORDER = [*_VALUES, *_COUNTS]
SHOWN_OF_HASH = 12
# Said by other words of the entry, or of no use to a reader.
_UNSAID = frozenset(
    {"by", "from", "salt", "former", "now", "changed", "changes", "size", "role", "with", "renewed", "channel"}
)


def describe_entry(entry: Entry) -> str:
    """The details of ``entry`` as a sentence, with the values of persons as long as they are kept; empty for none."""
    details = _read(entry.details)
    personal = _read(entry.personal.values) if hasattr(entry, "personal") else {}
    said = {**details, **personal}
    parts = [_how(entry, said), _move(entry, said), _form(said)]
    names = sorted(
        said.keys() - _UNSAID, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
    )
    parts += [_value(name, said[name]) for name in names]
    if origin := personal.get("from"):
        parts.append(_("depuis %s") % origin)
    return capfirst(", ".join(part for part in parts if part))


def describe_object(entry: Entry) -> str:
    """The kind of thing that the entry is about, in the words of the menus, and its key."""
    try:
        kind = str(apps.get_model(entry.object_type)._meta.verbose_name)
    except (LookupError, ValueError):  # none, or one of another version of the portal
        kind = entry.object_type
    key = entry.object_id if entry.object_id.isdecimal() else entry.object_id[:8]
    return f"{kind} {key}".strip() or "–"


def _how(entry: Entry, said: dict[str, Any]) -> str:
    if "with" in said:
        return str(_WAYS.get(str(said["with"]), said["with"]))
    if "renewed" in said:
        return _("mot de passe provisoire renouvelé")
    channel = str(said.get("channel", ""))
    if channel:
        return str(dict(Consultation.Channel.choices).get(channel, channel))
    role = str(said.get("role", ""))
    return str(dict(Document.Role.choices).get(role, role))


def _move(entry: Entry, said: dict[str, Any]) -> str:
    """«de a@x à b@x», where something was replaced."""
    if "former" not in said and "now" not in said:
        return ""
    before, after = (_copies(entry, str(said.get(name) or "")) for name in ("former", "now"))
    if not before:
        return _("a mis %s") % after
    if not after:
        return _("a retiré %s") % before
    return _("a changé de %(before)s à %(after)s") % {"before": before, "after": after}


def _copies(entry: Entry, value: str) -> str:
    is_digital = entry.action == Action.COPIES_CHANGED and value == DEMATERIALISED
    return _("dématérialisée") if is_digital else value


def _form(said: dict[str, Any]) -> str:
    """What a form changed, as Django's history says it."""
    changes = said.get("changes")
    if not isinstance(changes, list):
        return ""
    row = LogEntry(action_flag=2, change_message=json.dumps(changes))
    return (describe_values(row) or row.get_change_message()).rstrip(".")


def _value(name: str, value: Any) -> str:
    """``value`` behind its word; of an act that another version of the portal recorded, behind its key."""
    if value in ("", None, [], {}) or (name == "damaged" and not value):
        return ""
    if name in _COUNTS and isinstance(value, int):
        return write_count(value, *map(str, _COUNTS[name]))
    text = f"{str(value)[:SHOWN_OF_HASH]}…" if name == "sha256" else str(value).rstrip(".")
    return str(_VALUES[name]) % text if name in _VALUES else f"{name} : {text}"


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
