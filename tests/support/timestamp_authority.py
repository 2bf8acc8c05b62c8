"""A time-stamping authority (RFC 3161) of one's own machine: OpenSSL behind a small HTTP server."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.support.listening import AnsweringHandler, listening

CONFIG = """
[req]
distinguished_name = dn
[dn]
[tsa_ext]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[ca_ext]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
"""


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run OpenSSL; what it wrote."""
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout


def make_authority(folder: Path) -> Path:
    """A root certificate and one for time-stamps under ``folder``; the file of the root."""
    config = folder / "tsa.cnf"
    config.write_text(CONFIG.format(folder=folder))
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", str(config))
    ca, key = str(folder / "ca.pem"), str(folder / "ca.key")
    openssl(*new, "-x509", "-extensions", "ca_ext", "-subj", "/CN=Racine", "-keyout", key, "-out", ca, "-days", "30")
    tsa_key, asked = str(folder / "tsa.key"), str(folder / "tsa.csr")
    openssl(*new, "-subj", "/CN=Horodatage", "-keyout", tsa_key, "-out", asked)
    signed = ("x509", "-req", "-in", asked, "-CA", ca, "-CAkey", key, "-set_serial", "7", "-days", "30")
    openssl(*signed, "-extfile", str(config), "-extensions", "tsa_ext", "-out", str(folder / "tsa.pem"))
    (folder / "serial").write_text("01\n")
    return folder / "ca.pem"


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address at which the authority of ``folder`` answers."""

    class Handler(AnsweringHandler):
        def do_POST(self) -> None:
            (folder / "query.tsq").write_bytes(self.body())
            config = str(folder / "tsa.cnf")
            reply = openssl("ts", "-reply", "-config", config, "-queryfile", str(folder / "query.tsq"))
            self.answer(reply, "application/timestamp-reply")

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/"
