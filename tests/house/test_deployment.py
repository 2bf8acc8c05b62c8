"""What is in ``deploy/`` names commands, settings and ports of this very project, and does what it says."""

import re
import shlex
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from deploy.gunicorn_settings import bind, graceful_timeout, on_starting, without_token
from tests.house.test_rules import ROOT

DEPLOY = ROOT / "deploy"
# Of the containers and of the script themselves.
OWN_VARIABLES = {
    "ACCESS_LOG", "BIND", "DEBIAN_FRONTEND", "HOME", "MINIO_ROOT_PASSWORD", "MINIO_ROOT_USER", "ON_ERROR_STOP",
    "PATH", "PORTAL_HOST", "PORTAL_UPSTREAM", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_USER",
    "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TLS_CERTIFICATE", "TLS_KEY", "XDG_CACHE_HOME",
}  # fmt: skip
SECRET = "MTIzOnRva2VuLW9mLWEtbGluaw"


def deployed_files() -> list[Path]:
    """Everything that installs the portal or runs it in production."""
    return [path for path in DEPLOY.rglob("*") if path.suffix not in (".py", ".pyc") and path.is_file()] + [
        ROOT / "bin/install-service"
    ]


def test_commands_and_settings_are_those_of_the_project() -> None:
    text = "\n".join(path.read_text() for path in deployed_files())
    commands = set(re.findall(r"manage\.py[ ,]+(\w+)", text))
    assert {"run_worker", "send_queued_mail", "read_bounces", "upgrade"} <= commands
    assert commands <= set(get_commands())
    explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|[ #])([A-Z][A-Z0-9_]{3,})(?:=|: )", text, re.MULTILINE))
    assert {"SECRET_KEY", "DATABASE_URL", "DOCUMENTS_SEND_HEADER"} <= named
    assert named - explained - OWN_VARIABLES == set()


def test_proxy_and_site_agree_on_their_port() -> None:
    port = bind.rpartition(":")[2]
    assert f"127.0.0.1:{port}|" in (ROOT / "bin/install-service").read_text()
    assert f"PORTAL_UPSTREAM: web:{port}" in (DEPLOY / "compose.yaml").read_text()
    assert f"BIND=0.0.0.0:{port}" in (DEPLOY / "Dockerfile").read_text()


def test_a_port_that_is_taken_is_named_in_a_sentence() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as other:
        taken = f"127.0.0.1:{other.server_port}"
        with pytest.raises(SystemExit, match=f"{taken} est déjà pris"):
            on_starting(SimpleNamespace(cfg=SimpleNamespace(address=[other.server_address])))
    on_starting(SimpleNamespace(cfg=SimpleNamespace(address=[("127.0.0.1", 0), "unix:/run/portail"])))


def test_every_unit_is_one_that_the_script_starts() -> None:
    started = (ROOT / "bin/install-service").read_text()
    units = {path.name for path in (DEPLOY / "systemd").glob("portail*.*") if path.is_file()}
    assert {name for name in units if name not in started} == {"portail-returns.service"}  # by its timer


@pytest.mark.parametrize(
    ("setting", "is_read"),
    [
        ("IMAP_URL=imaps://u:p@imap.example.com", True),
        ("", False),
        ("IMAP_URL=", False),
        ("#IMAP_URL=imaps://u:p@imap.example.com", False),
    ],
)
def test_mailbox_is_read_by_the_timer_only_where_there_is_one(setting: str, is_read: bool, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"SECRET_KEY=x\n{setting}\n")
    unit = (DEPLOY / "systemd/portail-returns.service").read_text()
    [condition] = re.findall("^ExecCondition=(.*)$", unit, re.MULTILINE)
    done = subprocess.run(shlex.split(condition), cwd=tmp_path, check=False)
    assert done.returncode == (0 if is_read else 1)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"/connexion/lien/{SECRET}/", "/connexion/lien/***"),
        (f"/connexion/nouveau-mot-de-passe/{SECRET}/", "/connexion/nouveau-mot-de-passe/***"),
        ("/connexion/lien/", "/connexion/lien/"),
        ("/factures/", "/factures/"),
        ("/x\r\nsign-in refused from 192.0.2.1", "/x%0D%0Asign-in%20refused%20from%20192.0.2.1"),
        ("/connexion/lien/\n", "/connexion/lien/***"),
    ],
)
def test_the_access_log_of_the_site_has_no_token(path: str, kept: str) -> None:
    assert without_token(path) == kept


def services() -> dict[str, Any]:
    """What the file of containers describes, by name."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_what_containers_mount_depend_on_and_run_is_there() -> None:
    described = services()
    for name, service in described["services"].items():
        for volume in service.get("volumes", ()):
            source, target = volume.split(":")[:2]
            where = DEPLOY / source
            assert source in described["volumes"] or where.exists() or source == "./tls", f"{name}: {volume}"
            assert target.startswith("/")
        assert set(service.get("depends_on", ())) <= set(described["services"])
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
            assert service["env_file"] == "../.env"
            # Longer than gunicorn and the worker take to end what they have in hand; docker's own are ten seconds.
            assert int(service["stop_grace_period"].removesuffix("s")) > graceful_timeout


def test_no_secret_of_the_machine_that_builds_is_in_the_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"**/.env", "var", "deploy/tls", ".git"} <= set(left_out)


@pytest.mark.parametrize(("key", "secret"), [("", ""), ("portail", ""), ("", "a long secret")])
def test_a_store_without_a_key_of_its_own_does_not_start(key: str, secret: str, tmp_path: Path) -> None:
    """MinIO takes «minioadmin», which everybody knows, where its variables are empty."""
    store = services()["services"]["s3"]
    started = tmp_path / "minio"
    started.write_text('#!/bin/sh\necho "started $*"\n')
    started.chmod(0o755)

    def start(**keys: str) -> "subprocess.CompletedProcess[str]":
        # docker compose writes $$ for $ in what it hands on
        line = [part.replace("$$", "$") for part in (*store["entrypoint"], *store["command"])]
        return subprocess.run(
            line, env={"PATH": f"{tmp_path}:/usr/bin:/bin", **keys}, capture_output=True, text=True, check=False
        )

    refused = start(MINIO_ROOT_USER=key, MINIO_ROOT_PASSWORD=secret)
    assert refused.returncode == 1
    assert "S3_KEY et S3_SECRET manquent" in refused.stderr
    assert start(MINIO_ROOT_USER="portail", MINIO_ROOT_PASSWORD="a long secret").stdout == "started server /data\n"


def test_files_of_containers_are_where_their_programs_look_for_them() -> None:
    image, nginx = (DEPLOY / "Dockerfile").read_text(), services()["services"]["nginx"]
    own = services()["services"]["web"]
    (root,) = re.findall(r"^WORKDIR (.*)$", image, re.MULTILINE)
    (user,) = re.findall(r"--uid (\d+)", image)
    (group,) = re.findall(r"--gid (\d+)", image)
    assert nginx["user"].rpartition(":")[2] == user == group
    assert f"VOLUME {root}/var" in image
    assert own["volumes"] == [f"var:{root}/var"]
    assert own["environment"]["DOCUMENTS_ROOT"] == nginx["environment"]["DOCUMENTS_ROOT"] == f"{root}/var/documents"
    mounted = dict(volume.split(":")[1::-1] for volume in nginx["volumes"])
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        assert str(Path(nginx["environment"][name]).parent) in mounted
    template = (DEPLOY / "nginx/portail.conf.template").read_text()
    named = set(re.findall(r"\$\{([A-Z_]+)\}", template))
    assert named == set(nginx["environment"])


def test_services_may_write_where_the_settings_say(tmp_path: Path) -> None:
    for name in ("bin", "deploy"):
        shutil.copytree(ROOT / name, tmp_path / "srv" / name)
    (tmp_path / "srv/.env").write_text(
        f"DOCUMENTS_ROOT=/grand/disque\nIMPORT_FOLDER='/srv/erp/depot'\n#MAIL_ROOT=/nulle/part\nX={tmp_path}\n"
    )
    install = [tmp_path / "srv/bin/install-service", "--root", tmp_path, "factures.exemple.fr"]
    subprocess.run([str(each) for each in install], check=True, capture_output=True)
    common = (tmp_path / "etc/systemd/system/portail-.service.d/common.conf").read_text()
    assert re.findall(r"^ReadWritePaths=(.*)$", common, re.MULTILINE) == [
        f"{tmp_path}/srv/var",
        "-/grand/disque",
        "-/srv/erp/depot",
    ]
    assert "alias /grand/disque/;" in (tmp_path / "etc/nginx/conf.d/portail.conf").read_text()


class _Site(BaseHTTPRequestHandler):
    """Answers as the portal does: a page, or the name of the file that the proxy is to send."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/document":
            self.send_header("X-Accel-Redirect", "/interne/documents/2025/invoice.pdf")
            self.send_header("Content-Security-Policy", "frame-ancestors 'self'")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal of the tests."""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """The address of a real nginx with our files, as the script installs them, in front of a site."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as unused:
        port = unused.server_port
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=factures.exemple.fr"
    written = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *request.split(), *written], check=True, capture_output=True)
    install = [ROOT / "bin/install-service", "--root", tmp_path, "factures.exemple.fr", certificate, key]
    subprocess.run([str(each) for each in install], check=True, capture_output=True)
    installed = tmp_path / "etc/nginx/conf.d/portail.conf"
    (tmp_path / "documents/2025").mkdir(parents=True)
    (tmp_path / "documents/2025/invoice.pdf").write_bytes(b"%PDF of an invoice")
    tmp_path.chmod(0o755)
    text = installed.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{site.server_port}")
    text = re.sub(r"listen \[::\].*;", "", text)
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen 80;", f"listen unix:{tmp_path}/http;")
    installed.write_text(re.sub(r"alias .*;", f"alias {tmp_path}/documents/;", text))
    settings = tmp_path / "nginx.conf"
    user = "user root;\n" if Path("/proc/self").owner() == "root" else ""
    settings.write_text(
        f"{user}daemon off;\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{ client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy; include {installed}; }}\n"
    )
    subprocess.run(["nginx", "-t", "-q", "-c", str(settings)], check=True)
    process = subprocess.Popen(["nginx", "-c", str(settings)])
    address = f"https://127.0.0.1:{port}"
    try:
        for _try in range(100):
            if _ask(f"{address}/")[0] == 200:
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)
        site.shutdown()
        site.server_close()


def _ask(address: str, body: bytes | None = None) -> tuple[int, bytes, dict[str, str]]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body), context=context, timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", {}
    except OSError:
        return 0, b"", {}


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_the_proxy_sends_documents_only_when_the_site_says_so_and_keeps_tokens_out_of_its_log(
    proxy: str, tmp_path: Path
) -> None:
    status, content, headers = _ask(f"{proxy}/document")
    assert (status, content) == (200, b"%PDF of an invoice")
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert _ask(f"{proxy}/interne/documents/2025/invoice.pdf")[0] == 404
    assert _ask(f"{proxy}/connexion/", b"x" * 4_000_000)[0] == 413
    assert _ask(f"{proxy}/verification/", b"x" * 4_000_000)[0] == 200
    assert _ask(f"{proxy}/connexion/lien/{SECRET}/?next={SECRET}")[0] == 200
    assert _ask(f"{proxy}/factures/?q={SECRET}")[0] == 200
    for _try in range(100):  # written once the answer has left
        log = (tmp_path / "var/log/portail/access.log").read_text()
        if '"/factures/"' in log:
            break
        time.sleep(0.05)
    assert '"/connexion/lien/***"' in log
    assert '"/factures/"' in log
    assert SECRET not in log + (tmp_path / "error.log").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_are_understood_by_systemd(tmp_path: Path) -> None:
    units = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", units)
    for unit in units.rglob("*"):
        if unit.is_file():
            unit.write_text(unit.read_text().replace("/srv/portail", str(ROOT)))
    run = subprocess.run(
        ["systemd-analyze", "verify", *[str(unit) for unit in units.iterdir() if unit.is_file()]],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in (run.stdout + run.stderr).splitlines() if "portail" in line]
    assert (run.returncode, ours) == (0, [])
