"""``manage.py configure_company``: «Paramétrage société» for installations without a person in front."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from portal.backoffice.companies.configuration import (
    FIELDS,
    ConfigurationError,
    Configured,
    configure_company,
    describe_field,
)
from portal.backoffice.companies.form import LOGOS


class Command(BaseCommand):
    """Set some or all of the settings of a company, checked as its form checks them."""

    help = (
        "Règle la société émettrice : par options, par un fichier JSON, ou les deux (les options l’emportent). Les "
        "réglages qui ne sont pas donnés restent ; relancée, la commande ne change rien."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A file, one option per setting, and the form of the answer."""
        parser.add_argument(
            "--file",
            metavar="FICHIER",
            help='objet JSON, les noms des options avec _ pour - ({"legal_form": "SAS"}) ; « - » : l’entrée standard',
        )
        parser.add_argument("--json", action="store_true", help="un objet JSON sur la sortie standard")
        group = parser.add_argument_group("réglages")
        for name in FIELDS:
            words = describe_field(name).replace("%", "%%")
            group.add_argument(f"--{name.replace('_', '-')}", metavar="VALEUR", dest=f"field_{name}", help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0, even where the law asks for more than was given (which is said); 2 on bad input."""
        given = {name: options[f"field_{name}"] for name in FIELDS if options.get(f"field_{name}") is not None}
        folder = Path()
        try:
            values = {}
            if options["file"]:
                values = self._read_file(options["file"])
                folder = Path() if options["file"] == "-" else Path(options["file"]).parent
            given.update({name: str(Path(given[name]).absolute()) for name in LOGOS if given.get(name)})
            values = {**values, **given}
            if not values:
                raise ConfigurationError({"": [_("Rien à régler : donnez une option (--name…) ou --file.")]})
            done = configure_company(values=values, folder=folder)
        except ConfigurationError as error:
            self._refuse(error, as_json=options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(done), ensure_ascii=False))
        else:
            self._write_result(done)

    def _read_file(self, name: str) -> dict[str, Any]:
        """The object that the file holds. Raises ConfigurationError."""
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            values = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once)
        except OSError as error:
            sentence = _("« %(file)s » est illisible : %(error)s.") % {"file": name, "error": error.strerror}
            raise ConfigurationError({"": [sentence]}) from error
        except UnicodeDecodeError as error:
            sentence = _("« %(file)s » n’est pas en UTF-8 (octet %(place)d).") % {"file": name, "place": error.start}
            raise ConfigurationError({"": [sentence]}) from error
        except json.JSONDecodeError as error:
            words = {"file": name, "line": error.lineno, "column": error.colno}
            sentence = _("« %(file)s » n’est pas du JSON : ligne %(line)d, colonne %(column)d.") % words
            raise ConfigurationError({"": [sentence]}) from error
        except (ValueError, RecursionError) as error:
            sentence = _("« %(file)s » ne se lit pas comme un objet JSON.") % {"file": name}
            raise ConfigurationError({"": [sentence]}) from error
        if not isinstance(values, dict):
            sentence = _('« %(file)s » doit contenir un objet JSON : {"name": …}.') % {"file": name}
            raise ConfigurationError({"": [sentence]})
        return values

    def _refuse(self, error: ConfigurationError, *, as_json: bool) -> NoReturn:
        if as_json:
            self.stdout.write(json.dumps({"errors": error.problems}, ensure_ascii=False))
        raise CommandError("\n".join([*error.sentences, _("Rien n’a été écrit.")]), returncode=2) from error

    def _write_result(self, done: Configured) -> None:
        words = {"name": done.company.name, "fields": ", ".join(done.changed)}
        if done.is_new:
            self.stdout.write(_("Société « %(name)s » créée.") % words)
        elif done.changed:
            self.stdout.write(_("Société « %(name)s » modifiée : %(fields)s.") % words)
        else:
            self.stdout.write(_("Société « %(name)s » : rien à changer.") % words)
        if missing := done.company.missing_identity():
            sentence = _("Identité incomplète, ses factures ne peuvent pas être exportées. Il manque : %(missing)s.")
            self.stderr.write(sentence % {"missing": ", ".join(missing)})
        if mentions := done.company.missing_mentions():
            sentence = _("La forme juridique %(form)s oblige à mentionner aussi : %(mentions)s.")
            self.stderr.write(sentence % {"form": done.company.legal_form, "mentions": ", ".join(mentions)})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names occur once each. Raises ConfigurationError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _value in pairs if sum(name == other for other, _value in pairs) > 1)
        raise ConfigurationError({twice[:50]: [_("est donné deux fois.")]})
    return found


def _as_json(done: Configured) -> dict[str, Any]:
    company = done.company
    return {
        "company": {"id": company.pk, "name": company.name, "siren": company.siren, "is_default": company.is_default},
        "created": done.is_new,
        "changed": list(done.changed),
        "missing_identity": company.missing_identity(),
        "missing_mentions": company.missing_mentions(),
    }
