"""The PDF around a received Factur-X: each fault is named, a sound one is left alone."""

from collections.abc import Callable

import pikepdf
import pytest

from invoices.formats.findings import Severity
from invoices.formats.reading import read_einvoice
from tests.support.einvoice_samples import changed, state_profile, with_pdf_changes

BASIC = "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic"


def rename(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
    for key in ("/F", "/UF"):
        attached[key] = pikepdf.String("facture.xml")
    pdf.Root.Names.EmbeddedFiles = pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String("facture.xml"), attached]))


def unrelate(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
    del attached["/AFRelationship"]


def relate(word: str) -> Callable[[pikepdf.Pdf, pikepdf.Object], None]:
    def change(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
        attached["/AFRelationship"] = pikepdf.Name(f"/{word}")

    return change


def dissociate(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
    del pdf.Root["/AF"]


def forget_colours(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
    for page in pdf.pages:
        del page.obj.Resources["/ColorSpace"]


def forget_metadata(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
    del pdf.Root["/Metadata"]


def rewrite_metadata(old: str, new: str) -> Callable[[pikepdf.Pdf, pikepdf.Object], None]:
    def change(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
        pdf.Root.Metadata = pdf.make_stream(changed(pdf.Root.Metadata.read_bytes(), old, new))

    return change


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (rename, "OWN-PDF-NAME", "« facture.xml »"),
        (unrelate, "OWN-PDF-RELATION", "AFRelationship absent"),
        (relate("Source"), "OWN-PDF-RELATION", "« Source »"),
        (relate("Unspecified"), "OWN-PDF-RELATION", "« Unspecified »"),
        (dissociate, "OWN-PDF-AF", "/AF"),
        (forget_colours, "OWN-PDF-INTENT", "OutputIntent"),
        (forget_metadata, "OWN-PDF-XMP", "XMP"),
        (rewrite_metadata(">EN 16931<", ">MINIMUM<"), "OWN-PDF-XMP-LEVEL", "annonce le profil MINIMUM"),
        (rewrite_metadata(">EN 16931<", "><"), "OWN-PDF-XMP-LEVEL", "ne disent pas le profil"),
        (rewrite_metadata(">factur-x.xml<", ">facture.xml<"), "OWN-PDF-XMP-NAME", "« facture.xml »"),
        (state_profile(BASIC), "OWN-PDF-XMP-LEVEL", "l’e-facture jointe est au profil BASIC"),
        (state_profile("urn:factur-x.eu:2p0:ultimate"), "OWN-PDF-PROFILE", "« urn:factur-x.eu:2p0:ultimate »"),
        (state_profile(""), "OWN-PDF-PROFILE", "ne dit pas son profil"),
    ],
)
def test_a_fault_of_the_container_is_named(
    change: Callable[[pikepdf.Pdf, pikepdf.Object], None], code: str, words: str
) -> None:
    found = read_einvoice(with_pdf_changes(change)).container_findings
    assert code in {finding.code for finding in found}
    assert any(words in finding.message_fr for finding in found if finding.code == code)
    assert {finding.severity for finding in found} == {Severity.WARNING}


@pytest.mark.parametrize(
    "profile",
    [
        "urn:cen.eu:en16931:2017",
        "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
        "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr",
    ],
)
def test_nothing_is_said_of_a_sound_container(profile: str) -> None:
    assert read_einvoice(with_pdf_changes(state_profile(profile))).container_findings == ()
