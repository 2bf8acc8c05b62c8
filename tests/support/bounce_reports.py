"""Reports of non-delivery in the manner of the mail servers that people meet, about a mail of ours."""

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage


@dataclass(frozen=True)
class About:
    """The mail that came back."""

    message_id: str
    recipient: str
    return_path: str

    @property
    def headers(self) -> str:
        """Its headers, as a report returns them."""
        return (
            f"From: =?utf-8?q?Soci=C3=A9t=C3=A9?= <compta@exemple.fr>\nTo: {self.recipient}\n"
            f"Subject: Votre facture\nMessage-ID: {self.message_id}\nDate: Tue, 24 Nov 2026 10:00:00 +0100\n"
        )


def rfc3464(
    about: About,
    fields: str,
    *,
    sender: str = "MAILER-DAEMON@mx.exemple.net (Mail Delivery System)",
    subject: str = "Undelivered Mail Returned to Sender",
    explanation: str = "I'm sorry to have to inform you that your message could not be delivered.",
    returned_type: str = "message/rfc822",
    more: str = "Auto-Submitted: auto-replied\n",
) -> bytes:
    """A multipart/report: words, the fields per recipient (groups parted by blank lines), the returned mail."""
    body = "\n\nBonjour\n" if returned_type == "message/rfc822" else "\n"
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: {about.return_path}\nSubject: {subject}\n{more}"
        "Message-ID: <report.1@mx.exemple.net>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B1"\n\n'
        f"--B1\nContent-Type: text/plain; charset=us-ascii\n\n{explanation}\n\n"
        "--B1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.exemple.net\n"
        f"Arrival-Date: Tue, 24 Nov 2026 10:00:00 +0100 (CET)\n\n{fields}\n"
        f"--B1\nContent-Type: {returned_type}\n\n{about.headers}{body}\n--B1--\n"
    ).encode()


def group(recipient: str, status: str, diagnostic: str, *, action: str = "failed", original: str = "") -> str:
    """The fields of one recipient."""
    first = f"Original-Recipient: rfc822;{original}\n" if original else ""
    return (
        f"{first}Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Remote-MTA: dns; mx.client.example\nDiagnostic-Code: smtp; {diagnostic}\n"
    )


def postfix(about: About) -> bytes:
    """Postfix 3.7, user unknown."""
    return rfc3464(
        about,
        group(
            about.recipient,
            "5.1.1",
            f"550 5.1.1 <{about.recipient}>: Recipient address rejected: User\n    unknown in virtual mailbox table",
            original=about.recipient,
        ),
    )


def sendmail(about: About) -> bytes:
    """Sendmail 8.17: the headers alone come back."""
    return rfc3464(
        about,
        group(about.recipient, "5.1.1", "550 5.1.1 <x>... User unknown"),
        sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.exemple.net>",
        subject="Returned mail: see transcript for details",
        returned_type="text/rfc822-headers",
        more="Auto-Submitted: auto-generated (failure)\n",
    )


def exchange(about: About) -> bytes:
    """Exchange Online: the NDR of a tenant, its text in French and in base64."""
    mail = EmailMessage(policy=policy.SMTP)
    mail.set_content("Votre message n’a pas pu être remis. L’adresse n’existe pas.", cte="base64")
    words = mail.as_string().partition("\r\n\r\n")[2].replace("\r\n", "\n")
    fields = (
        f"Final-Recipient: rfc822;{about.recipient}\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp;550 5.1.10"
        f" RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n"
        "X-Display-Name: Client\n"
    )
    raw = rfc3464(
        about,
        fields,
        sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@client.example>",
        subject="=?utf-8?B?Tm9uIHJlbWlzIDogVm90cmUgZmFjdHVyZQ==?=",
        more=f"In-Reply-To: {about.message_id}\nAuto-Submitted: auto-replied\nX-MS-Exchange-Message-Is-Ndr:\n",
        explanation="@@",
    )
    return raw.replace(
        b"Content-Type: text/plain; charset=us-ascii\n\n@@",
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + words.encode(),
    )


def gmail(about: About) -> bytes:
    """Gmail: a related part of its own within the report."""
    return rfc3464(
        about,
        group(
            about.recipient,
            "5.1.1",
            "550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking"
            " the recipient's email address for typos. 550 5.1.1 - gsmtp",
        ),
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject="Delivery Status Notification (Failure)",
        more=f"Auto-Submitted: auto-replied\nX-Failed-Recipients: {about.recipient}\n",
    )


def exim(about: About) -> bytes:
    """Exim 4, before it wrote RFC 3464: words alone, and one header."""
    return (
        f"Return-Path: <>\nX-Failed-Recipients: {about.recipient}\nAuto-Submitted: auto-replied\n"
        f"From: Mail Delivery System <Mailer-Daemon@mx.exemple.net>\nTo: {about.return_path}\n"
        "Subject: Mail delivery failed: returning message to sender\nMessage-Id: <E1x-0001@mx.exemple.net>\n\n"
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {about.recipient}\n    SMTP error from remote mail server after RCPT TO:<{about.recipient}>:\n"
        "    host mx.client.example [192.0.2.1]: 550 5.1.1 User unknown\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n"
        f"{about.headers}\nBonjour\n"
    ).encode()


def qmail(about: About) -> bytes:
    """qmail: its own form (QSBMF)."""
    return (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.exemple.net\nTo: {about.return_path}\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program at mx.exemple.net.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{about.recipient}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\n"
        f"Return-Path: <{about.return_path}>\n{about.headers}\nBonjour\n"
    ).encode()
