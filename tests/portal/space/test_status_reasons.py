"""What a customer reads of the reason of a status: words, never the codes that platforms exchange."""

import pytest

from portal.space.invoice_page import without_codes


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("TX_TVA_ERR : Taux de TVA erroné", "Taux de TVA erroné"),
        ("REJ_SEMAN", ""),
        ("DOUBLON", ""),
        ("DOUBLON : Cette facture a déjà été déposée.", "Cette facture a déjà été déposée."),
        ("CMD_ERR : Commande inconnue ; action attendue : NIN", "Commande inconnue"),
        ("CMD_ERR ; Merci de rappeler le n° de commande", "Merci de rappeler le n° de commande"),
        ("Livraison partielle ; action attendue : une nouvelle facture",) * 2,
        ("12 000,00 € encaissés (TVA 20 %)",) * 2,
        ("IBAN : à confirmer",) * 2,
        ("Référence A_12 absente",) * 2,
        ("", ""),
    ],
)
def test_a_reason_is_said_without_its_codes(reason: str, shown: str) -> None:
    assert without_codes(reason) == shown
