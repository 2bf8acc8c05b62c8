"""What a simulated platform remembers: flows, its directory, tokens. A file, so that it survives being killed."""

import datetime
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from invoices.platforms.client import write_moment

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS flow (
    id TEXT PRIMARY KEY, tracking_id TEXT, name TEXT, syntax TEXT, rule TEXT, kind TEXT, direction TEXT, sha256 TEXT,
    content BLOB, fault TEXT, submitted_at TEXT, updated_at TEXT, status TEXT, details TEXT, identity TEXT,
    is_judged INT
);
CREATE INDEX IF NOT EXISTS flow_updated ON flow (updated_at);
CREATE INDEX IF NOT EXISTS flow_tracking ON flow (tracking_id);
CREATE INDEX IF NOT EXISTS flow_judged ON flow (is_judged);
CREATE TABLE IF NOT EXISTS line (address TEXT PRIMARY KEY, siren TEXT, content TEXT);
CREATE TABLE IF NOT EXISTS token (value TEXT PRIMARY KEY, until REAL);
CREATE TABLE IF NOT EXISTS callback (at TEXT, is_spoilt INT, answer INT);
CREATE TABLE IF NOT EXISTS target (url TEXT, secret TEXT);
"""
_GIVEN: Final = ("tracking_id", "name", "syntax", "rule", "kind", "direction", "sha256", "identity")


class Book:
    """The memory of a simulated platform; used by several threads, one statement at a time."""

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        with self._lock:
            self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is written inside is written whole or not at all, whenever the process is killed."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _new_moment(self) -> str:
        """Now, and later than any change before: changes are leafed through by their moment."""
        last = self._run("SELECT max(updated_at) AS at FROM flow")[0]["at"] or ""
        moment = datetime.datetime.now(datetime.UTC)
        while write_moment(moment) <= last:
            moment += datetime.timedelta(milliseconds=1)
        return write_moment(moment)

    # Flows.

    def add_flow(
        self, *, status: str, content: bytes, fault: str = "", is_judged: bool, **values: str
    ) -> dict[str, Any]:
        """A new flow; returns it as the interface describes it."""
        with self._lock:
            identifier, moment = f"flux-{secrets.token_hex(8)}", self._new_moment()
            row = {
                **dict.fromkeys(
                    ("tracking_id", "name", "syntax", "rule", "kind", "direction", "sha256", "identity"), ""
                ),
                **values,
                "id": identifier,
                "content": content,
                "fault": fault,
                "submitted_at": moment,
                "updated_at": moment,
                "status": status,
                "details": "[]",
                "is_judged": int(is_judged),
            }
            names = ", ".join(row)
            self._run(f"INSERT INTO flow ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))  # noqa: S608
            return self.flow(identifier) or {}

    def answer_flow(self, identifier: str, status: str, details: list[dict[str, str]], identity: str = "") -> None:
        """Say what became of a flow."""
        with self._lock:
            self._run(
                "UPDATE flow SET status = ?, details = ?, updated_at = ?, identity = ?, is_judged = 1 WHERE id = ?",
                (status, json.dumps(details, ensure_ascii=False), self._new_moment(), identity, identifier),
            )

    def flow(self, identifier: str) -> dict[str, Any] | None:
        """A flow as the interface describes it; None where there is none."""
        rows = self._run("SELECT * FROM flow WHERE id = ?", (identifier,))
        return _as_answer(rows[0]) if rows else None

    def content(self, identifier: str) -> bytes:
        """The file of a flow."""
        return bytes(self._run("SELECT content FROM flow WHERE id = ?", (identifier,))[0]["content"])

    def unjudged(self) -> list[sqlite3.Row]:
        """The flows that were taken and not looked at yet, the oldest first."""
        return self._run("SELECT * FROM flow WHERE is_judged = 0 ORDER BY updated_at LIMIT 50")

    def is_known(self, identity: str) -> bool:
        """True where an invoice of this identity was accepted."""
        return bool(self._run("SELECT 1 FROM flow WHERE identity = ? AND status = 'Ok' LIMIT 1", (identity,)))

    def search(self, where: dict[str, Any], limit: int) -> list[dict[str, Any]]:
        """The flows that match, the oldest change first."""
        parts, values = ["1 = 1"], []
        for key, part in (
            ("updatedAfter", "updated_at > ?"),
            ("updatedBefore", "updated_at < ?"),
            ("trackingId", "tracking_id = ?"),
            ("ackStatus", "status = ?"),
        ):
            if key in where:
                parts.append(part)
                values.append(where[key])
        for key, column in (
            ("flowType", "kind"),
            ("flowDirection", "direction"),
            ("processingRule", "rule"),
        ):
            if wanted := where.get(key):
                parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values += wanted
        statement = f"SELECT * FROM flow WHERE {' AND '.join(parts)} ORDER BY updated_at LIMIT ?"  # noqa: S608
        return [_as_answer(row) for row in self._run(statement, (*values, limit))]

    def counts(self) -> dict[str, int]:
        """How often each ``trackingId`` was taken."""
        rows = self._run(
            "SELECT tracking_id, count(*) AS number FROM flow WHERE direction = 'Out' GROUP BY tracking_id"
        )
        return {row["tracking_id"]: row["number"] for row in rows}

    # The directory.

    def add_line(self, line: dict[str, Any]) -> None:
        """Put a line in the directory, in the place of one of the same address."""
        values = (line["addressingIdentifier"], line["siren"], json.dumps(line))
        self._run("INSERT OR REPLACE INTO line VALUES (?, ?, ?)", values)

    def lines(self, siren: str = "") -> list[dict[str, Any]]:
        """The lines of a SIREN, or all."""
        rows = self._run("SELECT content FROM line WHERE ? IN ('', siren) ORDER BY address", (siren,))
        return [json.loads(row["content"]) for row in rows]

    # Tokens.

    def add_token(self, value: str, until: float) -> None:
        """Let ``value`` in until then."""
        self._run("INSERT OR REPLACE INTO token VALUES (?, ?)", (value, until))

    def lets_in(self, value: str, now: float) -> bool:
        """True where ``value`` is a token that holds."""
        return bool(self._run("SELECT 1 FROM token WHERE value = ? AND until > ?", (value, now)))

    # Callbacks.

    def call_back_to(self, url: str, secret: str) -> None:
        """Send callbacks to ``url`` from now on; to no one where it is empty."""
        with self._lock:
            self._run("DELETE FROM target")
            self._run("INSERT INTO target VALUES (?, ?)", (url, secret))

    def callback_target(self) -> tuple[str, str]:
        """The address and the secret of the callbacks."""
        rows = self._run("SELECT url, secret FROM target")
        return (rows[0]["url"], rows[0]["secret"]) if rows else ("", "")

    def note_callback(self, *, is_spoilt: bool, answer: int) -> None:
        """A callback was answered by this status; 0 for no answer."""
        moment = write_moment(datetime.datetime.now(datetime.UTC))
        self._run("INSERT INTO callback VALUES (?, ?, ?)", (moment, int(is_spoilt), answer))

    def callbacks(self, most: int = 20) -> list[tuple[str, bool, int]]:
        """The last callbacks: when, whether wrongly signed, and the answer."""
        rows = self._run("SELECT * FROM callback ORDER BY rowid DESC LIMIT ?", (most,))
        return [(row["at"], bool(row["is_spoilt"]), row["answer"]) for row in rows]


def _as_answer(row: sqlite3.Row) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "flowId": row["id"],
        "submittedAt": row["submitted_at"],
        "updatedAt": row["updated_at"],
        "flowSyntax": row["syntax"],
        "flowType": row["kind"],
        "flowDirection": row["direction"],
        "name": row["name"],
        "acknowledgement": {"status": row["status"], "details": json.loads(row["details"])},
    }
    if row["tracking_id"]:
        answer["trackingId"] = row["tracking_id"]
    if row["rule"]:
        answer["processingRule"] = row["rule"]
    if row["sha256"]:
        answer["sha256"] = row["sha256"]
    return answer
