"""Addresses of the space in mails: found by the names of pages, below PORTAL_URL."""

import uuid
from typing import Any

import pytest
from django.urls import get_script_prefix, set_script_prefix

from customers.links import PAGES, Purpose
from customers.space_urls import site_url, space_url
from mailing.placeholders import SECRET_MASK

INVOICE = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("name", "args", "address"),
    [
        ("account", (), "https://factures.exemple.fr/compte/"),
        ("invoice", (INVOICE,), f"https://factures.exemple.fr/factures/{INVOICE}/"),
        (PAGES[Purpose.SIGN_IN], (SECRET_MASK,), f"https://factures.exemple.fr/connexion/lien/{SECRET_MASK}/"),
    ],
)
def test_an_address_is_below_the_one_of_the_portal(
    settings: Any, name: str, args: tuple[Any, ...], address: str
) -> None:
    settings.PORTAL_URL = "https://factures.exemple.fr"

    assert space_url(name, *args) == address


def test_an_address_of_the_back_office_is_below_it_too(settings: Any) -> None:
    settings.PORTAL_URL = "https://factures.exemple.fr"

    assert site_url("admin:index") == "https://factures.exemple.fr/gestion/"


def test_mails_do_not_load_the_addresses_of_the_back_office(settings: Any) -> None:
    settings.ROOT_URLCONF = "an.absent.module"

    assert space_url("invoice", INVOICE).endswith(f"/factures/{INVOICE}/")


def test_a_prefix_of_the_server_is_not_written_twice(settings: Any) -> None:
    settings.PORTAL_URL = "https://exemple.fr/portail"
    before = get_script_prefix()
    set_script_prefix("/portail/")
    try:
        assert space_url("account") == "https://exemple.fr/portail/compte/"
    finally:
        set_script_prefix(before)
    assert space_url("account") == "https://exemple.fr/portail/compte/"
