"""Debian's own Postfix and Dovecot on loopback, each with all that it needs in one folder. Needs root, as they do."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.smtp_sink import closed_port

NOBODY = 65534
PASSWORD = "m@t/2:passe"  # all that a URL must escape

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
showq unix n - n - - showq
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
myhostname = mx.exemple.test
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
smtputf8_enable = yes
virtual_transport = virtual
virtual_mailbox_domains = client.test, exemple.test
virtual_mailbox_maps = texthash:{folder}/etc/boxes
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
virtual_minimum_uid = 100
transport_maps = texthash:{folder}/etc/transports
relay_domains = plein.test, absent.test
relay_recipient_maps =
header_checks = regexp:{folder}/etc/headers
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/etc/refused, permit_mynetworks, reject
# Unknown recipients are accepted and then returned: this is what a server that only forwards does.
smtpd_reject_unlisted_recipient = no
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
"""

DOVECOT = """
base_dir = {folder}/dovecot
log_path = {folder}/log/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/exemple.test/retours
first_valid_uid = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={nobody} gid={nobody} home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


@dataclass(frozen=True)
class MailServers:
    """Where the servers listen, and the folder of their mailboxes (maildirs ``domain/name``)."""

    smtp_port: int
    imap_port: int
    mailboxes: Path


@contextlib.contextmanager
def running_mail_servers() -> Iterator[MailServers]:
    """Postfix and Dovecot, running; their folder is deleted afterwards.

    Mailboxes: client@client.test, stanisław@client.test, retours@exemple.test. Others of client.test come back,
    plein.test is full, absent.test is away, refus@client.test is refused at once.
    """
    folder = Path(tempfile.mkdtemp(prefix="mail-servers-"))
    folder.chmod(0o755)  # their processes are not root
    smtp_port, imap_port = closed_port(), closed_port()
    try:
        for name in ("etc", "log", "queue", "data", "mail", "dovecot"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        shutil.chown(folder / "mail", "nobody", "nogroup")
        files = {
            "main.cf": MAIN.format(folder=folder, nobody=NOBODY),
            "master.cf": MASTER.format(port=smtp_port),
            "boxes": "client@client.test client.test/client/\nstanisław@client.test client.test/stanislaw/\n"
            "retours@exemple.test exemple.test/retours/\n",
            "transports": "plein.test error:5.2.2 La boite est pleine\nabsent.test retry:4.4.1 Serveur absent\n",
            # What a server that verifies writes on top of what it takes.
            "headers": "/^Subject: .*Essai/ PREPEND Authentication-Results: mx.exemple.test; spf=pass"
            " smtp.mailfrom=exemple.test; dkim=fail header.d=exemple.test; dmarc=pass header.from=exemple.test\n",
            "refused": "refus@client.test 550 5.1.1 Utilisateur inconnu\n",
            "dovecot.conf": DOVECOT.format(folder=folder, port=imap_port, password=PASSWORD, nobody=NOBODY),
        }
        for name, content in files.items():
            (folder / "etc" / name).write_text(content)
        postfix = ["/usr/sbin/postfix", "-c", str(folder / "etc")]
        subprocess.run([*postfix, "start"], check=True, capture_output=True, timeout=60)
        dovecot = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(folder / "etc" / "dovecot.conf")])
        try:
            for port in (smtp_port, imap_port):
                wait_until(lambda port=port: answers(port), f"nobody listens on {port}")  # type: ignore[misc]
            yield MailServers(smtp_port, imap_port, folder / "mail")
        finally:
            dovecot.terminate()
            dovecot.wait(timeout=30)
            subprocess.run([*postfix, "stop"], check=True, capture_output=True, timeout=60)
    finally:
        shutil.rmtree(folder)


def answers(port: int) -> bool:
    """True where somebody listens on this port of the machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool], complaint: str, seconds: float = 30) -> None:
    """Wait for ``condition``; fail with ``complaint`` where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.1)
