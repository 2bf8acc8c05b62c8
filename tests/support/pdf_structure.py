"""A structural check of a PDF/A-3a + PDF/UA-1 file: a proxy for a validator, which no package brings."""

import io
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
PDFUAID = "{http://www.aiim.org/pdfua/ns/id/}"
FX = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
# ISO 14289-1 7.2, ISO 32000-1 14.8.4: which element may be in which.
PARENTS = {
    "/TR": {"/Table", "/THead", "/TBody", "/TFoot"},
    "/TH": {"/TR"},
    "/TD": {"/TR"},
    "/THead": {"/Table"},
    "/TBody": {"/Table"},
    "/TFoot": {"/Table"},
    "/LI": {"/L"},
}
CHILDREN = {
    "/Table": {"/TR", "/THead", "/TBody", "/TFoot", "/Caption"},
    "/THead": {"/TR"},
    "/TBody": {"/TR"},
    "/TR": {"/TH", "/TD"},
}
STANDARD = {
    "/Document", "/Part", "/Art", "/Sect", "/Div", "/H1", "/H2", "/H3", "/P", "/Span", "/NonStruct", "/Figure",
    "/Table", "/THead", "/TBody", "/TR", "/TH", "/TD", "/Link",
}  # fmt: skip


def qpdf_complaints(data: bytes, folder: Path) -> str:
    """What ``qpdf --check`` finds wrong, or nothing."""
    path = folder / "checked.pdf"
    path.write_bytes(data)
    run = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def pages_text(data: bytes) -> list[str]:
    """The text of each page as pdftotext lays it out, every kind of space as an ordinary one."""
    run = subprocess.run(
        ["pdftotext", "-layout", "-enc", "UTF-8", "-", "-"], input=data, capture_output=True, check=True
    )
    text = re.sub("[\u00a0\u202f]", " ", run.stdout.decode())
    return text.split("\f")[:-1]


def text_of(data: bytes) -> str:
    """The text of the whole document, with single spaces."""
    return " ".join(" ".join(pages_text(data)).split())


def elements(node: Any, parent: Any = None) -> Iterator[tuple[Any, Any]]:
    """Every structure element under ``node`` with its parent, in reading order."""
    if isinstance(node, pikepdf.Array):
        for item in node:
            yield from elements(item, parent)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node, parent
        yield from elements(node.get("/K"), node)


def check_archive(data: bytes, *, with_xml: bytes | None) -> None:
    """PDF/A-3a: metadata, output intent, identifiers, fonts, images, colours, files, nothing active."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        root = pdf.Root
        assert pdf.pdf_version == "1.7"
        assert len(pdf.trailer.ID) == 2
        assert "/Encrypt" not in pdf.trailer
        assert not {"/OpenAction", "/AA", "/AcroForm", "/OCProperties"} & set(root.keys())
        assert "/JavaScript" not in root.get("/Names", {})
        check_metadata(root.Metadata.read_bytes(), with_xml=with_xml is not None)
        (intent,) = root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.N == 3
        check_files(pdf, with_xml)
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream):
                assert item.get("/Filter") not in ("/LZWDecode", "/Crypt")
                if item.get("/Subtype") == "/Image":
                    assert not item.get("/Interpolate", False)
                    assert item.ColorSpace in ("/DeviceRGB", "/DeviceGray")
                    assert "/SMask" not in item
            if isinstance(item, pikepdf.Dictionary):
                assert item.get("/S") not in ("/JavaScript", "/URI", "/Launch", "/GoToR")
                if item.get("/Type") == "/Font" and item.Subtype == "/Type0":
                    check_font(item)
        for page in pdf.pages:
            content = page.Contents.read_bytes()
            assert not re.search(rb"/DeviceCMYK\b|(?<![\w.])[\d.]+ [\d.]+ [\d.]+ [\d.]+ [kK]\b", content)
            assert b"<0000>" not in content  # .notdef
            assert "/Annots" not in page


def check_font(font: pikepdf.Object) -> None:
    """Embedded, named alike, and every glyph mapped to text."""
    (descendant,) = font.DescendantFonts
    descriptor = descendant.FontDescriptor
    assert "/FontFile2" in descriptor
    assert font.Encoding == "/Identity-H"  # another one would hide glyphs that the face lacks
    assert font.BaseFont == descendant.BaseFont == descriptor.FontName
    assert re.match(r"/[A-Z]{6}\+", str(font.BaseFont))
    mapping = font.ToUnicode.read_bytes()
    assert b"beginbfchar" in mapping
    assert not re.search(rb"<[0-9a-f]{4}> <(|0000|feff|fffe|fffd)>", mapping)
    glyphs = re.findall(rb"<([0-9a-f]{4})> <", mapping.partition(b"endcodespacerange")[2])
    assert glyphs
    assert b"0000" not in glyphs


def check_files(pdf: pikepdf.Pdf, xml: bytes | None) -> None:
    """The XML is once in the name tree and once in /AF, as Factur-X wants it; or there is no file at all."""
    if xml is None:
        assert "/AF" not in pdf.Root
        assert "/EmbeddedFiles" not in pdf.Root.get("/Names", {})
        return
    (associated,) = pdf.Root.AF
    name, named = pdf.Root.Names.EmbeddedFiles.Names
    assert str(name) == "factur-x.xml"
    assert named.objgen == associated.objgen
    assert associated.Type == "/Filespec"
    assert str(associated.F) == str(associated.UF) == "factur-x.xml"
    assert associated.AFRelationship == "/Alternative"
    stream = associated.EF.F
    assert stream.Type == "/EmbeddedFile"
    assert stream.Subtype == "/text/xml"
    assert stream.read_bytes() == xml
    assert stream.Params.Size == len(xml)
    assert re.fullmatch(r"D:\d{14}Z", str(stream.Params.ModDate))


def check_metadata(xmp: bytes, *, with_xml: bool) -> None:
    """One rdf:RDF with the three identifications and a schema for each property that PDF/A does not know."""
    assert xmp.count(b"<rdf:RDF") == 1
    tree = ET.fromstring(xmp)
    (rdf,) = tree.findall(f"{RDF}RDF")
    assert rdf.findtext(f".//{PDFAID}part") == "3"
    assert rdf.findtext(f".//{PDFAID}conformance") == "A"
    assert rdf.findtext(f".//{PDFUAID}part") == "1"
    schemas = {
        schema.findtext(f"{SCHEMA}namespaceURI"): {item.text for item in schema.iter(f"{PROPERTY}name")}
        for schema in rdf.iter(f"{RDF}li")
        if schema.find(f"{SCHEMA}namespaceURI") is not None
    }
    assert schemas.pop("http://www.aiim.org/pdfua/ns/id/") == {"part"}
    facturx = {item.tag: item.text for item in rdf.iter() if item.tag.startswith(FX)}
    if with_xml:
        assert facturx == {
            f"{FX}DocumentType": "INVOICE",
            f"{FX}DocumentFileName": "factur-x.xml",
            f"{FX}Version": "1.0",
            f"{FX}ConformanceLevel": "EN 16931",
        }
        assert schemas.pop(FX.strip("{}")) == {tag.removeprefix(FX) for tag in facturx}
    else:
        assert not facturx
    assert not schemas


def check_accessible(data: bytes) -> None:
    """PDF/UA-1: language, title, marks, a whole structure tree with regular tables and described figures."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        root = pdf.Root
        assert str(root.Lang) == "fr"
        assert root.MarkInfo.Marked
        assert root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo.Title)
        tree = root.StructTreeRoot
        found = list(elements(tree.K))
        kinds = [str(element.S) for element, _ in found]
        assert set(kinds) <= STANDARD
        assert kinds.count("/Document") == 1
        assert kinds.count("/H1") == 1
        headings = [kind for kind in kinds if re.fullmatch(r"/H\d", kind)]
        assert headings[0] == "/H1"
        assert set(headings) <= {"/H1", "/H2"}
        seen: set[tuple[Any, int]] = set()
        for element, parent in found:
            if parent is not None:
                assert element.P.objgen == parent.objgen
                assert str(parent.S) in PARENTS.get(str(element.S), {str(parent.S)})
                assert str(element.S) in CHILDREN.get(str(parent.S), {str(element.S)})
            if element.S == "/Figure":
                assert str(element.Alt)
                x1, y1, x2, y2 = (float(value) for value in element.A.BBox)
                assert 0 <= x1 < x2 <= 596
                assert 0 <= y1 < y2 <= 842
            if element.S == "/Table":
                check_table(element)
            seen |= {(element.Pg.objgen, int(kid)) for kid in element.get("/K", ()) if isinstance(kid, int)}
        shown: set[tuple[Any, int]] = set()
        for number, page in enumerate(pdf.pages):
            assert page.Tabs == "/S"
            assert page.StructParents == number
            shown |= {(page.objgen, mcid) for mcid in marked_content(page)}
        assert seen == shown
        check_parent_tree(pdf, tree)


def check_table(table: pikepdf.Object) -> None:
    """Every row has as many cells as the others, and every header says what it is the header of."""
    groups = [str(group.S) for group in table.K]
    assert groups in (["/THead", "/TBody"], ["/TBody"])
    rows = [row for group in table.K for row in group.K]
    assert rows
    assert len({len(row.K) for row in rows}) == 1
    for group in table.K:
        for row in group.K:
            for cell in row.K:
                if cell.S == "/TH":
                    assert cell.A.O == "/Table"
                    assert cell.A.Scope == ("/Column" if group.S == "/THead" else "/Row")
                    assert len(cell.K), "an empty header"


def check_parent_tree(pdf: pikepdf.Pdf, tree: pikepdf.Object) -> None:
    """The numbers of the content lead back to the elements that hold them."""
    numbers = tree.ParentTree.Nums
    for index, page in enumerate(pdf.pages):
        assert numbers[2 * index] == page.StructParents
        parents = numbers[2 * index + 1]
        for mcid in marked_content(page):
            assert mcid in [int(kid) for kid in parents[mcid].K if isinstance(kid, int)]


def marked_content(page: pikepdf.Page) -> set[int]:
    """The numbers of the marked content of a page; fails on anything shown that is neither content nor artifact."""
    mcids: set[int] = set()
    stack: list[str] = []
    for instruction in pikepdf.parse_content_stream(page):
        operands, name = instruction.operands, str(instruction.operator)
        if name == "BDC" and "/ActualText" in operands[1]:
            # A word that carries its text: inside of content or of an artifact, never of another such word.
            assert len(stack) == 1
            assert operands[0] == "/Span"
            assert set(operands[1].keys()) == {"/ActualText"}
            assert str(operands[1].ActualText)
            stack.append("/Span")
        elif name in ("BMC", "BDC"):
            assert not stack, "marked content inside of marked content"
            stack.append(str(operands[0]))
            if name == "BDC" and "/MCID" in operands[1]:
                assert operands[0] != "/Artifact"
                mcid = int(operands[1].MCID)
                assert mcid not in mcids
                mcids.add(mcid)
            else:
                assert operands[0] == "/Artifact"
        elif name == "EMC":
            stack.pop()
        elif name in ("TJ", "Tj", "'", '"', "f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "Do", "sh", "BI"):
            assert stack, f"{name} is neither content nor artifact"
    assert not stack
    return mcids
