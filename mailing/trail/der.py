"""Certificates of a time-stamp in the order that DER asks for: many authorities write them as they come.

The set of certificates is not signed (RFC 5652, 5.1 and 5.4): its order proves nothing, and a strict reader refuses it.
"""

from typing import Final, NamedTuple

_SET_OF_CERTIFICATES: Final = 0xA0


class _Value(NamedTuple):
    """A value of ASN.1 in its bytes: its tag, where it begins, where its content begins, and where it ends."""

    tag: int
    start: int
    content: int
    end: int


def sort_certificates(answer: bytes) -> bytes:
    """``answer`` (TimeStampResp) with its certificates in the order of DER; as it is where it is not read so."""
    try:
        _status, token = _children(answer, _value(answer, 0))
        _type, explicit = _children(answer, token)
        (signed_data,) = _children(answer, explicit)
        certificates = next((part for part in _children(answer, signed_data) if part.tag == _SET_OF_CERTIFICATES), None)
        if certificates is None:
            return answer
        parts = [answer[each.start : each.end] for each in _children(answer, certificates)]
    except (ValueError, IndexError):
        return answer
    return answer[: certificates.content] + b"".join(sorted(parts)) + answer[certificates.end :]


def _children(data: bytes, parent: _Value) -> list[_Value]:
    found, at = [], parent.content
    while at < parent.end:
        found.append(_value(data, at))
        at = found[-1].end
    return found


def _value(data: bytes, at: int) -> _Value:
    """The value that begins at ``at``; raises ValueError or IndexError where there is none."""
    length, content = data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, content = int.from_bytes(data[content : content + size]), content + size
    if content + length > len(data):
        raise ValueError("ASN.1: a value ends after its data")
    return _Value(data[at], at, content, content + length)
