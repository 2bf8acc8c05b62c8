"""What PostgreSQL reads is what was meant, although columns of rows go beside their statement."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.types.json import Jsonb

from mailing.models import MessageTemplate

AWKWARD = (
    "",
    " ",
    "NULL",
    "null",
    "{}",
    "a,b",
    'say "yes"',
    "\\",
    '\\"',
    "'",
    "é\u202f€",
    "\u3000",
    "line\nline\ttab\r",
    '<p class="ink">“&#x27;”</p>',
)
PLACED = "WITH ORDINALITY AS given(value, place)"
ONE_DAY = datetime.datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=datetime.UTC)


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text[]", [*AWKWARD, None]),
        ("int[]", [0, -1, 2**31 - 1, None]),
        ("bigint[]", [2**40, -(2**40)]),
        ("boolean[]", [True, False, None]),
        ("float8[]", [0.5, -1e300, float("inf")]),
        ("numeric[]", [Decimal("1234567.89"), Decimal("-0.0000001")]),
        ("uuid[]", [uuid.UUID(int=7), None]),
        ("date[]", [datetime.date(2026, 2, 28)]),
        ("timestamptz[]", [ONE_DAY, None]),
        ("interval[]", [datetime.timedelta(days=-1, microseconds=1)]),
        ("bytea[]", [b"", b"\\x00", bytes(range(256))]),
        ("text[]", [None, None]),
    ],
)
def test_a_column_is_read_by_the_server_as_it_was_given(kind: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_agg(value ORDER BY place) FROM UNNEST((%s)::{kind}) {PLACED}", [values])
        (found,) = cursor.fetchone()

    assert found == values


@pytest.mark.postgresql
@pytest.mark.django_db
def test_json_in_a_column_is_read_by_the_server_as_it_was_given() -> None:
    values = [{text: [text, 1, None]} for text in AWKWARD]
    whole: Any = Jsonb(values)
    with connection.cursor() as cursor:
        columns = [[Jsonb(value) for value in values]]
        cursor.execute(f"SELECT jsonb_agg(value ORDER BY place)::text FROM UNNEST((%s)::jsonb[]) {PLACED}", columns)
        (found,) = cursor.fetchone()
        cursor.execute("SELECT %s::jsonb::text", [whole])

        assert found == cursor.fetchone()[0]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_columns_of_rows_go_beside_their_statement_and_keys_come_back() -> None:
    with CaptureQueriesContext(connection) as captured:
        written = MessageTemplate.objects.bulk_create(
            MessageTemplate(key=str(key), name=text, subject=text, body=text) for key, text in enumerate(AWKWARD)
        )

    [statement] = [query["sql"] for query in captured if "UNNEST" in query["sql"]]
    assert "$1" in statement
    assert "NULL" not in statement
    assert [MessageTemplate.objects.get(pk=row.pk).body for row in written] == [*AWKWARD]
