"""The settings of a company from plain values, as a file or a command line gives them: checked by the form itself."""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.db import IntegrityError, models, transaction
from django.forms import model_to_dict, modelform_factory
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from invoices.einvoices.tasks import request_checks
from invoices.exporting.exports import follow_rehearsal, recheck_company
from invoices.importing.companies import KnownCompanies
from invoices.models import Company, Platform
from portal.backoffice.companies.form import LOGOS, SECTIONS, CompanyForm


def _flatten(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else [one for part in names for one in _flatten(part)]


_STORED: Final = frozenset(field.name for field in Company._meta.fields)
# The form says other things besides, which are not settings.
FIELDS: Final = tuple(
    name for _key, _title, options in SECTIONS for name in _flatten(options["fields"]) if name in _STORED
)
"""What may be set, in the order of the form: names of fields of :class:`~invoices.models.Company`."""
IDENTIFIERS: Final = ("siren", "siret", "vat_identifier")
YES, NO = ("oui", "true", "1", "yes"), ("non", "false", "0", "no")
MOST_BYTES: Final = 5_000_000


class ConfigurationError(Exception):
    """The values cannot be taken; ``problems`` are French sentences by the field that they are about (empty: none)."""

    def __init__(self, problems: Mapping[str, list[str]]) -> None:
        super().__init__(problems)
        self.problems = {name: list(sentences) for name, sentences in problems.items()}

    @property
    def sentences(self) -> list[str]:
        """Each problem with the name of its field."""
        return [
            f"{name} : {sentence}" if name else sentence
            for name, sentences in self.problems.items()
            for sentence in sentences
        ]


@dataclass(frozen=True, slots=True)
class Configured:
    """The company as it is now, whether it was made, and the fields that have another value than before."""

    company: Company
    is_new: bool
    changed: tuple[str, ...]


def describe_field(name: str) -> str:
    """The French name of a field, with the values to choose from where there are few."""
    field = Company._meta.get_field(name)
    words = str(getattr(field, "verbose_name", name))
    if isinstance(field, models.BooleanField):
        return f"{words} (oui, non)"
    choices = [str(key) for key, _label in getattr(field, "flatchoices", [])]
    return f"{words} ({', '.join(choices)})" if choices else words


def configure_company(*, values: Mapping[str, Any], folder: Path) -> Configured:
    """Give a company the ``values`` of some of its fields; those that are not named stay as they are.

    The company is that of the SIREN, SIRET, VAT number or name among the values, else the default one; one that is not
    known is made. ``logo`` and ``dark_logo`` are paths of files, from ``folder``; ``platform`` the name of a connected
    platform. Given twice, the same values change nothing. Raises ConfigurationError.
    """
    stated = _read(values)
    company, is_new = _find_company(stated)
    before = None if is_new else model_to_dict(company, fields=FIELDS)
    data = {**model_to_dict(company, fields=FIELDS), **stated}
    files: dict[str, list[UploadedFile[Any]] | None] = {
        name: [logo] for name in LOGOS if (logo := _new_logo(company, name, data.pop(name, None) or "", folder, stated))
    }
    form = modelform_factory(Company, form=CompanyForm, fields=FIELDS)(data, MultiValueDict(files), instance=company)
    if not form.is_valid():
        raise ConfigurationError(
            {("" if name == "__all__" else name): [str(one) for one in errors] for name, errors in form.errors.items()}
        )
    after = model_to_dict(form.instance, fields=FIELDS)
    changed = tuple(name for name in FIELDS if name not in LOGOS and (before is None or before[name] != after[name]))
    changed += tuple(files)
    if not changed:
        return Configured(company, is_new=False, changed=())
    try:
        with transaction.atomic():
            form.save()
            follow_rehearsal()
            recheck_company(company=company)
    except IntegrityError as error:
        sentence = _("Une autre société a été enregistrée au même moment : relancez la commande.")
        raise ConfigurationError({"": [sentence]}) from error
    request_checks()
    return Configured(company, is_new=is_new, changed=changed)


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the form takes them."""
    read: dict[str, Any] = {}
    problems: dict[str, list[str]] = {}
    for name, value in values.items():
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, n=1)
            hint = _(" Vouliez-vous dire « %(name)s » ?") % {"name": near[0]} if near else ""
            problems[name[:50]] = [_("ce réglage n’existe pas.") + hint]
            continue
        try:
            read[name] = _read_value(name, value)
        except ValueError as error:
            problems[name] = [str(error)]
    if problems:
        raise ConfigurationError(problems)
    return read


def _read_value(name: str, value: Any) -> Any:
    """Raises ValueError, in French, where ``value`` is of no kind that the field can hold."""
    is_switch = isinstance(Company._meta.get_field(name), models.BooleanField)
    if is_switch:
        word = str(value).strip().lower()
        if word not in (*YES, *NO):
            raise ValueError(_("attend oui ou non, pas « %(value)s ».") % {"value": str(value)[:50]})
        return word in YES
    if value is None:
        return ""
    if name == "page_translations":
        return value  # the field says what it expects
    if isinstance(value, bool | list | dict) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(_("attend un texte ou un nombre."))
    text = value.isoformat() if isinstance(value, datetime.date) else str(value)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(_("contient un caractère qui n’existe pas (moitié de paire Unicode)."))
    if name == "platform" and text.strip():
        platform = Platform.objects.filter(name=text.strip()).first()
        if platform is None:
            raise ValueError(_("aucune plateforme connectée ne s’appelle « %(name)s ».") % {"name": text[:100]})
        return platform.pk
    return text


def _find_company(stated: Mapping[str, Any]) -> tuple[Company, bool]:
    """The company that the values are about, and whether it is a new one."""
    identifiers = {name: "".join(str(stated.get(name, "")).split()).upper() for name in IDENTIFIERS}
    known = KnownCompanies()
    default = known.known()
    name = str(stated.get("name", "")).strip()
    if not name and not any(identifiers.values()):
        return (default, False) if default is not None else (Company(), True)
    found = known.matching(name=name, **identifiers)
    if found is not None:
        return found, False
    if default is None or (any(identifiers.values()) and any(getattr(default, one) for one in IDENTIFIERS)):
        return Company(), True
    if not any(getattr(default, one) for one in IDENTIFIERS):
        return default, False
    sentence = _(
        "aucune société ne s’appelle « %(name)s ». Donnez aussi le SIREN : celui de la société à renommer, ou celui de "
        "la nouvelle."
    )
    raise ConfigurationError({"name": [sentence % {"name": name[:100]}]})


def _new_logo(
    company: Company, name: str, given: Any, folder: Path, stated: Mapping[str, Any]
) -> SimpleUploadedFile | None:
    """The picture to put in place; None where none is given, or where it is there already."""
    if not stated.get(name):
        return None
    path = folder / str(given)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError({name: [_("« %(path)s » dépasse 5 Mo.") % {"path": path}]})
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        sentence = _("« %(path)s » est illisible : %(error)s.")
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError({name: [sentence % {"path": path, "error": reason}]}) from error
    if logo := getattr(company, name):
        try:
            with logo.open("rb") as stored:
                if stored.read() == content:
                    return None
        except FileNotFoundError:
            pass  # the file is gone: it is put back
    return SimpleUploadedFile(path.name, content)
