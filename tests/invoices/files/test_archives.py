"""Files, folders and ZIP archives given to the importer become a flat series of files, within bounds."""

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from invoices.files.archives import GivenFile, Limits, RefusedFile, expand


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return output.getvalue()


def given(data: bytes, name: str = "lot.zip") -> GivenFile:
    return GivenFile(name, data)


def contents(*items: Path | GivenFile, limits: Limits | None = None) -> dict[str, bytes]:
    """Names and bytes of what comes out; nothing may be refused."""
    found = list(expand(items, limits))
    assert [item for item in found if isinstance(item, RefusedFile)] == []
    return {item.name: item.read() for item in found if isinstance(item, GivenFile)}


def only_refusal(*items: Path | GivenFile, limits: Limits | None = None) -> RefusedFile:
    """The one refusal that comes out, and nothing else does."""
    [found] = expand(items, limits)
    assert isinstance(found, RefusedFile)
    return found


def test_a_file_comes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "factures.csv"
    path.write_bytes(b"numero;date\n")
    assert list(expand([path])) == [GivenFile("factures.csv", path)]


def test_a_folder_comes_by_its_files_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.xml", "a.xml", "janvier/c.pdf", ".DS_Store", ".cache/d.xml"):
        path = tmp_path / "lot" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    assert contents(tmp_path / "lot") == {
        "lot/a.xml": b"a.xml",
        "lot/b.xml": b"b.xml",
        "lot/janvier/c.pdf": b"janvier/c.pdf",
    }


def test_an_archive_comes_by_its_files_whatever_it_is_called(tmp_path: Path) -> None:
    data = zip_of(
        ("b.xml", b"B"), ("mars/a.xml", b"A"), ("vide/", b""), ("__MACOSX/._b.xml", b"x"), ("Thumbs.db", b"x")
    )
    path = tmp_path / "export.dat"
    path.write_bytes(data)
    assert contents(path) == {"export.dat/b.xml": b"B", "export.dat/mars/a.xml": b"A"}
    assert contents(given(data)) == {"lot.zip/b.xml": b"B", "lot.zip/mars/a.xml": b"A"}


def test_an_empty_archive_gives_nothing() -> None:
    assert contents(given(zip_of())) == {}


def test_a_spreadsheet_is_a_file_and_no_archive() -> None:
    workbook = zip_of(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>"))
    assert contents(given(workbook, "factures.xlsx")) == {"factures.xlsx": workbook}
    assert contents(given(zip_of(("factures.xlsx", workbook)))) == {"lot.zip/factures.xlsx": workbook}


@pytest.mark.parametrize(
    "name", ["../f.xml", "a/../../f.xml", "/etc/passwd", "\\\\server\\f.xml", "..\\f.xml", "C:\\f.xml", "a/.."]
)
def test_an_archive_with_a_path_that_leaves_it_is_refused_whole(name: str) -> None:
    refusal = only_refusal(given(zip_of(("good.xml", b"<a/>"), (name, b"x"))))
    assert refusal.name == "lot.zip"
    assert "chemin interdit" in refusal.reason


def test_an_archive_with_a_symbolic_link_is_refused_whole() -> None:
    link = zipfile.ZipInfo("link.xml")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "lien symbolique" in only_refusal(given(zip_of(("good.xml", b"<a/>"), (link, b"/etc/passwd")))).reason


def test_an_archive_with_a_password_is_refused() -> None:
    data = bytearray(zip_of(("secret.xml", b"<a/>")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert "mot de passe" in only_refusal(given(bytes(data))).reason


def test_an_archive_within_an_archive_is_refused_and_its_neighbours_come() -> None:
    inner = zip_of(("a.xml", b"<a/>"))
    found = list(expand([given(zip_of(("a.xml", b"<a/>"), ("inner.zip", inner), ("z.xml", b"<z/>")))]))
    assert [item.name for item in found if isinstance(item, GivenFile)] == ["lot.zip/a.xml", "lot.zip/z.xml"]
    [refusal] = [item for item in found if isinstance(item, RefusedFile)]
    assert refusal.name == "lot.zip/inner.zip"
    assert "archive dans une archive" in refusal.reason


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zip_of(("bomb.xml", b" " * 20_000_000))
    assert "anormalement compressé" in only_refusal(given(bomb)).reason


def test_a_member_that_says_less_than_it_holds_gives_no_more_than_it_says() -> None:
    data = bytearray(zip_of(("liar.xml", b" " * 500_000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        position = data.index(signature) + offset
        data[position : position + 4] = (10).to_bytes(4, "little")
    assert "endommagé" in only_refusal(given(bytes(data))).reason


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    limits = Limits(file_bytes=1000)
    path = tmp_path / "large.pdf"
    path.write_bytes(os.urandom(1001))
    assert "trop volumineux" in only_refusal(path, limits=limits).reason
    assert "trop volumineux" in only_refusal(given(zip_of(("a.pdf", os.urandom(1001)))), limits=limits).reason


def test_too_many_files_or_bytes_end_the_series_with_a_sentence() -> None:
    archive = given(zip_of(*((f"{index}.xml", b"<a/>") for index in range(11))))
    assert "Trop de fichiers" in only_refusal(archive, limits=Limits(files=10)).reason
    lot = given(zip_of(*((f"{index}.pdf", os.urandom(400)) for index in range(4))))
    *files, refusal = expand([lot, lot], Limits(total_bytes=len(lot.read())))
    assert [type(item) for item in files] == [GivenFile] * 4
    assert isinstance(refusal, RefusedFile)
    assert "Trop de données" in refusal.reason


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\x00" * 100,
        zip_of(("a.xml", b"<a/>" * 100))[:-30],
        b"PK\x05\x06" + b"\xff" * 18,
    ],
    ids=["signature", "zeros", "cut", "directory"],
)
def test_a_broken_archive_is_refused(data: bytes) -> None:
    assert "endommagée" in only_refusal(given(data)).reason


def test_a_broken_member_is_refused_and_its_neighbours_come() -> None:
    data = bytearray(zip_of(("a.xml", os.urandom(300)), ("b.xml", b"<b/>")))
    data[100] ^= 0xFF
    found = list(expand([given(bytes(data))]))
    assert [type(item) for item in found] == [RefusedFile, GivenFile]


@pytest.mark.parametrize("written", ["é".encode(), "é".encode("cp437") + b"_"])
def test_names_that_do_not_say_their_encoding_are_read(written: bytes) -> None:
    data = zip_of(("facture_XX.xml", b"<a/>")).replace(b"XX", written)
    assert [name.replace("_.", ".") for name in contents(given(data))] == ["lot.zip/facture_é.xml"]


def test_a_name_on_the_disk_that_is_no_utf8_is_shown_as_far_as_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "lot"
    folder.mkdir()
    (folder / os.fsdecode(b"facture_\xe9.xml")).write_bytes(b"<a/>")
    assert contents(folder) == {"lot/facture_\ufffd.xml": b"<a/>"}


def test_links_and_special_files_of_a_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "lot"
    folder.mkdir()
    (folder / "a.xml").symlink_to("/etc/passwd")
    (folder / "b").symlink_to(tmp_path)
    os.mkfifo(folder / "c.xml")
    found = list(expand([folder]))
    assert [item.name for item in found] == ["lot/a.xml", "lot/b", "lot/c.xml"]
    assert all(isinstance(item, RefusedFile) for item in found)


def test_a_link_that_the_user_names_himself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    (tmp_path / "link.xml").symlink_to(tmp_path / "a.xml")
    assert contents(tmp_path / "link.xml") == {"link.xml": b"<a/>"}


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "n’existe pas" in only_refusal(tmp_path / "nothing.xml").reason
