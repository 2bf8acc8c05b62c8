"""What is said of an invoice of the files whose number the database has with another content."""

from typing import Final

from invoices.importing.values import shown

MENDED_BY_REPLACING: Final = (
    "Corrigez le numéro dans l’ERP ; ou, si celle du fichier est la bonne, « Remplacer » dans Importer."
)


def published_sentence(number: str) -> str:
    """Why a changed invoice is refused once it is published."""
    return (
        f"La facture {number} est déjà publiée : son contenu ne change plus. Corrigez-la par un avoir ou une "
        "facture rectificative."
    )


def clash_sentence(number: str, known: tuple[int | None, str, int], given: tuple[int | None, str, int]) -> str:
    """Why ``given`` is no correction of the unpublished invoice ``known``; empty where it is one.

    Both are (key of the customer, name of the customer, year). The same number for another customer or another year is
    another invoice, and one of the two is lost where it is written over.
    """
    if (known[0], known[2]) == (given[0], given[2]):
        return ""
    return (
        f"La facture {shown(number)} existe déjà pour « {known[1]} » en {known[2]} ; celle du fichier est pour "
        f"« {given[1]} » en {given[2]}. Ce n’est pas la même facture : rien n’est remplacé, corrigez l’un des deux "
        "numéros."
    )
