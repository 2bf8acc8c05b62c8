"""Where the chain ended at earlier moments, kept outside of the database: what was cut off after the last root shows.

A file has one JSON object a line, as ``verify_trail --json`` and each backup write it: ``checked``, ``last_sha256``.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from mailing.json_text import parse_json

# Beside each backup; a line is added by every one.
FILE_NAME: Final = "trail-ends.jsonl"


class UnreadableEndsError(Exception):
    """A file of ends that cannot be read; ``str()`` is a French sentence with the file and the line."""


@dataclass(frozen=True, slots=True)
class End:
    """An end of the chain: the position of its last link, and that link's fingerprint."""

    position: int
    sha256: str

    def line(self) -> str:
        """The end as a line of a file."""
        return json.dumps({"checked": self.position, "last_sha256": self.sha256}) + "\n"


def read_ends(path: Path) -> list[End]:
    """The ends that the file at ``path`` knows, without those of an empty chain; raises UnreadableEndsError."""
    ends, number = [], 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007 - said below
                if line.strip():
                    values = parse_json(line)
                    ends.append(End(int(values["checked"]), str(values["last_sha256"])))
    except OSError as error:
        said = {"path": path, "reason": error.strerror}
        raise UnreadableEndsError(_("%(path)s ne peut être lu (%(reason)s).") % said) from None
    except (ValueError, TypeError, KeyError, OverflowError):
        where = {"path": path, "number": number}
        raise UnreadableEndsError(_("%(path)s, ligne %(number)s : fin de piste d’audit illisible.") % where) from None
    return [end for end in ends if end.position > 0]


def find_lost_end(ends: Iterable[End], sha256_at: Callable[[int], str]) -> tuple[End, str] | None:
    """The first of ``ends`` that the chain does not have any more, and the French sentence that says so."""
    for end in sorted(ends, key=lambda each: each.position):
        if (found := sha256_at(end.position)) != end.sha256:
            sentence = (
                _("La chaîne a été récrite : au rang %(position)s, connu au dehors, l’empreinte était %(sha256)s…")
                if found
                else _("La fin de la chaîne manque : le rang %(position)s était connu au dehors (%(sha256)s…).")
            )
            return end, sentence % {"position": end.position, "sha256": end.sha256[:12]}
    return None
