"""The bytes of a PDF from pydyf's objects, each serialised and compressed once.

pydyf's own writer works everything out twice when the file has an identifier, which PDF/A wants, and compresses at the
highest level; this takes a quarter of the time for the same objects and the same structure of file (object stream and
cross-reference stream, ISO 32000-1 7.5.7 and 7.5.8).
"""

import zlib
from functools import lru_cache
from hashlib import md5
from io import BytesIO
from typing import Any

import pydyf

LEVEL = 6
# Binary comment after the header: shows file transfers that this is no text (ISO 32000-1 7.5.2).
HEADER = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"


def write(pdf: pydyf.PDF, output: BytesIO, version: object, identifier: bytes, compress: bool) -> None:
    """Write ``pdf`` to ``output``; replaces ``pydyf.PDF.write``. ``identifier`` is the file's permanent one."""
    pdf.add_object(pdf.info)
    content, entries = _objects(pdf.objects)
    output.write(content)
    output.write(_cross_reference(pdf, content, entries, identifier))


type _Entry = tuple[int, int, int]
"""A line of the cross-reference: how an object is kept, where, and its place in a stream of objects."""


def _objects(objects: list[Any]) -> tuple[bytes, list[_Entry]]:
    """The header and all objects, those that are no streams together in one; and where each is."""
    body = [HEADER]
    position = len(HEADER)
    entries: list[_Entry] = []
    packed: list[bytes] = []
    places: list[int] = []
    place = 0
    container = len(objects)  # number of the object stream
    for number, item in enumerate(objects):
        if number == 0:
            entries.append((0, 0, 65535))
        elif isinstance(item, pydyf.Stream):
            data = b"%d 0 obj\n%b\nendobj\n" % (number, _stream(item))
            entries.append((1, position, 0))
            body.append(data)
            position += len(data)
        else:
            data = _element(item) if isinstance(item, dict) and item.get("Type") == "/StructElem" else serialised(item)
            entries.append((2, container, len(packed)))
            places += (number, place)
            packed.append(data)
            place += len(data) + 1
    index = " ".join(map(str, places)).encode()
    entries.append((1, position, 0))
    body.append(
        b"%d 0 obj\n%b\nendobj\n"
        % (
            container,
            _compressed(b"\n".join((index, *packed)), b"/Type/ObjStm/N %d/First %d" % (len(packed), len(index) + 1)),
        )
    )
    return b"".join(body), entries


def _cross_reference(pdf: pydyf.PDF, content: bytes, entries: list[_Entry], identifier: bytes) -> bytes:
    """The end of the file: the stream that lists all objects, itself too, and where it begins."""
    position = len(content)
    number, entries = len(entries), [*entries, (1, position, 0)]
    width = (position.bit_length() + 7) // 8
    table = b"".join(kind.to_bytes(1) + second.to_bytes(width) + third.to_bytes(2) for kind, second, third in entries)
    extra = b"/Type/XRef/Index[0 %d]/W[1 %d 2]/Size %d/Root %b/Info %b/ID[%b(%b)]" % (
        len(entries),
        width,
        len(entries),
        pdf.catalog.reference,
        pdf.info.reference,
        pydyf.String(identifier).data,
        md5(content, usedforsecurity=False).hexdigest().encode(),
    )
    return b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (number, _compressed(table, extra), position)


def _stream(stream: pydyf.Stream) -> bytes:
    content = b"\n".join([item if type(item) is bytes else serialised(item) for item in stream.stream])
    extra = b"".join(b"/%b %b" % (key.encode(), serialised(value)) for key, value in stream.extra.items())
    if stream.compress:
        return _compressed(content, extra)
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (extra, len(content), content)


def _compressed(content: bytes, extra: bytes) -> bytes:
    # The colour profile of the output intent is in every file: known by its signature (ICC.1 7.2.10).
    data = _deflated_profile(content) if content[36:40] == b"acsp" else zlib.compress(content, LEVEL)
    return b"<<%b/Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream" % (extra, len(data), data)


@lru_cache(maxsize=4)
def _deflated_profile(content: bytes) -> bytes:
    return zlib.compress(content, LEVEL)


def _element(element: pydyf.Dictionary) -> bytes:
    """An element of the structure tree as :func:`serialised` writes it: there are hundreds in a file."""
    parts = []
    for key, value in element.items():
        kind = type(value)
        if kind is bytes:
            parts.append(b"/%b %b" % (KEYS[key], value))
        elif kind is str:
            parts.append(b"/%b %b" % (KEYS[key], value.encode("ascii")))
        else:
            parts.append(b"/%b %b" % (KEYS[key], serialised(value)))
    return b"<<%b>>" % b"".join(parts)


class _Keys(dict[str, bytes]):
    """Keys of dictionaries by their names."""

    def __missing__(self, key: str) -> bytes:
        self[key] = encoded = key.encode()
        return encoded


KEYS = _Keys()


def serialised(item: Any) -> bytes:
    """An object as pydyf writes it."""
    kind = type(item)
    if kind is bytes:
        return item  # type: ignore[no-any-return]
    if kind is str:
        return item.encode("ascii")  # type: ignore[no-any-return]
    if kind is int:
        return b"%d" % item
    if kind is pydyf.Dictionary or kind is dict:
        return b"<<%b>>" % b"".join([b"/%b %b" % (KEYS[key], serialised(value)) for key, value in item.items()])
    if kind is pydyf.Array:
        return b"[%b]" % b" ".join([value if type(value) is bytes else serialised(value) for value in item])
    if kind is float:
        return b"%d" % item if item.is_integer() else (b"%f" % item).rstrip(b"0")
    if isinstance(item, pydyf.Object):
        return item.data  # type: ignore[no-any-return]
    return str(item).encode("ascii")
