"""Predefined messages become mails; what a value holds stays a value."""

from html.parser import HTMLParser

import pytest
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from mailing.composition import (
    SECRET_MASK,
    Composed,
    LoadedTemplate,
    MailLook,
    compose,
    load_template,
    restore_version,
    save_template,
)
from mailing.models import MessageTemplate, MessageTemplateVersion
from mailing.placeholders import PLACEHOLDERS, check_placeholders

LOOK = MailLook(
    company_name="Fournitures Léman",
    colour="#0f766e",
    space_url="https://factures.exemple.fr/",
    button_label="Ouvrir ma facture",
    button_url="https://factures.exemple.fr/factures/1/",
    highlights=(("Montant TTC", "1 234,50 €"), ("Échéance", "07/07/2025")),
    footer="Fournitures Léman SAS\n12 rue du Lac, 74200 Thonon",
    preferences_url="https://factures.exemple.fr/preferences/x/",
)
VALUES = {
    "#URL_ESPACE": "https://factures.exemple.fr/",
    "#LOGIN_CONNEXION": "client@exemple.fr",
    "#REFFACTURE": "18000135",
    "#TYPE_DOCUMENT": "facture",
    "#NOM_CLIENT": "Dupont & Fils",
}


def template(body: str, subject: str = "Objet") -> LoadedTemplate:
    """A message of no table."""
    return LoadedTemplate("invoice", 1, subject, body)


class Reader(HTMLParser):
    """The tags, attributes and text of a mail, as a mail client reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str | None]:
        """Where the links lead."""
        return [attributes.get("href") for tag, attributes in self.tags if tag == "a"]


@pytest.mark.django_db
def test_the_messages_of_the_house_greet_and_have_paragraphs() -> None:
    credentials, invoice = load_template("credentials"), load_template("invoice")
    assert credentials.body == (
        "Bonjour #NOM_CLIENT,\n\nVoici vos identifiants pour accéder à votre espace : #URL_ESPACE\n\n"
        "Login : #LOGIN_CONNEXION\nMot de passe : #PWD_CONNEXION\n\nService comptabilité,"
    )
    assert invoice.subject == "Votre #TYPE_DOCUMENT #REFFACTURE"
    assert invoice.body == (
        "Bonjour #NOM_CLIENT,\n\n"
        "Votre #TYPE_DOCUMENT #REFFACTURE est disponible sur votre espace à l'endroit suivant : #URL_ESPACE\n\n"
        "Voici vos identifiants :\nLogin : #LOGIN_CONNEXION\nMot de passe : #PWD_CONNEXION\n\nService comptabilité,"
    )
    assert dict(MessageTemplate.objects.values_list("key", "name")).items() >= {
        ("credentials", "Client - confirmation infos Web"),
        ("invoice", "Message dépôt facture intranet"),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["credentials", "invoice", "invoices"])
def test_every_message_of_the_house_passes_its_own_check_and_has_its_first_version(key: str) -> None:
    row = MessageTemplate.objects.get(key=key)
    row.full_clean()
    assert [(version.number, version.body) for version in row.versions.all()] == [(1, row.body)]


@pytest.mark.django_db
def test_the_invoice_message_is_filled_and_shows_a_mask_for_the_password() -> None:
    mail = compose(load_template("invoice"), VALUES, LOOK)
    assert mail.subject == "Votre facture 18000135"
    assert mail.text.startswith(
        "Bonjour Dupont & Fils,\n\n"
        "Votre facture 18000135 est disponible sur votre espace à l'endroit suivant : https://factures.exemple.fr/\n\n"
        "Voici vos identifiants :\nLogin : client@exemple.fr\n"
        f"Mot de passe : {SECRET_MASK}\n\nService comptabilité,\n"
    )
    assert mail.shows_secret
    for expected in ("1 234,50 €", "07/07/2025", LOOK.button_url, LOOK.preferences_url, "12 rue du Lac"):
        assert expected in mail.text
    reader = Reader(mail.html)
    assert LOOK.button_url in reader.links
    assert "https://factures.exemple.fr/" in reader.links
    for expected in ("Ouvrir ma facture", "1 234,50 €", "07/07/2025", SECRET_MASK, "Fournitures Léman SAS"):
        assert expected in reader.text


def test_a_mail_loads_nothing_from_anywhere() -> None:
    mail = compose(template("Bonjour"), VALUES, LOOK)
    tags = {tag for tag, _attributes in Reader(mail.html).tags}
    assert tags.isdisjoint({"img", "script", "link", "iframe", "object", "form", "input"})
    assert "url(" not in mail.html


ATTACKS = [
    "#PWD_CONNEXION",
    "#LOGIN_CONNEXION #REFFACTURE",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ subject }}{% load i18n %}",
    "https://voleur.exemple/",
    "javascript:alert(1)",
    "Nom\r\nBcc: tous@exemple.fr",
    "Nom\u2028Bcc: tous@exemple.fr",
    "\u202egnp.exe",
    SECRET_MASK,
]


@pytest.mark.parametrize("value", ATTACKS)
def test_a_value_opens_no_placeholder_no_header_and_no_html(value: str) -> None:
    harmless = compose(template("Client : #NOM_CLIENT", "Objet #NOM_CLIENT"), {"#NOM_CLIENT": "Dupont"}, LOOK)
    mail = compose(template("Client : #NOM_CLIENT", "Objet #NOM_CLIENT"), {**VALUES, "#NOM_CLIENT": value}, LOOK)
    assert Reader(mail.html).tags == Reader(harmless.html).tags
    assert not mail.shows_secret
    assert SECRET_MASK not in mail.html
    assert len(mail.subject.splitlines()) == 1
    assert "client@exemple.fr" not in mail.text
    assert "18000135" not in mail.text
    assert "\u202e" not in mail.text + mail.html


@given(st.dictionaries(st.sampled_from(sorted(PLACEHOLDERS)), st.text(max_size=40)))
def test_whatever_the_values_a_mail_has_the_tags_of_its_template(values: dict[str, str]) -> None:
    body = " / ".join(sorted(PLACEHOLDERS.keys() - {"#URL_ESPACE"}))
    filled = dict.fromkeys(PLACEHOLDERS, "x") | values

    def mail_of(some: dict[str, str]) -> Composed:
        return compose(template(body, "#NOM_CLIENT – #REFFACTURE"), some, LOOK)

    plain, mail = mail_of(dict.fromkeys(PLACEHOLDERS, "x")), mail_of(filled)
    assert Reader(mail.html).tags == Reader(plain.html).tags
    assert mail.text.count(SECRET_MASK) == mail.html.count(SECRET_MASK) == 1
    assert mail.subject.isprintable() or " " in mail.subject


@pytest.mark.parametrize("text", ["Dupont & Fils", "<b>gras</b> {{ x }}", "100 % %(subject)s", "\x1a0:\x1a7", "", "0"])
@pytest.mark.parametrize("rows", [(), (("Facture 1", "1 €"), ("Facture 2", "2 €"))])
def test_the_page_of_a_mail_is_what_its_template_renders(text: str, rows: tuple[tuple[str, str], ...]) -> None:
    look = MailLook(
        company_name=text,
        colour="#0f766e",
        space_url=text,
        button_label="Ouvrir",
        button_url=text,
        highlights=((text, text),) if rows else (),
        rows=rows,
        more=text,
        footer=f"{text}\nThonon",
        preferences_url=text,
    )
    context = {name: getattr(look, name) for name in MailLook.__dataclass_fields__}
    context |= {"button_colour": "#0f766e", "rows_under": 2, "footer_lines": look.footer.splitlines()}
    for language in ("fr", "de", "fr"):
        for name in ("Martin", text.replace("\x1a", "")):  # the second is filled into the format of the first
            with override(language):
                mail = compose(template("Bonjour,\n\nà #NOM_CLIENT", "Objet #NOM_CLIENT"), {"#NOM_CLIENT": name}, look)
                paragraphs = ["Bonjour,", f"à {name}"]
                page = render_to_string(
                    "mail/message.html", {**context, "subject": mail.subject, "paragraphs": paragraphs}
                )
            assert mail.html == page


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\t"])
def test_a_value_of_blanks_parts_paragraphs_as_a_blank_line_does(blank: str) -> None:
    said = template("Bonjour,\n#NOM_CLIENT\nMerci")
    for name, paragraphs in (("Martin", 1), (blank, 1 if blank == "\u00a0" else 2), ("Durand", 1)):
        mail = compose(said, {"#NOM_CLIENT": name}, MailLook(company_name="Léman"))
        classes = [attributes.get("class") for tag, attributes in Reader(mail.html).tags if tag == "p"]
        assert classes.count("ink") == paragraphs


def test_two_values_side_by_side_do_not_make_a_placeholder() -> None:
    mail = compose(template("#NOM_CLIENT#SOCIETE"), {"#NOM_CLIENT": "#REF", "#SOCIETE": "FACTURE"}, LOOK)
    assert mail.text.startswith("#REFFACTURE\n")


def test_a_placeholder_without_value_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="#ECHEANCE"):
        compose(template("Échéance : #ECHEANCE"), VALUES, LOOK)


def test_addresses_in_the_words_of_a_message_become_links() -> None:
    mail = compose(template("Voir https://www.exemple.fr/aide?a=1&b=2. Écrire à compta@exemple.fr, merci."), {}, LOOK)
    assert Reader(mail.html).links[:2] == ["https://www.exemple.fr/aide?a=1&b=2", "mailto:compta@exemple.fr"]


def test_blank_lines_part_paragraphs_and_line_breaks_stay() -> None:
    mail = compose(template("Bonjour,\r\n\r\nune ligne\r\nune autre"), {}, LOOK)
    assert "une ligne<br>\nune autre" in mail.html
    assert mail.text.startswith("Bonjour,\n\nune ligne\nune autre\n")


def test_a_subject_of_many_invoices_is_cut_to_what_can_be_read() -> None:
    mail = compose(template("x", "Vos factures #REFFACTURE"), {"#REFFACTURE": ", ".join(["18000135"] * 60)}, LOOK)
    assert len(mail.subject) <= 80
    assert mail.subject.endswith("18000135…")


def test_a_colour_that_is_none_does_not_reach_the_mail() -> None:
    mail = compose(template("x"), {}, MailLook(company_name="S", colour='red;"><script>'))
    assert "<script" not in mail.html
    assert "red;" not in mail.html


@pytest.mark.parametrize(
    ("colour", "written"),
    [("#ffff00", False), ("#0f766e", True), ("#fff", False)],
)
def test_the_button_keeps_the_colour_only_where_white_words_stand_out(colour: str, written: bool) -> None:
    look = MailLook(company_name="S", colour=colour, button_label="Ouvrir", button_url="https://exemple.fr/")
    assert (f"background-color:{colour};" in compose(template("x"), {}, look).html) is written


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Facture #REFFACTUR", "#REFFACTUR : vouliez-vous dire #REFFACTURE ?"),
        ("Facture #reffacture", "#reffacture : vouliez-vous dire #REFFACTURE ?"),
        ("Échéance #ÉCHÉANCE", "#ÉCHÉANCE : vouliez-vous dire #ECHEANCE ?"),
        ("#REFFACTURES", "#REFFACTURES : vouliez-vous dire #REFFACTURE ?"),
    ],
)
def test_an_unknown_placeholder_is_refused_with_the_nearest_one(text: str, sentence: str) -> None:
    assert check_placeholders(text) == [sentence]


@pytest.mark.parametrize("text", ["Appartement #3", "voir #chapitre", "C# et F#", "#REFFACTURE, #ECHEANCE."])
def test_a_sharp_that_is_no_placeholder_is_left_alone(text: str) -> None:
    assert check_placeholders(text) == []


def test_a_placeholder_that_resembles_none_lists_the_known_ones() -> None:
    [sentence] = check_placeholders("#ZZZZ")
    assert sentence.startswith("#ZZZZ n’est pas une étiquette connue")
    assert "#REFFACTURE" in sentence


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "subject", "body", "field", "words"),
    [
        ("invoice", "Facture #REFFACTUR", "x", "subject", "vouliez-vous dire #REFFACTURE"),
        ("invoice", "Facture", "#MONTANT", "body", "vouliez-vous dire #MONTANT_TTC"),
        ("invoice", "Facture\nBcc: x", "x", "subject", "une seule ligne"),
        ("invoice", "#PWD_CONNEXION", "x", "subject", "mot de passe"),
        ("invoice", "Facture", f"Code {SECRET_MASK}", "body", "réservé"),
        ("invoice", " ", "x", "subject", ""),
        ("invoice", "Facture", "", "body", ""),
        ("credentials", "Bienvenue", "Facture #REFFACTURE", "body", "n’a pas de valeur dans ce message"),
    ],
)
def test_a_text_that_cannot_work_is_refused_on_saving(
    key: str, subject: str, body: str, field: str, words: str
) -> None:
    before = load_template(key)
    with pytest.raises(ValidationError) as caught:
        save_template(key=key, subject=subject, body=body, author="Anne")
    assert words in " ".join(caught.value.message_dict[field])
    assert load_template(key) == before


@pytest.mark.django_db
def test_each_saved_text_is_a_version_and_an_old_one_comes_back_as_a_new_one() -> None:
    first = load_template("invoice")
    second = save_template(key="invoice", subject="Facture #REFFACTURE", body="Bonjour\r\nmerci", author="Anne")
    assert (second.version, second.body) == (2, "Bonjour\nmerci")
    assert save_template(key="invoice", subject=second.subject, body=second.body, author="Paul").version == 2
    third = restore_version(key="invoice", number=1, author="Paul")
    assert (third.version, third.subject, third.body) == (3, first.subject, first.body)
    history = MessageTemplateVersion.objects.filter(template__key="invoice").values_list("number", "author")
    assert list(history) == [(3, "Paul"), (2, "Anne"), (1, "")]
    with pytest.raises(ValidationError, match="version 9"):
        restore_version(key="invoice", number=9, author="Paul")


@pytest.mark.django_db
def test_a_message_that_does_not_exist_is_named() -> None:
    with pytest.raises(LookupError, match="« relance »"):
        load_template("relance")


TABLE = MailLook(company_name="S", rows=(("F-1", "10,00 €"),), more="et 35 autres", rows_after=("#REFFACTURE",))


@pytest.mark.parametrize(
    ("body", "before", "after"),
    [
        ("Bonjour,\n\nVos #REFFACTURE sont là.\n\nVos identifiants.\n\nService comptabilité,", "là.", "Vos identif"),
        ("Bonjour,\n\nVos documents sont là.\n\nService comptabilité,", "sont là.", "Service compta"),
        ("Vos #REFFACTURE sont là.", "sont là.", "-- "),
    ],
)
def test_a_table_is_under_the_words_it_belongs_to_in_both_parts(body: str, before: str, after: str) -> None:
    mail = compose(template(body), {"#REFFACTURE": "factures"}, TABLE)
    assert mail.text.index(before) < mail.text.index("F-1 : 10,00 €\net 35 autres") < mail.text.index(after)
    assert mail.html.index(before) < mail.html.index(">F-1<") < mail.html.index("et 35 autres")
    assert after == "-- " or mail.html.index("et 35 autres") < mail.html.index(after)
