"""How the login page answers behind the shipped nginx while 1,000 others are slow or take ZIPs (``make bench-proxy``).

gunicorn runs as shipped, nginx with the shipped file, in which paths, ports and the certificate alone are others. The
clients are on the same machine, which makes the figures worse than they are. 1 where the worst answer takes a second.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import Process
from pathlib import Path

import django

HOST = "factures.exemple.fr"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "PORTAL_URL": f"https://{HOST}",
    "ALLOWED_HOSTS": HOST,
    "BEHIND_PROXY": "1",
    "SECRET_KEY": "the key of a measure that nobody needs to guess, long enough to be one",
    "STAFF_SECOND_FACTOR": "offered",
}
folder = Path(tempfile.mkdtemp(prefix="proxy-"))
os.environ["DOCUMENTS_ROOT"] = str(folder / "documents")
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.db import connection  # noqa: E402

from customers.models import Access, Account  # noqa: E402
from invoices.models import Document, Invoice  # noqa: E402
from portal.sessions import SessionStore  # noqa: E402
from tests.benchmarks.filling import fill  # noqa: E402
from tests.benchmarks.scene import measured_database  # noqa: E402
from tests.support.factories import make_company  # noqa: E402

ROOT = Path(__file__).parents[2]
BACKEND = "customers.authentication.AccountBackend"
INVOICES_EACH = 12
PDF_SIZE = 40_000
TOO_SLOW = 1.0


def main() -> int:
    """Fill, start, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20, help="of each measure with slow connections")
    options = parser.parse_args()
    try:
        with measured_database():
            keys = _fill(options.connections)
            folder.chmod(0o755)
            with _running() as port:
                return _measure(port, keys, options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(count: int) -> list[str]:
    """Customers with a year of invoices whose PDFs are there; the keys of their sessions."""
    customers = fill(company=make_company(), customers=count, invoices_each=INVOICES_EACH)
    Invoice.objects.update(issue_date="2025-06-07")
    documents = folder / "documents"
    documents.mkdir(parents=True)
    content = documents / "content"
    written = b"%PDF-1.7\n" + os.urandom(PDF_SIZE)
    content.write_bytes(written)
    # What is in an archive is compared with its fingerprint.
    Document.objects.update(sha256=hashlib.sha256(written).hexdigest(), size=len(written))
    for name in Document.objects.values_list("storage_name", flat=True):
        os.link(content, documents / name)
    Account.objects.bulk_create(Account(login=f"{each.code}@clients.example", password="!") for each in customers)
    accounts = list(Account.objects.order_by("pk"))
    Access.objects.bulk_create(
        Access(account=account, customer=each) for account, each in zip(accounts, customers, strict=True)
    )
    keys = []
    for account in accounts:
        session = SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(account.pk), BACKEND
        session[HASH_SESSION_KEY] = account.get_session_auth_hash()
        session.save()
        keys.append(str(session.session_key))
    return keys


@contextlib.contextmanager
def _running() -> Iterator[int]:
    """gunicorn and nginx as shipped, until the measure is over; the port of nginx."""
    database = connection.settings_dict
    site, port = 18_431, 18_443
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}",
        "BIND": f"127.0.0.1:{site}",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "collectstatic", "--noinput"], check=True, env=environment, stdout=subprocess.DEVNULL)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256"
    asked = f"openssl req -x509 {curve} -nodes -days 2 -subj /CN=localhost -keyout".split()
    subprocess.run([*asked, str(key), "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL)
    installed = [str(ROOT / "bin/install-service"), "--root", str(folder), HOST, str(certificate), str(key)]
    subprocess.run(installed, check=True, stdout=subprocess.DEVNULL)
    ours = folder / "etc/nginx/conf.d/portail.conf"
    text = ours.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{site}")
    text = text.replace("listen 443", f"listen {port}").replace("listen 80;", f"listen unix:{folder}/http;")
    ours.write_text(re.sub(r"alias .*;", f"alias {folder}/documents/;", text))
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n"
        "worker_processes auto;\nworker_rlimit_nofile 20000;\nevents { worker_connections 8192; }\n"
        f"http {{ client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; include {ours}; }}\n"
    )
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn_settings.py", "portal.wsgi"]
    log = (folder / "gunicorn.log").open("wb")
    started = [
        subprocess.Popen(gunicorn, cwd=ROOT, env=environment, stdout=log, stderr=log),
        subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL),
    ]
    try:
        _wait(port)
        yield port
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(90)


def _wait(port: int) -> None:
    """Until each process has answered once: the first page of a process takes longer."""
    clients = _Clients(port, [])
    for _try in range(60):
        time.sleep(1)
        answers = [asyncio.run(clients.ask(_head("GET /connexion/ HTTP/1.1"), "127.0.0.1"))[0] for _n in range(20)]
        if set(answers) == {200}:
            return


class _Clients:
    """Those who come at the same time, in a process of their own: measuring does not wait for them."""

    def __init__(self, port: int, keys: list[str]) -> None:
        self.port, self.keys = port, keys
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.handshakes = asyncio.Semaphore(20)  # of this one process, which represents 1,000 machines

    async def slow(self, kind: str, from_one: bool) -> None:
        """All of them at once, without end."""
        client = getattr(self, kind)
        await asyncio.gather(
            *(client(n, "127.0.0.1" if from_one else f"127.2.0.{n // 25 + 1}") for n in range(len(self.keys)))
        )

    async def archives(self) -> None:
        """Each takes the year of a customer; what they got is printed."""
        started, got = time.perf_counter(), []

        async def take(n: int) -> None:
            first = f"GET /factures/archive.zip?annee=2025 HTTP/1.1\r\nCookie: __Host-sessionid={self.keys[n]}"
            status, size, again = 503, 0, -1
            while status == 503 and again < 60:  # as the page has a browser do
                again += 1
                await asyncio.sleep(5 if again else 0)
                status, size = await self.ask(_head(first), f"127.3.{n // 200}.{n % 200 + 1}")
            got.append((status, size, time.perf_counter() - started, again))

        await asyncio.gather(*(take(n) for n in range(len(self.keys))))
        whole = [each for each in got if each[0] == 200 and each[1] > INVOICES_EACH * PDF_SIZE]
        times = sorted(each[2] for each in got)
        again = sum(each[3] for each in got)
        others = sorted({each[0] for each in got} - {200})
        print(
            f"  archives reçues entières : {len(whole)} sur {len(got)} ; médiane {statistics.median(times):.1f} s, "
            f"dernière {times[-1]:.1f} s ; redemandées {again} fois ; autres réponses : {others or 'aucune'}"
        )

    async def connect(self, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with self.handshakes:
            return await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.tls, local_addr=(source, 0), limit=2**16, ssl_handshake_timeout=120
            )

    async def ask(self, head: bytes, source: str) -> tuple[int, int]:
        """The status (0: the connection was reset) and how many bytes came."""
        size, first = 0, b""
        with contextlib.suppress(OSError, ssl.SSLError):
            reader, writer = await self.connect(source)
            writer.write(head)
            while piece := await reader.read(2**16):
                first = first or piece
                size += len(piece)
            writer.close()
        return int(first.split()[1]) if first else 0, size

    async def slow_head(self, n: int, source: str) -> None:
        await self._drip(source, _head("GET /connexion/ HTTP/1.1"), b"")

    async def slow_body(self, n: int, source: str) -> None:
        head = f"POST /connexion/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 90000\r\n\r\n"
        await self._drip(source, b"a" * 90_000, head.encode())

    async def slow_reader(self, n: int, source: str) -> None:
        first = f"GET /factures/archive.zip?annee=2025 HTTP/1.1\r\nCookie: __Host-sessionid={self.keys[n]}"
        with contextlib.suppress(OSError, ssl.SSLError):
            reader, writer = await self.connect(source)
            writer.write(_head(first))
            while await reader.read(1):
                await asyncio.sleep(1)

    async def _drip(self, source: str, content: bytes, head: bytes) -> None:
        while True:  # again and again, as whoever means it does
            with contextlib.suppress(OSError, ssl.SSLError):
                _reader, writer = await self.connect(source)
                writer.write(head)
                for byte in content:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(1)
            await asyncio.sleep(1)


def _head(first: str) -> bytes:
    return f"{first}\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


SLOW = (
    ("en-têtes octet par octet", "slow_head"),
    ("envois octet par octet", "slow_body"),
    ("archives lues octet par octet", "slow_reader"),
)


def _measure(port: int, keys: list[str], seconds: int) -> int:
    """Each scene after the other; 1 where the worst answer is too slow."""
    worst = [_login_times(port, "sans personne d’autre", seconds)]
    for name, kind in SLOW:
        for what, from_one in (("", False), (", toutes d’une adresse", True)):
            others = Process(target=_run, args=(port, keys, kind, from_one))
            others.start()
            time.sleep(5)
            worst.append(_login_times(port, f"{len(keys)} {name}{what}", seconds))
            others.terminate()
            others.join()
    others = Process(target=_run, args=(port, keys, "", False))
    others.start()
    worst.append(_login_times(port, f"{len(keys)} archives à la fois", 600, until=others))
    others.join()
    return 1 if max(worst) >= TOO_SLOW else 0


def _run(port: int, keys: list[str], kind: str, from_one: bool) -> None:
    os.nice(10)  # other machines would leave this one to the portal
    clients = _Clients(port, keys)
    asyncio.run(clients.slow(kind, from_one) if kind else clients.archives())


def _login_times(port: int, name: str, seconds: int, until: Process | None = None) -> float:
    """Ask for the page again and again, on a new connection each time; the longest time in seconds."""
    clients, times, refused = _Clients(port, []), [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and (until is None or until.is_alive()):
        started = time.perf_counter()
        status, _size = asyncio.run(clients.ask(_head("GET /connexion/ HTTP/1.1"), "127.0.0.1"))
        times.append(time.perf_counter() - started)
        refused += status != 200
        time.sleep(0.1)
    print(
        f"{name} : page de connexion en {statistics.median(times) * 1000:.0f} ms (médiane), "
        f"{max(times) * 1000:.0f} ms (pire), {len(times)} essais, {refused} refus",
        flush=True,
    )
    return max(times)


if __name__ == "__main__":
    sys.exit(main())
