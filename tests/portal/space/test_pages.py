"""Pages about the space, pages of refusal, and the common look."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.test import Client

from invoices.models import Company
from mailing.colours import READABLE, contrast
from portal.space.colours import accents, readable_on
from tests.support.factories import make_account, make_company, make_customer

CSS = (Path(settings.BASE_DIR) / "static/house.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_the_one_of_wcag(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.01)
    assert contrast(second, first) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    "colour", ["#1f4e79", "#ffd400", "#ff0000", "#00ff00", "#000000", "#ffffff", "#808080", "#E2001A"]
)
def test_every_company_colour_gives_readable_accents(colour: str) -> None:
    light, dark = accents(colour)

    for accent, grounds in ((light, ("#ffffff", "#f4f6f9", "#eef1f5")), (dark, ("#11161c", "#1a2028", "#232b35"))):
        assert contrast(accent.ground, accent.ink) >= READABLE
        assert all(contrast(accent.text, ground) >= READABLE for ground in grounds)


def test_a_readable_colour_stays_as_it_is() -> None:
    assert readable_on("#1f4e79", ("#ffffff",)) == "#1f4e79"


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("state", ["ready", "fix", "wrong", "underway"])
def test_states_are_readable_in_both_schemes(state: str, scheme: int) -> None:
    def token(name: str) -> str:
        return str(re.findall(rf"--{name}: (#[0-9a-f]{{6}});", CSS)[scheme])

    for ground in (f"{state}-ground", "surface", "ground"):
        assert contrast(token(state), token(ground)) >= READABLE
    for text in ("text", "muted"):
        for ground in ("surface", "ground", "sunken"):
            assert contrast(token(text), token(ground)) >= READABLE


@pytest.mark.django_db
def test_the_appearance_follows_the_company_and_is_kept_by_its_colour(client: Client) -> None:
    make_company(colour="#0b6e4f")

    named = client.get("/apparence.css?c=0b6e4f")
    other = client.get("/apparence.css")

    assert named["Content-Type"] == "text/css"
    assert "--accent: #0b6e4f;" in named.content.decode()
    assert named["Cache-Control"] == "public, max-age=31536000"
    assert other["Cache-Control"] == "public, max-age=300"


@pytest.mark.django_db
def test_a_logo_that_is_opened_by_itself_may_run_nothing(client: Client) -> None:
    company = make_company()
    company.logo.save("logo.svg", ContentFile(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"))

    response = client.get("/logo")

    assert response["Content-Type"] == "image/svg+xml"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    response.getvalue()
    assert f'src="/logo?societe={company.pk}"' in client.get("/connexion/").content.decode()


@pytest.mark.django_db
def test_dark_schemes_have_their_own_logo_or_the_first_one_on_a_plate(client: Client) -> None:
    company = make_company()
    company.logo.save("logo.svg", ContentFile(b"<svg xmlns='http://www.w3.org/2000/svg'><!-- light --></svg>"))
    dark = f"/logo?societe={company.pk}&fond=sombre"
    assert client.get(dark).status_code == 404
    assert 'class="brand__logo"' in client.get("/connexion/").content.decode()

    company.dark_logo.save("sombre.svg", ContentFile(b"<svg xmlns='http://www.w3.org/2000/svg'><!-- dark --></svg>"))

    page = client.get("/connexion/").content.decode()
    source = f'<source media="screen and (prefers-color-scheme: dark)" srcset="{dark.replace("&", "&amp;")}">'
    assert source in page
    assert 'class="brand__logo brand__logo--bare"' in page
    response = client.get(dark)
    assert b"dark" in response.getvalue()
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert b"light" in client.get("/logo").getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/mentions-legales/", "/accessibilite/", "/donnees-personnelles/"])
def test_the_pages_about_the_space_have_a_text_without_any_setting(client: Client, address: str) -> None:
    page = client.get(address)

    assert page.status_code == 200
    assert len(re.sub(r"<[^>]*>", " ", page.content.decode()).split()) > 60


@pytest.mark.django_db
def test_the_pages_about_the_space_say_what_the_company_wrote(client: Client) -> None:
    make_company(legal_page="Hébergeur : <Aquila>", accessibility_page="Audit 2026", privacy_page="Délégué : DPO")

    legal = client.get("/mentions-legales/").content.decode()

    assert "Hébergeur : &lt;Aquila&gt;" in legal
    assert "RCS Lyon 732 829 320" in legal
    assert "Audit 2026" in client.get("/accessibilite/").content.decode()
    assert "Délégué : DPO" in client.get("/donnees-personnelles/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/mentions-legales/", "legal_page"),
        ("/accessibilite/", "accessibility_page"),
        ("/donnees-personnelles/", "privacy_page"),
    ],
)
def test_an_own_text_is_in_the_readers_language_and_in_french_where_it_lacks(
    client: Client, address: str, page: str
) -> None:
    company = make_company(
        **{page: "Texte maison", "languages": ["en", "de"], "page_translations": {"de": {page: "Eigener <Text>"}}}
    )
    name = str(Company._meta.get_field(page).verbose_name)  # type: ignore[union-attr]

    german = client.get(address, headers={"Accept-Language": "de"}).content.decode()
    english = client.get(address, headers={"Accept-Language": "en"}).content.decode()
    french = client.get(address).content.decode()

    assert '<div lang="de"><p>Eigener &lt;Text&gt;</p></div>' in german
    assert "Texte maison" not in german
    assert '<div lang="fr"><p>Texte maison</p></div>' in english
    assert "This text exists in French only." in english
    assert "Texte maison" in french
    assert "qu’en français" not in french
    assert company.missing_page_texts() == {"en": [name]}


@pytest.mark.django_db
def test_an_unknown_page_is_answered_in_the_house_style(client: Client) -> None:
    page = client.get("/rien/")

    assert page.status_code == 404
    assert "Page introuvable" in page.content.decode()


@pytest.mark.django_db
def test_an_error_of_ours_shows_a_page_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_anything: object) -> None:
        raise RuntimeError("broken")

    client.raise_request_exception = False
    client.force_login(make_account(make_customer()), backend="customers.authentication.AccountBackend")
    monkeypatch.setattr("portal.space.views.invoices.year_totals", fail)

    page = client.get("/factures/")

    assert page.status_code == 500
    assert "Une erreur est survenue" in page.content.decode()
    assert "broken" not in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperationalError("database is locked"), "La base de données est occupée par un autre processus."),
        (OperationalError("no such column: invoices_export.trouble"), "n’a pas les tables de cette version."),
        (ProgrammingError('relation "portal_x" does not exist'), "n’a pas les tables de cette version."),
        (InterfaceError("connection already closed"), "La base de données ne répond pas."),
    ],
)
def test_a_database_that_does_not_serve_is_a_sentence_to_visitors(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*_anything: object) -> None:
        raise error

    client.raise_request_exception = False
    client.force_login(make_account(make_customer()), backend="customers.authentication.AccountBackend")
    monkeypatch.setattr("portal.space.views.invoices.year_totals", fail)

    page = client.get("/factures/")

    assert (page.status_code, page["Retry-After"]) == (503, "30")
    assert said in page.content.decode()
    assert "manage.py" not in page.content.decode()
    assert "trouble" not in page.content.decode()


@pytest.mark.django_db
def test_the_legal_notice_names_who_publishes_and_who_hosts(client: Client) -> None:
    make_company(
        publication_director="Camille Rameau", hosting="Hébergement Test, 1 rue du Centre, Lyon", is_default=True
    )

    page = client.get("/mentions-legales/").content.decode()

    assert "Camille Rameau" in page
    assert "Hébergement Test, 1 rue du Centre, Lyon" in page


@pytest.mark.django_db
def test_a_form_left_open_too_long_says_what_to_do() -> None:
    careful = Client(enforce_csrf_checks=True)

    page = careful.post("/connexion/", {"username": "a", "password": "b"})

    assert page.status_code == 403
    assert "Page restée ouverte trop longtemps" in page.content.decode()


@pytest.mark.django_db
def test_every_page_states_its_language_its_title_and_a_strict_policy(client: Client) -> None:
    for address in ("/connexion/", "/verification/", "/mentions-legales/", "/rien/"):
        page = client.get(address)
        content = page.content.decode()
        assert '<html lang="fr">' in content
        assert re.search(r"<title>[^<]+ – ", content)
        assert content.count("<h1") == 1
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page["X-Frame-Options"] in ("SAMEORIGIN", "DENY")
