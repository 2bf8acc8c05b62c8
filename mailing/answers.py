"""What the words and codes of a mail server mean, for answers while sending and for reports.

An address is to blame on positive evidence only; the rows are in ``answer_rules``.
"""

import re
import unicodedata

from mailing.answer_rules import RULES
from mailing.reasons import Reason

_COMPILED = tuple((rule, re.compile(rule.words) if rule.words else None) for rule in RULES)
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_BASIC = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
# Codes that speak of our own access to the server, in whatever phase they come (RFC 4954 § 6, RFC 3207 § 4).
_ACCESS = re.compile(r"^\s*(?:530|534|535|538)\b|^\s*454\b(?!.{0,12}relay|.*certificate)")
_IP_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
# What servers put before the words of another: «5.1.0 - Unknown address error 550-'5.7.1 … Access denied'» (Cisco),
# «5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 …» (Microsoft 365).
_WRAPPING = re.compile(
    r"\b[45]\.\d\.\d - [a-z ]{3,60} (?=[45]\d\d-')"
    r"|\b[45]\.\d\.\d{1,3} remote server returned [^>]{0,120} ?->(?= ?[45]\d\d)"
)
_MAIL_ADDRESS = re.compile(r"[^\s<>:;,(){}\[\]]+@[^\s<>:;,(){}\[\]]+")


def classify(text: str, status: str = "") -> Reason:
    """What ``text`` (a server's answer or diagnostic, with its code) and ``status`` (``x.y.z``, if given) mean.

    An answer for now only (4xx) may have any reason; whether a mail is given up is not said here.
    """
    plain = _plain(text)
    if _ACCESS.match(plain):
        return Reason.RELAY if "relay" in plain else Reason.LOGIN
    detail = _detail(plain, status)
    with_status = f"{status} {plain}" if status and status not in plain else plain
    for rule, pattern in _COMPILED:
        if pattern is not None:
            if pattern.search(with_status):
                return rule.reason
        elif any(detail == code or (code.endswith(".") and detail.startswith(code)) for code in rule.codes):
            return rule.reason
    return Reason.TEMPORARY if is_for_now(text, status) else Reason.OTHER


def is_for_now(text: str, status: str = "") -> bool:
    """True where the codes say that the server may take the mail later (4xx, 4.x.x)."""
    plain = _plain(text)
    basic = _BASIC.search(plain)
    kind = status[:1] or (basic[1] if basic else "")
    if not kind:
        enhanced = _ENHANCED.search(plain)
        kind = enhanced[1] if enhanced else ""
    return kind == "4"


def _plain(text: str) -> str:
    """Small letters without accents, one line, no mail addresses: the words of an address are no one's reason."""
    letters = unicodedata.normalize("NFKD", text[:4000].lower().replace("\u2019", "'"))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    # The dots of an address end no sentence.
    return _WRAPPING.sub("", _IP_ADDRESS.sub("0-0-0-0", _MAIL_ADDRESS.sub("@", " ".join(bare.split()))))


def _detail(plain: str, status: str) -> str:
    """The two last numbers of the enhanced status code; of a code that says nothing, those that the words give."""
    own = status.partition(".")[2]
    if own and not own.endswith((".0", "5.0")):
        return own
    details = [detail for _kind, detail in _ENHANCED.findall(plain) if not detail.endswith(".0")]
    return details[0] if details else own
