"""What other machines and files say in JSON: read or refused with a sentence, whatever the values are."""

import contextlib
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from customers.issuer import (
    Issuer,
    RefusedIdentityError,
    check_claims,
    granted_groups,
    has_second_factor,
    verified_address,
)
from customers.models import Customer
from invoices.models import Platform
from invoices.platforms.callbacks import is_genuine
from invoices.platforms.client import PlatformClient, PlatformError, _flow, _retry_after, _words_of
from mailing.trail.ends import UnreadableEndsError, read_ends
from portal.backoffice.companies.configuration import ConfigurationError
from portal.backoffice.companies.page_texts import PageTextsField
from portal.backoffice.exports.pasted_addresses import read_addresses
from portal.backups.manifest import NAME, BackupError, BackupFile, Manifest, read_manifest
from portal.management.commands.configure_company import Command
from tests.fuzz.drawing import CELLS, DEEP, MANY, VALUES, changed_json, changed_values

NOW = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
CLAIMS = {
    "iss": "https://id.example",
    "aud": ["portail"],
    "azp": "portail",
    "exp": NOW.timestamp() + 60,
    "iat": NOW.timestamp(),
    "nbf": 0,
    "auth_time": 0,
    "nonce": "n",
    "sub": "1",
    "email": "anne@client.example",
    "email_verified": True,
    "groups": ["compta"],
    "_claim_names": {},
    "amr": ["mfa"],
    "acr": "2",
}
ISSUER = Issuer(
    address="https://id.example",
    client_id="portail",
    client_secret="s",
    name="Id",
    groups={"compta": ("Comptabilité",)},
)
FLOW = {
    "flowId": "1",
    "trackingId": "t",
    "flowSyntax": "CII",
    "updatedAt": "2026-01-31T12:00:00Z",
    "acknowledgement": {"status": "Error", "details": [{"reasonCode": "A", "reasonMessage": "b"}]},
    "errorCode": "BAD_FLOW",
}
FILE = BackupFile("database.dump", "a" * 64, 1)


@MANY
@given(changed_values(CLAIMS))
@example({**CLAIMS, "_claim_names": True})
@example({**CLAIMS, "exp": 10**400})
def test_the_claims_of_an_issuer_are_taken_or_refused(claims: dict[str, Any]) -> None:
    for check in (
        lambda: check_claims(claims, ISSUER, nonce="n", now=NOW),
        lambda: verified_address(claims, ISSUER),
        lambda: granted_groups(claims, ISSUER),
        lambda: has_second_factor(claims, ISSUER),
    ):
        with contextlib.suppress(RefusedIdentityError):
            check()


@MANY
@given(changed_values(FLOW))
@example({"flowId": "\0\ud800"})
def test_a_flow_of_a_platform_is_read_as_text_that_a_database_takes(found: dict[str, Any]) -> None:
    flow = _flow(found)
    assert len(flow.flow_id) <= 100
    for text in (flow.flow_id, flow.tracking_id, flow.syntax, flow.acknowledgement, flow.reason, *flow.codes):
        assert b"\0" not in text.encode()


@MANY
@given(changed_json(FLOW), CELLS)
@example(DEEP.encode(), "²")
def test_the_answer_of_a_platform_is_read_or_refused(content: bytes, retry_after: str) -> None:
    answer = requests.Response()
    answer._content, answer.status_code = content, 422
    client = PlatformClient(Platform(name="Plateforme", flow_url="https://pa.example"))
    assert _words_of(answer).startswith("422")
    assert 1 <= _retry_after(retry_after) <= 3600
    with contextlib.suppress(PlatformError):
        assert isinstance(client._json(answer), dict)


@MANY
@given(st.dictionaries(st.sampled_from(("webhook-id", "webhook-timestamp", "webhook-signature", "x-signature")), CELLS))
def test_no_invented_callback_is_genuine(headers: dict[str, str]) -> None:
    for signature in Platform.Signature.values:
        platform = Platform(name="Plateforme", signature=signature)
        platform.read_callback_secret = lambda: "whsec_secret"  # type: ignore[method-assign]
        assert not is_genuine(platform, headers, b"{}", now=NOW.timestamp())


@pytest.mark.parametrize(
    ("name", "sound", "read", "refusal"),
    [
        pytest.param(
            NAME,
            json.loads(json.dumps(
                Manifest(
                    created_at=NOW.isoformat(), engine="sqlite", database=FILE, documents=FILE, document_count=1,
                    document_bytes=1, migrations=["invoices.0001_initial"], tables=["invoices_invoice"],
                ),
                default=lambda each: {name: getattr(each, name) for name in each.__slots__},
            )),
            lambda path: read_manifest(path.parent),
            BackupError,
            id="manifest",
        ),
        pytest.param("ends", {"checked": 1, "last_sha256": "a"}, read_ends, UnreadableEndsError, id="ends"),
        pytest.param("company", {"name": "A", "siren": "1"}, lambda path: Command()._read_file(str(path)),
                     ConfigurationError, id="company"),
    ],
)  # fmt: skip
def test_a_file_of_settings_is_read_or_refused(
    name: str, sound: dict[str, Any], read: Callable[[Path], object], refusal: type[Exception], tmp_path: Path
) -> None:
    @MANY
    @given(changed_json(sound))
    @example(DEEP.encode())
    @example(b'{"checked": Infinity}')
    def try_one(content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        with contextlib.suppress(refusal):
            read(tmp_path / name)

    try_one()


@MANY
@given(VALUES | changed_json({"en": {"legal_page": "Text"}}).map(lambda content: content.decode(errors="replace")))
@example(DEEP)
def test_the_texts_of_pages_are_taken_or_refused(value: object) -> None:
    with contextlib.suppress(ValidationError):
        PageTextsField(required=False).to_python(value)


@MANY
@given(st.lists(st.lists(CELLS | st.sampled_from(("C1", "c01", "a@b.example")), max_size=4)), st.sampled_from(";\t, "))
def test_pasted_addresses_are_taken_or_named(rows: list[list[str]], separator: str) -> None:
    read = read_addresses(
        pasted="\n".join(separator.join(row) for row in rows), typed={}, customers=[Customer(pk=1, code="C01")]
    )
    assert set(read.good) <= {1}
