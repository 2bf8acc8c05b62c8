"""check_mail: what the DNS says of our mails, and the very record that puts each fault right."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.mail import DNS_NAME
from django.core.management import CommandError, call_command
from django.test import Client

from mailing.deliverability import Finding, Verdict, check_deliverability, current_setting
from mailing.dns_lookups import Lookups
from mailing.spf import with_term
from mailing.trial_mails import read_trial_mail
from tests.support.back_office import words
from tests.support.dns_server import running_dns
from tests.support.sending import use_smtp
from tests.support.smtp_sink import closed_port

pytestmark = pytest.mark.django_db

Records = dict[tuple[str, str], list[str]]


@pytest.fixture
def records(settings: Any, tmp_path: Path) -> Iterator[Records]:
    """A zone in which all is in order, and settings that fit it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = tmp_path / "dkim.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = base64.b64encode(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    use_smtp(settings, 587, host="smtp.relais.example", use_tls=True)
    settings.DEFAULT_FROM_EMAIL = "factures@exemple.fr"
    settings.BOUNCE_ADDRESS = "retours@retours.exemple.fr"
    settings.DKIM_DOMAIN, settings.DKIM_SELECTOR, settings.DKIM_PRIVATE_KEY = "exemple.fr", "f1", str(pem)
    zone: Records = {
        ("exemple.fr", "MX"): ["10 mx.exemple.fr."],
        ("retours.exemple.fr", "MX"): ["10 mx.exemple.fr."],
        ("retours.exemple.fr", "TXT"): ['"v=spf1 include:_spf.relais.example -all"'],
        ("_spf.relais.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/28 -all"'],
        ("smtp.relais.example", "A"): ["192.0.2.5"],
        ("f1._domainkey.exemple.fr", "TXT"): [f'"v=DKIM1; k=rsa; p={public[:200]}" "{public[200:]}"'],
        ("_dmarc.exemple.fr", "TXT"): ['"v=DMARC1; p=quarantine"'],
    }
    with running_dns(zone) as server:
        settings.DNS_SERVER = server
        yield zone


def check(address: str = "") -> Verdict:
    """What is found now."""
    return check_deliverability(current_setting(address), Lookups())


def found(name: str) -> Finding:
    """The first finding of that name that is not in order."""
    return next(one for one in check().findings if one.name == name and one.state != "ok")


def test_a_domain_in_order_has_nothing_to_correct(records: Records) -> None:
    verdict = check()

    assert {one.state for one in verdict.findings} == {"ok"}
    assert verdict.is_right
    assert verdict.is_aligned


def test_a_relay_that_spf_leaves_out_gets_the_record_that_lets_it_in(records: Records) -> None:
    records["_spf.relais.example", "TXT"] = ['"v=spf1 ip4:198.51.100.0/24 -all"']

    assert found("SPF").record == ('retours.exemple.fr. IN TXT "v=spf1 include:_spf.relais.example ip4:192.0.2.5 -all"')


def test_a_known_relay_is_let_in_by_its_own_include(records: Records, settings: Any) -> None:
    use_smtp(settings, 587, host="smtp.office365.com", use_tls=True)

    assert found("SPF").record == (
        'retours.exemple.fr. IN TXT "v=spf1 include:_spf.relais.example include:spf.protection.outlook.com -all"'
    )


@pytest.mark.parametrize(
    ("published", "sentence"),
    [
        ([], "ne publie pas d’enregistrement SPF"),
        (['"v=spf1 a -all"', '"v=spf1 mx -all"'], "plusieurs enregistrements SPF"),
        (['"v=spf1 ' + " ".join(f"include:s{n}.example" for n in range(12)) + ' -all"'], "plus de dix questions"),
    ],
)
def test_an_spf_record_that_does_not_count_is_reported(records: Records, published: list[str], sentence: str) -> None:
    records["retours.exemple.fr", "TXT"] = published

    assert sentence in found("SPF").sentence


def test_a_record_that_asks_too_many_questions_gets_one_that_asks_none(records: Records) -> None:
    names = [f"s{number}.example" for number in range(12)]
    records["retours.exemple.fr", "TXT"] = ['"v=spf1 ' + " ".join(f"include:{name}" for name in names) + ' ~all"']
    for number, name in enumerate(names):
        records[name, "TXT"] = [f'"v=spf1 ip4:198.51.100.{number} -all"']
    records[names[0], "TXT"] = ['"v=spf1 redirect=six.example"']
    records["six.example", "TXT"] = ['"v=spf1 ip6:2001:db8::/32 -all"']

    assert found("SPF").record == (
        'retours.exemple.fr. IN TXT "v=spf1 ip4:192.0.2.5 ip4:198.51.100.1/32 ip4:198.51.100.2/31 '
        'ip4:198.51.100.4/30 ip4:198.51.100.8/30 ip6:2001:db8::/32 -all"'
    )


def test_a_relay_on_ipv6_is_let_in_by_its_network(records: Records) -> None:
    del records["smtp.relais.example", "A"]
    records["smtp.relais.example", "AAAA"] = ["2001:db8::5"]
    assert found("SPF").record == (
        'retours.exemple.fr. IN TXT "v=spf1 include:_spf.relais.example ip6:2001:db8::5 -all"'
    )
    records["_spf.relais.example", "TXT"] = ['"v=spf1 ip6:2001:db8::/64 -all"']
    assert {one.state for one in check().findings if one.name == "SPF"} == {"ok"}


@pytest.mark.parametrize("sender", ["factures@exemple.co.uk", "factures@compta.exemple.co.uk"])
def test_a_dmarc_policy_is_found_on_the_domain_of_the_organisation(
    records: Records, settings: Any, sender: str
) -> None:
    settings.DEFAULT_FROM_EMAIL = sender
    records["_dmarc.exemple.co.uk", "TXT"] = ['"v=DMARC1; p=reject"']
    assert {one.state for one in check().findings if one.name == "DMARC"} == {"ok"}


def test_a_published_key_that_is_not_ours_gets_the_record_of_ours(records: Records) -> None:
    [ours] = records["f1._domainkey.exemple.fr", "TXT"]
    records["f1._domainkey.exemple.fr", "TXT"] = ['"v=DKIM1; k=rsa; p=MIIBIjANBg"']

    finding = found("DKIM")

    assert "n’est pas celle avec laquelle nous signons" in finding.sentence
    assert finding.record == f"f1._domainkey.exemple.fr. IN TXT {ours.replace('" "', '')}"


def test_a_missing_dmarc_policy_gets_its_record(records: Records) -> None:
    del records["_dmarc.exemple.fr", "TXT"]

    assert found("DMARC").record == '_dmarc.exemple.fr. IN TXT "v=DMARC1; p=none; rua=mailto:factures@exemple.fr"'


def test_mails_that_neither_dkim_nor_spf_covers_are_not_aligned(records: Records, settings: Any) -> None:
    settings.DKIM_DOMAIN = ""
    settings.BOUNCE_ADDRESS = "retours@autre.example"

    verdict = check()

    assert not verdict.is_aligned
    assert "DKIM_DOMAIN=exemple.fr" in verdict.findings[-1].sentence


def test_a_server_of_our_own_needs_its_name_in_both_directions(records: Records, settings: Any) -> None:
    use_smtp(settings, 25, host="localhost")
    helo = DNS_NAME.get_fqdn().lower()
    records["retours.exemple.fr", "TXT"] = ['"v=spf1 ip4:203.0.113.7 -all"']

    [names] = [one for one in check("203.0.113.7").findings if one.name == "Noms du serveur"]
    assert names.record == f"7.113.0.203.in-addr.arpa. IN PTR {DNS_NAME.get_fqdn()}."
    records["7.113.0.203.in-addr.arpa", "PTR"] = [f"{helo}."]
    records[helo, "A"] = ["203.0.113.7"]
    states = {one.name: one.state for one in check("203.0.113.7").findings}
    assert states["Noms du serveur"] == "ok"
    assert states["SPF"] == "ok"


def test_a_term_precedes_what_ends_a_record() -> None:
    assert with_term("v=spf1 a ~all", "mx") == "v=spf1 a mx ~all"
    assert with_term("v=spf1 redirect=x.example", "mx") == "v=spf1 mx redirect=x.example"
    assert with_term("v=spf1 a", "mx") == "v=spf1 a mx"


def test_the_command_prints_each_check_and_the_records_to_publish(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("check_mail")
    assert "SPF – en ordre" in capsys.readouterr().out

    del records["_dmarc.exemple.fr", "TXT"]
    with pytest.raises(CommandError) as refused:
        call_command("check_mail", json=True)
    assert refused.value.returncode == 1
    told = json.loads(capsys.readouterr().out)
    assert told["aligned"] is True
    assert [one["state"] for one in told["checks"] if one["name"] == "DMARC"] == ["wrong"]


def test_without_a_mail_server_nothing_can_be_checked() -> None:
    with pytest.raises(CommandError, match="EMAIL_URL") as refused:
        call_command("check_mail")
    assert refused.value.returncode == 2


def test_a_dns_that_does_not_answer_is_said_and_nothing_else_fails(records: Records, settings: Any) -> None:
    settings.DNS_SERVER = "127.0.0.1:9"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mailing.dns_lookups.SECONDS", 0.2)
        verdict = check()

    assert {one.state for one in verdict.findings if one.name == "SPF"} == {"unknown"}


def test_the_page_shows_the_records_to_paste(records: Records, staff_client: Client) -> None:
    del records["_dmarc.exemple.fr", "TXT"]

    page = words(staff_client.get("/gestion/courrier/delivrabilite/"))

    assert "exemple.fr ne publie pas de politique DMARC." in page
    assert "_dmarc.exemple.fr. IN TXT" in page


@pytest.mark.parametrize(
    ("headers", "told", "is_right"),
    [
        (
            "Authentication-Results: mx.google.com;\n dkim=pass header.i=@exemple.fr;\n spf=pass smtp.mailfrom=x;\n"
            " dmarc=pass (p=REJECT) header.from=exemple.fr\n",
            "mx.google.com : SPF pass, DKIM pass, DMARC pass",
            True,
        ),
        (
            "Authentication-Results: spf=softfail (sender IP is 192.0.2.1) smtp.mailfrom=exemple.fr; dkim=none (message"
            " not signed); dmarc=fail action=none header.from=exemple.fr\n",
            "SPF softfail, DKIM none, DMARC fail",
            False,
        ),
        (
            "Authentication-Results: mx.ours; dkim=fail\nAuthentication-Results: mx.ours; dkim=pass; spf=none\n"
            "Authentication-Results: mx.forged; dmarc=pass\n",
            "mx.ours : SPF none, DKIM pass, DMARC non dit",
            True,
        ),
        (
            "Subject: rien\n",
            "Le mail d’essai est arrivé, mais son serveur n’écrit pas d’« Authentication-Results ».",
            True,
        ),
    ],
)
def test_a_trial_mail_reports_what_its_own_server_found_and_no_other(headers: str, told: str, is_right: bool) -> None:
    found = read_trial_mail(f"{headers}From: a@exemple.fr\n\nEssai\n".encode())
    assert (str(found), found.is_right) == (told, is_right)


def test_a_trial_without_a_mailbox_is_a_bad_usage(records: Records, settings: Any) -> None:
    settings.IMAP_URL = ""
    with pytest.raises(CommandError, match="IMAP_URL") as refused:
        call_command("check_mail", "--trial")
    assert refused.value.returncode == 2


def test_the_page_offers_a_trial_mail_and_says_why_it_did_not_leave(
    records: Records, settings: Any, staff_client: Client
) -> None:
    page = "/gestion/courrier/delivrabilite/"
    settings.IMAP_URL = "imap://retours:secret@127.0.0.1:9/INBOX"
    assert "Envoyer un mail d’essai" in words(staff_client.get(page))
    use_smtp(settings, closed_port())
    told = words(staff_client.post(f"{page}essai/", follow=True))
    assert "Le mail d’essai n’est pas parti." in told
    settings.IMAP_URL = ""
    assert "Envoyer un mail d’essai" not in words(staff_client.get(page))
    assert "Il faut BOUNCE_ADDRESS et IMAP_URL" in words(staff_client.post(f"{page}essai/", follow=True))
