"""Which company of «Paramétrage société» issues an invoice, as an import knows it."""

from customers.identifiers import is_real_vat
from customers.searching import search_key
from invoices.models import Company
from invoices.models.company import UNNAMED

FIRST_COMPANY_NAME = UNNAMED
"""Given to the one company of a new installation, until «Paramétrage société» is filled in."""


class UnknownCompanyError(Exception):
    """No company answers to what was given; the message is a French sentence."""


class KnownCompanies:
    """The companies, found by name, SIREN, SIRET or VAT number; created on the way where that is wanted."""

    def __init__(self, *, chosen: str = "", create: bool = False, dry_run: bool = False) -> None:
        """``chosen``: the name or SIREN that the person gave for the whole import.

        Raises :class:`UnknownCompanyError` where ``chosen`` is unknown.
        """
        self._chosen = chosen
        self.may_create = create
        self._saves = not dry_run  # a check keeps what it adds for itself
        self.reload()
        if chosen:
            self.named(chosen)

    def reload(self) -> None:
        """Forget companies whose transaction was undone."""
        self._companies = list(Company.objects.order_by("-is_default", "pk"))
        self._by_text: dict[str, Company] = {}
        self._default: Company | None = None if self._chosen or not self._companies else self._companies[0]

    def default(self) -> Company:
        """The company of rows that name none: the chosen one, else the default one, else a first one, to be filled in.

        A new installation has one company by default; it is made here so that a first import needs nothing else.
        """
        if self._default is None:
            self._default = self.named(self._chosen) if self._chosen else self.add(Company(name=FIRST_COMPANY_NAME))
        return self._default

    @property
    def is_unnamed(self) -> bool:
        """True where rows that name no company wait for the identity of their issuer."""
        return self._default is not None and self._default.name == UNNAMED

    def known(self) -> Company | None:
        """The chosen company, else the default one; None where there is none yet."""
        return self.named(self._chosen) if self._chosen else self._default

    def named(self, text: str) -> Company:
        """The company that ``text`` names. Raises :class:`UnknownCompanyError`."""
        found = self._by_text.get(text)
        if found is None:
            digits = "".join(text.split())
            found = next(
                (
                    company
                    for attribute in ("siren", "siret", "vat_identifier")
                    for company in self._companies
                    if digits and _identifier(company, attribute) == digits.upper()
                ),
                None,
            ) or self.matching(siren="", siret="", vat_identifier="", name=text)
            if found is None and self.may_create:
                is_siren = len(digits) == 9 and digits.isdigit()
                found = self.add(Company(name=text, siren=digits if is_siren else ""))
            if found is None:
                raise UnknownCompanyError(
                    f"La société « {text} » n’est pas dans Paramétrage société (par nom, SIREN, SIRET ou n° de TVA)."
                )
            self._by_text[text] = found
        return found

    def matching(self, *, siren: str, siret: str, vat_identifier: str, name: str) -> Company | None:
        """The company of the SIREN, else of the SIRET, of the VAT number, of the exact name.

        None of them is proof against another identifier that differs, and a dummy VAT number is no identifier.
        """
        vat = vat_identifier if is_real_vat(vat_identifier) else ""
        stated = {"siren": siren, "siret": siret, "vat_identifier": vat}
        alike = [company for company in self._companies if not _contradicts(company, stated)]
        for attribute, given in stated.items():
            for company in alike:
                if given and _identifier(company, attribute) == given:
                    return company
        key = search_key(name)
        return next((company for company in alike if key and search_key(company.name) == key), None)

    def add(self, company: Company) -> Company:
        """Keep a new company; where nothing is to be written, for this run only."""
        if self._saves:
            company.save()
        self._companies.append(company)
        return company


def _identifier(company: Company, attribute: str) -> str:
    value = "".join(str(getattr(company, attribute)).split()).upper()
    return "" if attribute == "vat_identifier" and not is_real_vat(value) else value


def _contradicts(company: Company, stated: dict[str, str]) -> bool:
    pairs = ((_identifier(company, attribute), given) for attribute, given in stated.items())
    return any(known and given and known != given for known, given in pairs)
