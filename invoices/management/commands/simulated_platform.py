"""``manage.py simulated_platform``: an approved platform that exists on this machine only, to try and to test with."""

import argparse
import json
import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from customers.space_urls import site_url
from invoices.models import Platform
from invoices.platforms.simulated.book import Book
from invoices.platforms.simulated.faults import Fault, Faults
from invoices.platforms.simulated.handler import open_platform
from invoices.platforms.simulated.server import Settings


class Command(BaseCommand):
    """Serve until asked to stop."""

    help = "Sert une plateforme agréée simulée sur cette machine : dépôts, annuaire, jetons OAuth2, rappels signés."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where it listens, what it remembers, and what goes wrong."""
        parser.add_argument("--host", default="127.0.0.1", help="adresse d’écoute (défaut : 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8642, help="port (défaut : 8642 ; 0 : un port libre)")
        parser.add_argument("--memory", type=Path, help="fichier de sa mémoire (défaut : sous var/)")
        parser.add_argument("--directory", type=Path, help="lignes d’annuaire à charger (JSON)")
        parser.add_argument("--client-id", default="portail", help="client_id attendu")
        parser.add_argument("--client-secret", default="simulation", help="secret attendu")
        parser.add_argument("--callback", default="", help="adresse des rappels")
        parser.add_argument("--callback-secret", default="", help="secret des rappels")
        parser.add_argument(
            "--callback-of", default="", help="rappels à l’adresse de cette plateforme du portail, par son nom"
        )
        parser.add_argument("--faults", default="", help=f"pannes, séparées par des virgules : {', '.join(Fault)}")
        parser.add_argument("--every", type=int, default=0, help="une panne tous les N dépôts")
        parser.add_argument("--no-rules", action="store_true", help="sans les schémas ni les règles")
        parser.add_argument("--knows-everybody", action="store_true", help="toute adresse est dans l’annuaire")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open the memory, load the directory, and serve."""
        memory = options["memory"] or Path(settings.BASE_DIR) / "var" / "simulated-platform.sqlite3"
        memory.parent.mkdir(parents=True, exist_ok=True)
        book = Book(memory)
        if options["directory"]:
            for line in json.loads(options["directory"].read_text(encoding="utf-8")):
                book.add_line(line)
        if (target := _callback_target(options)) is not None:
            book.call_back_to(*target)
        kinds = tuple(Fault(name.strip()) for name in options["faults"].split(",") if name.strip())
        behaviour = Settings(
            client_id=options["client_id"],
            client_secret=options["client_secret"],
            judges=not options["no_rules"],
            knows_everybody=options["knows_everybody"],
        )
        server = open_platform((options["host"], options["port"]), book, Faults(kinds, options["every"]), behaviour)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        self.stdout.write(f"Plateforme simulée : {server.url}")
        self.stdout.flush()
        server.serve_forever(poll_interval=0.2)
        server.server_close()


def _callback_target(options: dict[str, Any]) -> tuple[str, str] | None:
    """Where callbacks go and their secret; None where nothing is said, so that what is remembered holds."""
    if options["callback"]:
        return options["callback"], options["callback_secret"]
    if not options["callback_of"]:
        return None
    platform = Platform.objects.filter(name=options["callback_of"]).first()
    if platform is None:
        raise CommandError(f"Aucune plateforme du portail ne s’appelle « {options['callback_of']} ».")
    return site_url("platform_callback", platform.callback_key), platform.read_callback_secret() or ""
