"""Files from outside in any encoding, broken, hostile or no invoice: read or refused with a sentence, never a crash."""

import io
import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from lxml import etree

from invoices.formats.extraction import MAX_ATTACHMENTS
from invoices.formats.reading import Kind, kind_of, read_einvoice
from invoices.formats.reading_child import ReadingChild, close_child, read_in_child
from invoices.formats.refusals import LifecycleMessage, NoEmbeddedInvoice, Order, UnreadableEInvoice
from invoices.formats.safe_xml import MAX_XML_BYTES
from tests.support.einvoice_samples import CII, PDF, SAMPLES, UBL, changed, sample

# Encodings.


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("ISO-8859-1", "utf-8"),
        ("no-such-encoding", "utf-8"),
    ],
)
def test_an_encoding_is_recognised_even_if_declared_wrongly(declared: str, written: str) -> None:
    text = CII.decode("utf-8").replace("Lieferant GmbH", "Œuvres Éclairées")
    text = "".join(character for character in text if ord(character) < 256 or character == "Œ")
    if written == "latin-1":
        text = text.replace("Œ", "O")
    text = text[text.index("?>") + 2 :]
    document = f'<?xml version="1.0" encoding="{declared}"?>{text}'.encode(written)
    assert read_einvoice(document).content.seller.name.endswith("uvres Éclairées")


@pytest.mark.parametrize(
    ("declaration", "written", "named"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?>', "cp1252", "UTF-8"),
        ('<?xml version="1.0"?>', "latin-1", "UTF-8"),
        ("", "latin-1", "UTF-8"),
        ('<?xml version="1.0" encoding="US-ASCII"?>', "utf-8", "US-ASCII"),
        ('<?xml version="1.0" encoding="UTF-16"?>', "utf-8", "UTF-16"),
    ],
)
def test_an_xml_that_is_not_well_formed_in_its_encoding_is_refused(declaration: str, written: str, named: str) -> None:
    text = CII.decode("utf-8").replace("Lieferant GmbH", "Ouvres Éclairées")
    text = declaration + text[text.index("?>") + 2 :].lstrip()
    document = "".join(character for character in text if ord(character) < 256).encode(written)
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(document)
    with pytest.raises(UnreadableEInvoice, match=f"s’annonce en {named}"):
        read_einvoice(document)


# Files that are no invoice, or no good one.


def test_orders_and_lifecycle_messages_are_distinguished_from_invoices() -> None:
    order = sample("akretion-factur-x", "order-x-basic.xml")
    message = sample("gobl-cii", "UC1_F202500003_01-CDV-200_Deposee.xml")
    assert (kind_of(order), kind_of(message)) == (Kind.ORDER, Kind.LIFECYCLE_MESSAGE)
    assert (kind_of(CII), kind_of(UBL), kind_of(PDF)) == (Kind.CII, Kind.UBL_INVOICE, Kind.PDF)
    with pytest.raises(Order):
        read_einvoice(order)
    with pytest.raises(LifecycleMessage):
        read_einvoice(message)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "vide"),
        (b"number;date\n1;2\n", "ni un PDF ni un fichier XML"),
        (b"\x00" * 1000, "ni un PDF ni un fichier XML"),
        (b"<Catalogue/>", "pas une facture électronique .élément « Catalogue »"),
        (b"<Invoice/>", "autre format que CII et UBL 2 .élément « Invoice », sans espace de noms"),
        (b'<Invoice xmlns="http://www.ebinterface.at/schema/6p1/"/>', "espace de noms « http://www.ebinterface"),
        (b"<a><b></a>", "mal formé"),
        (b"<" * 100, "mal formé"),
        (CII[: len(CII) // 2], "mal formé"),
        (b"%PDF-1.7\n" + b"\x00" * 100, "PDF est endommagé"),
        (b"<a>" * 100 + b"</a>" * 100, "trop imbriqué"),
        (b"<a>" * 100_000, "mal formé"),
        (b"<a>" + b" " * MAX_XML_BYTES + b"</a>", "trop volumineux"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DOCTYPE"),
        (b"<?xml version='1.0'?>\n<!-- > --><?p ?> <!DOCTYPE a><a/>", "DOCTYPE"),
        ("\ufeff<!DOCTYPE a><a/>".encode("utf-16-le"), "DOCTYPE"),
        (
            b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY a%d "&a%s;&a%s;">' % (i, b"%d" % (i - 1) if i else b"", b"") for i in range(30))
            + b"]><a>&a29;</a>",
            "DOCTYPE",
        ),
    ],
)
def test_a_file_that_is_no_sound_invoice_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableEInvoice, match=sentence):
        read_einvoice(data)


def test_a_reference_to_an_entity_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnreadableEInvoice, match="mal formé"):
        read_einvoice(changed(CII, "Lieferant GmbH", "&lieferant;"))


# PDF.


def pdf_with(
    *attachments: tuple[str, bytes],
    prepare: Callable[[pikepdf.Pdf], None] | None = None,
    **options: Any,
) -> bytes:
    """A PDF of one blank page with files attached; ``options`` are those of saving."""
    output = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for name, content in attachments:
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, content, filename=name, mime_type="text/xml")
        if prepare:
            prepare(pdf)
        pdf.save(output, **options)
    return output.getvalue()


@pytest.mark.parametrize(
    "name", ["factur-x.xml", "xrechnung.xml", "ZUGFeRD-invoice.xml", "FACTUR-X.XML", "facture.xml"]
)
def test_the_attached_invoice_is_found_under_any_of_its_names(name: str) -> None:
    reading = read_einvoice(pdf_with(("image.png", b"\x89PNG"), (name, CII)))
    assert (reading.container, reading.attachment_name, reading.xml) == ("pdf", name, CII)


def test_factur_x_is_preferred_to_an_older_name() -> None:
    other = changed(CII, "471102", "AUTRE")
    reading = read_einvoice(pdf_with(("ZUGFeRD-invoice.xml", other), ("factur-x.xml", CII)))
    assert reading.content.number == "471102"


def test_a_pdf_without_invoice_is_distinguished_from_a_broken_one() -> None:
    with pytest.raises(NoEmbeddedInvoice):
        read_einvoice(pdf_with(("conditions.xml", b"<conditions/>")))
    with pytest.raises(NoEmbeddedInvoice):
        read_einvoice(pdf_with())


@pytest.mark.parametrize("user", ["", "secret"])
def test_an_encrypted_pdf_is_refused(user: str) -> None:
    with pytest.raises(UnreadableEInvoice, match=r"chiffré|mot de passe"):
        read_einvoice(pdf_with(("factur-x.xml", CII), encryption=pikepdf.Encryption(owner="owner", user=user)))


def test_an_attachment_that_unpacks_to_too_much_is_refused_without_unpacking_it() -> None:
    bomb = b"<a>" + b" " * (MAX_XML_BYTES + 1000) + b"</a>"
    document = pdf_with(("factur-x.xml", bomb))
    assert len(document) < MAX_XML_BYTES / 100
    with pytest.raises(UnreadableEInvoice, match="trop volumineux"):
        read_einvoice(document)


def test_an_attachment_packed_in_an_unusual_way_is_refused() -> None:
    def pack_twice(pdf: pikepdf.Pdf) -> None:
        flate = pikepdf.Name.FlateDecode
        for stream in pdf.attachments["factur-x.xml"].obj.EF.values():
            stream.write(zlib.compress(zlib.compress(CII)), filter=pikepdf.Array([flate, flate]))

    with pytest.raises(UnreadableEInvoice, match="inattendue"):
        read_einvoice(pdf_with(("factur-x.xml", CII), prepare=pack_twice, compress_streams=False))


def test_a_pdf_with_very_many_attachments_is_read_within_bounds() -> None:
    many = [(f"{index:04}.txt", b"x") for index in range(MAX_ATTACHMENTS + 10)]
    with pytest.raises(NoEmbeddedInvoice):
        read_einvoice(pdf_with(*many, ("zzz.txt", b"x")))


# The child process.


def test_the_child_reads_what_this_process_reads() -> None:
    with ReadingChild() as child:
        for data in (PDF, CII, UBL):
            assert child.read(data) == read_einvoice(data)
        assert child.read(SAMPLES / "zugferd-corpus" / "EN16931_Einfach.pdf") == read_einvoice(PDF)
        with pytest.raises(NoEmbeddedInvoice):
            child.read(pdf_with())
        with pytest.raises(LifecycleMessage):
            child.read(sample("gobl-cii", "UC1_F202500003_01-CDV-200_Deposee.xml"))
        with pytest.raises(UnreadableEInvoice, match="n’existe pas"):
            child.read(Path("/nonexistent"))


def test_a_child_that_crashes_costs_its_file_alone() -> None:
    with ReadingChild() as child:
        assert child.read(CII).syntax == "CII"
        first = child.process_id
        assert first is not None
        os.kill(first, signal.SIGSTOP)  # holds the reading until the crash
        crash = threading.Timer(0.2, os.kill, (first, signal.SIGKILL))
        crash.start()
        with pytest.raises(UnreadableEInvoice, match="échouer la lecture"):
            child.read(CII)
        crash.join()
        assert child.read(CII).syntax == "CII"
        assert child.process_id != first


def test_a_child_that_died_between_two_files_is_started_again() -> None:
    with ReadingChild() as child:
        child.read(CII)
        assert child.process_id is not None
        os.kill(child.process_id, signal.SIGKILL)
        os.waitid(os.P_PID, child.process_id, os.WEXITED | os.WNOWAIT)
        assert child.read(UBL).syntax == "UBL"


def test_threads_share_one_child() -> None:
    with ThreadPoolExecutor(4) as pool:
        readings = list(pool.map(read_in_child, [CII, UBL, PDF] * 5))
    assert [reading.syntax for reading in readings] == ["CII", "UBL", "CII"] * 5
    close_child()


def test_a_program_that_reads_in_a_child_ends_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "invoice.xml").write_bytes(CII)
    program = (
        "from invoices.formats.reading_child import read_in_child\nprint(read_in_child('invoice.xml').content.number)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "471102\n", "")


def test_a_file_that_takes_too_long_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    slow = b"<a>" + b"<b/>" * 4_000_000 + b"</a>"
    with ReadingChild(timeout=0.05) as child:
        with pytest.raises(UnreadableEInvoice, match="interrompue"):
            child.read(slow)
        child.timeout = 20
        assert child.read(UBL).syntax == "UBL"


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_is_read() -> None:
    greedy = b"<a>" + b"<b/>" * 6_000_000 + b"</a>"
    with ReadingChild(memory_limit=400 * 1024 * 1024) as child:
        with pytest.raises(UnreadableEInvoice, match=r"mémoire|échouer la lecture"):
            child.read(greedy)
        assert child.read(UBL).syntax == "UBL"
