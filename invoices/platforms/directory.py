"""The directory of electronic addresses: where each French professional is reached, looked up before anything leaves.

A customer is asked for by SIREN; of its lines those count that are open, and, where the card names an establishment,
are of that establishment or of the whole company: an address of another establishment is not the customer's.
Where there is no interface, the answer of the public directory's site to a list of SIREN is read as a file.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from customers.models import Customer
from invoices.en16931.vat import FRENCH_COUNTRIES
from invoices.models import Company, DirectoryLookup, Platform
from invoices.platforms.client import AccessError, BusyPlatformError, PlatformClient, PlatformError
from mailing.quarantine.tries import MANY_IN_A_ROW, Loop, Tries

Outcome = DirectoryLookup.Outcome

STALE_AFTER: Final = datetime.timedelta(days=7)
ASK_AGAIN_AFTER: Final = datetime.timedelta(days=1)
MOST_AT_ONCE: Final = 200
_OPEN: Final = "Enabled"
# Before the keys of companies among the tries of customers.
_COMPANY: Final = "company:"
_CLOSED_UNIT: Final = "C"


def connected_platform() -> Platform | None:
    """A platform whose directory can be asked; None where there is none."""
    return Platform.objects.exclude(directory_url="").filter(companies__isnull=False).first()


def customers_to_look_up(now: datetime.datetime) -> "QuerySet[Customer]":
    """French professionals with a SIREN who were not looked up lately, or whose card was changed since."""
    is_fresh = Q(directory_lookup__at__gte=now - STALE_AFTER) & Q(
        directory_lookup__at__gte=F("updated_at"), directory_lookup__siren=F("siren")
    )
    return customers_of_directory().exclude(is_fresh).order_by("pk")


def customers_of_directory() -> "QuerySet[Customer]":
    """Those whom the directory can know: French professionals with a SIREN, public bodies aside."""
    french = Customer.objects.filter(kind=Customer.Kind.PROFESSIONAL, country__in=sorted(FRENCH_COUNTRIES))
    return french.filter(is_public_body=False).exclude(siren="")


@dataclass(frozen=True, slots=True)
class DirectoryAnswer:
    """What the directory says of a SIREN, of one establishment where a SIRET was asked for."""

    siren: str
    siret: str
    name: str
    is_closed: bool
    lines: list[dict[str, Any]]


def ask_directory(number: str, client: PlatformClient) -> DirectoryAnswer:
    """Ask for a SIREN or a SIRET, and keep nothing. Raises the errors of the client."""
    siren, siret = number[:9], number if len(number) == 14 else ""
    lines = client.directory_lines(siren, siret)
    unit = client.legal_unit(siren) or {}
    name = str(unit.get("businessName") or "")
    is_closed = unit.get("administrativeStatus") == _CLOSED_UNIT
    return DirectoryAnswer(siren, siret, name, is_closed, [_plain(line) for line in lines])


def look_up(customer: Customer, client: PlatformClient) -> DirectoryLookup:
    """Ask the directory for ``customer`` and keep its answer. Raises the errors of the client."""
    lines = client.directory_lines(customer.siren)
    is_closed = False
    if not any(_is_open(line) for line in lines):
        unit = client.legal_unit(customer.siren)
        is_closed = bool(lines) or (unit is not None and unit.get("administrativeStatus") == _CLOSED_UNIT)
    return keep(customer, [_plain(line) for line in lines], is_closed=is_closed, source=client.platform.name)


def keep(
    customer: Customer, lines: list[dict[str, Any]], *, is_closed: bool = False, source: str = ""
) -> DirectoryLookup:
    """Keep what the directory said of ``customer``; its only address is written to the card where that has none."""
    usable = addresses_for(customer, lines)
    outcome = _outcome(customer, usable, is_closed=is_closed or bool(lines))
    if outcome == Outcome.FOUND and not customer.electronic_address and usable[0] != customer.siren:
        Customer.objects.filter(pk=customer.pk).update(electronic_address=usable[0], updated_at=timezone.now())
        customer.electronic_address = usable[0]
    lookup, _is_new = DirectoryLookup.objects.update_or_create(
        customer=customer,
        defaults={
            "siren": customer.siren,
            "outcome": outcome,
            "lines": lines,
            "source": source[:200],
            "at": timezone.now(),
        },
    )
    return lookup


def judge_lookup_again(customer: Customer) -> None:
    """The card was changed: its address is compared again with what the directory said of this SIREN.

    Another SIREN waits for a look-up of its own.
    """
    lookup = DirectoryLookup.objects.filter(customer=customer, siren=customer.siren).first()
    if lookup is None:
        return
    is_closed = bool(lookup.lines) or lookup.outcome == Outcome.CLOSED
    outcome = _outcome(customer, addresses_for(customer, lookup.lines), is_closed=is_closed)
    DirectoryLookup.objects.filter(pk=lookup.pk).update(outcome=outcome)


def choices_for(customer: Customer) -> list[tuple[str, str]]:
    """The open addresses that the directory gave for ``customer``, each with its name there; none without answer."""
    lookup = DirectoryLookup.objects.filter(customer=customer.pk, siren=customer.siren).first()
    if lookup is None:
        return []
    names = {str(line["address"]): describe_line(line) for line in lookup.lines}
    return [(address, names[address]) for address in dict.fromkeys(addresses_for(customer, lookup.lines))]


def describe_line(line: dict[str, Any]) -> str:
    """«552100554_COMPTA – Service comptabilité (PA Exemple)»: a line of the directory for people."""
    words = " – ".join(filter(None, (str(line["address"]), str(line.get("name") or ""))))
    return f"{words} ({line['platform']})" if line.get("platform") else words


def addresses_for(customer: Customer, lines: Iterable[dict[str, Any]]) -> list[str]:
    """The open addresses at which ``customer`` is reached."""
    return [
        str(line["address"])
        for line in lines
        if line.get("is_open") and (not line.get("siret") or not customer.siret or line["siret"] == customer.siret)
    ]


def open_addresses(lines: Iterable[dict[str, Any]]) -> list[str]:
    """The addresses of ``lines`` that are open."""
    return [str(line["address"]) for line in lines if line.get("is_open")]


def _outcome(customer: Customer, usable: list[str], *, is_closed: bool) -> Outcome:
    if not usable:
        return Outcome.CLOSED if is_closed else Outcome.NOT_FOUND
    chosen = customer.electronic_address or (customer.siren if customer.siren in usable else "")
    if chosen:
        # The address of the card is not open any more, or never was, and others are: the customer moved.
        return Outcome.FOUND if chosen in usable else Outcome.OTHER_PLATFORM
    return Outcome.FOUND if len(usable) == 1 else Outcome.SEVERAL


def refresh_directory(*, most: int = MOST_AT_ONCE) -> tuple[int, str]:
    """Look up the customers who are due, ``most`` at most; how many were, and the problem that ended it, if any."""
    platform = connected_platform()
    if platform is None:
        return 0, ""
    client, done, now = PlatformClient(platform), 0, timezone.now()
    tries = Tries(Loop.DIRECTORY)
    says, away = (PlatformError,), (BusyPlatformError, AccessError)
    aside = [int(key) for key in tries.set_aside_keys() if key.isdecimal()]
    try:
        for customer in customers_to_look_up(now).exclude(pk__in=aside)[:most]:
            work = partial(look_up, customer, client)
            done += tries.attempt(customer.pk, str(customer), work, lets_through=away, says=says)
            if tries.failed_in_a_row >= MANY_IN_A_ROW:
                break
        for company in companies_to_look_up(now):
            key, of_company = f"{_COMPANY}{company.pk}", partial(_look_up_company, company, client)
            tries.attempt(key, str(company), of_company, lets_through=away, says=says)
    except PlatformError as problem:
        return done, str(problem)
    return done, tries.last_reason


def unreachable_companies() -> "QuerySet[DirectoryLookup]":
    """Connected companies to which no status can come back: their own address (BT-34) is not open in the directory."""
    connected = DirectoryLookup.objects.filter(company__platform__isnull=False, company__siren=F("siren"))
    return connected.exclude(outcome=Outcome.FOUND).select_related("company").order_by("company__name")


def companies_to_look_up(now: datetime.datetime) -> "QuerySet[Company]":
    """Connected companies whose own address was not looked up lately; what was not right is asked for every day."""
    is_fresh = Q(directory_lookup__at__gte=now - STALE_AFTER, directory_lookup__siren=F("siren")) & (
        Q(directory_lookup__outcome=Outcome.FOUND) | Q(directory_lookup__at__gte=now - ASK_AGAIN_AFTER)
    )
    return Company.objects.filter(platform__isnull=False).exclude(siren="").exclude(is_fresh)


def _look_up_company(company: Company, client: PlatformClient) -> None:
    """The seller's own address (BT-34), where statuses are sent to."""
    lines = [_plain(line) for line in client.directory_lines(company.siren)]
    outcome = Outcome.CLOSED if lines else Outcome.NOT_FOUND
    if found := open_addresses(lines):
        outcome = Outcome.FOUND if company.siren in found else Outcome.OTHER_PLATFORM
    DirectoryLookup.objects.update_or_create(
        company=company,
        defaults={
            "siren": company.siren,
            "outcome": outcome,
            "lines": lines,
            "source": client.platform.name,
            "at": timezone.now(),
        },
    )


def _is_open(line: dict[str, Any]) -> bool:
    return line.get("directoryLineStatus") == _OPEN


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the interface in our words."""
    routing = line.get("routingCode")
    routing = routing if isinstance(routing, dict) else {}
    return {
        "address": str(line.get("addressingIdentifier") or "")[:100],
        "siret": str(line.get("siret") or ""),
        "routing_code": str(routing.get("routingIdentifier") or ""),
        "name": str(routing.get("routingCodeName") or line.get("name") or ""),
        "is_open": _is_open(line),
        "platform": _platform_name(line.get("platform")),
    }


def _platform_name(platform: object) -> str:
    """The platform that holds a line, as far as the directory says."""
    if isinstance(platform, dict):
        platform = platform.get("platformName") or platform.get("platformId")
    return str(platform or "")[:100]
