"""Which table a file is, by its header: names of columns however an ERP writes them, in any order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import Final

from customers.searching import search_key
from invoices.files.tables import Row, Table
from invoices.importing.tables.statuses import places_of_statuses

_HEADER_MUST_COME_WITHIN: Final = 10  # rows: reports put a title and a date above their columns


class Column:
    """A column of one of our tables: its name, and the others by which ERPs call it (as :func:`header_key`)."""

    def __init__(
        self,
        name: str,
        *synonyms: str,
        is_obligatory: bool = False,
        is_identity: bool = False,
        since: int = 1,
        term: str = "",
        at_most: int = 200,
    ) -> None:
        """``is_identity``: it says which invoice a row is of and not what it is, or the name of its PDF, which counts
        by bytes; so it is no part of the content. ``since`` is the edition (:data:`EDITION`) that it came with.

        ``term``: the text of the column, of ``at_most`` characters, is kept as this attribute of
        :class:`~invoices.en16931.model.InvoiceContent` (of :class:`~invoices.en16931.model.Line` for a column of
        lines). Such a column needs nothing but its declaration; any other is read by a parser of its own.
        """
        self.name = name
        self.names = (name, *synonyms)
        self.is_obligatory = is_obligatory
        self.is_identity = is_identity
        self.since = since
        self.term = term
        self.at_most = at_most


class TableKind:
    """A table that is understood."""

    def __init__(self, name: str, label: str, *columns: Column) -> None:
        self.name = name
        self.label = label
        self.columns = columns
        self.obligatory = tuple(each.name for each in columns if each.is_obligatory)
        self.optional = tuple(each.name for each in columns if not each.is_obligatory)
        self.identity = frozenset(each.name for each in columns if each.is_identity)
        self.terms = {each.name: each.term for each in columns if each.term}
        self.by_key: dict[str, str] = {}
        for column in columns:
            for key in column.names:
                self.by_key.setdefault(key, column.name)


_CUSTOMER_CODE: Final = (
    "client",
    "n_client",
    "numero_client",
    "num_client",
    "ref_client",
    "compte",
    "compte_client",
    "tiers",
    "code_tiers",
)
_INVOICE_NUMBER: Final = (
    "numero_facture",
    "n_facture",
    "num_facture",
    "no_facture",
    "facture",
    "n",
    "num",
    "piece",
    "n_piece",
    "numero_piece",
    "reference_facture",
    "numero_de_facture",
    "n_de_facture",
    "facture_n",
    "ref_facture",
    "numero_de_piece",
    "n_de_piece",
    "numero_document",
    "numero_de_document",
    "n_document",
)
_EMAIL: Final = ("e_mail", "mail", "courriel", "adresse_email", "adresse_e_mail", "adresse_mail")
_NET_TOTAL: Final = ("montant_ht", "ht", "total_hors_taxe", "total_hors_taxes", "net_ht")

CUSTOMERS: Final = TableKind(
    "customers",
    "clients",
    Column("code", "code_client", *_CUSTOMER_CODE, is_obligatory=True),
    Column(
        "raison_sociale",
        "nom",
        "nom_client",
        "nom_du_client",
        "raison_sociale_client",
        "intitule",
        "denomination",
        "societe",
        is_obligatory=True,
    ),
    Column("type", "type_client", "type_de_client", "nature", "categorie_client"),
    Column("email", *_EMAIL),
    Column("adresse", "adresse_1", "adresse1", "rue", "adresse_postale"),
    Column("complement", "complement_adresse", "complement_d_adresse", "adresse_2", "adresse2"),
    Column("code_postal", "cp", "codepostal"),
    Column("ville", "commune", "localite"),
    Column("pays", "code_pays"),
    Column("telephone", "tel", "n_telephone", "numero_telephone"),
    Column("siren", "n_siren", "numero_siren"),
    Column("siret", "n_siret", "numero_siret"),
    Column(
        "tva_intracom",
        "n_tva",
        "numero_tva",
        "tva_intracommunautaire",
        "n_tva_intracommunautaire",
        "tva_intra",
        "n_tva_intracom",
        "identifiant_tva",
    ),
    Column(
        "nb_factures",
        "nombre_de_factures_a_editer",
        "nombre_factures",
        "nombre_de_factures",
        "nb_factures_a_editer",
        "nbre_factures",
        "nb_exemplaires",
    ),
    Column("adresse_electronique", "adresse_electronique_de_facturation", "adresse_annuaire"),
    Column("personne_publique", "secteur_public", "chorus", "chorus_pro"),
)
CONTACTS: Final = TableKind(
    "contacts",
    "contacts",
    Column("code_client", "code", *_CUSTOMER_CODE, is_obligatory=True),
    Column("nom", "contact", "nom_contact", "nom_du_contact", "interlocuteur", is_obligatory=True),
    Column("fonction", "poste", "service", "role"),
    Column("email", *_EMAIL),
    Column("interlocuteur_principal", "principal", "contact_principal"),
)
INVOICES: Final = TableKind(
    "invoices",
    "factures",
    Column("numero", *_INVOICE_NUMBER, is_obligatory=True),
    Column(
        "date",
        "date_facture",
        "date_de_facture",
        "date_emission",
        "date_d_emission",
        "date_de_facturation",
        "date_piece",
        is_obligatory=True,
    ),
    Column("code_client", "code", *_CUSTOMER_CODE, is_obligatory=True),
    Column("total_ht", *_NET_TOTAL, is_obligatory=True),
    Column("total_tva", "montant_tva", "tva", is_obligatory=True),
    Column("total_ttc", "montant_ttc", "ttc", "total_toutes_taxes", "montant_total", is_obligatory=True),
    Column(
        "reference",
        "ref",
        "reference_commande",
        "commande",
        "n_commande",
        "numero_commande",
        "votre_reference",
        "reference_client",
    ),
    Column("echeance", "date_echeance", "date_d_echeance"),
    Column("devise", "monnaie", "code_devise"),
    Column(
        "type", "type_facture", "type_piece", "type_de_piece", "type_de_document", "type_document", "nature", "typedoc"
    ),
    Column(
        "facture_corrigee",
        "facture_origine",
        "facture_d_origine",
        "facture_rectifiee",
        "n_facture_corrigee",
        "numero_facture_corrigee",
    ),
    Column("date_facture_corrigee", "date_facture_origine", "date_facture_d_origine"),
    Column("pdf", "fichier_pdf", "fichier", "nom_pdf", "document", is_identity=True),
    Column("societe", "emetteur", "siren_societe", "siren_emetteur", "code_societe", is_identity=True),
    Column("deja_paye", "acompte", "acomptes", "deja_regle", "montant_regle"),
    Column("categorie", "cadre", "cadre_de_facturation", "nature_operation", "nature_des_operations"),
    Column("date_livraison", "date_de_livraison", "livraison"),
    Column("nom_livraison", "livre_a", "destinataire_livraison", "nom_de_livraison"),
    Column("adresse_livraison", "adresse_de_livraison", "lieu_de_livraison", "lieu_livraison"),
    Column("complement_livraison", "complement_adresse_livraison", "complement_d_adresse_de_livraison"),
    Column("code_postal_livraison", "cp_livraison", "code_postal_de_livraison"),
    Column("ville_livraison", "ville_de_livraison"),
    Column("pays_livraison", "pays_de_livraison"),
    Column("tva_en_euros", "tva_eur", "total_tva_eur"),
    Column("note", "commentaire", "remarque", "observation", "observations"),
    Column(
        "numero_marche",
        "n_marche",
        "marche",
        "reference_marche",
        "numero_contrat",
        "n_contrat",
        "contrat",
        "reference_contrat",
        since=2,
        term="contract_reference",
    ),
)
LINES: Final = TableKind(
    "lines",
    "lignes",
    Column("numero", *_INVOICE_NUMBER, is_obligatory=True, is_identity=True),
    Column("designation", "libelle", "description", "libelle_article", "designation_article", is_obligatory=True),
    Column("taux_tva", "taux_de_tva", "tva", "tx_tva", is_obligatory=True),
    Column("total_ht", "total_ligne_ht", "total_ligne", "montant_ligne_ht", *_NET_TOTAL, is_obligatory=True),
    Column("article", "code_article", "ref_article", "reference_article", "reference", "ref", "code"),
    Column("quantite", "qte", "qty", "quantites"),
    Column("unite", "unite_de_mesure", "u"),
    Column("prix_unitaire_ht", "prix_unitaire", "pu", "pu_ht", "puht", "prix_ht", "prix"),
    Column("remise", "taux_remise", "remise_pourcent", "remise_en"),
    Column("categorie_tva", "code_tva", "categorie_de_tva"),
    Column("motif_exoneration", "motif_d_exoneration", "exoneration"),
    Column("date_livraison", "date_de_livraison", "livre_le"),
    Column("societe", "emetteur", "siren_societe", "siren_emetteur", "code_societe", is_identity=True),
    Column(
        "article_client",
        "code_article_client",
        "ref_article_client",
        "reference_article_client",
        "reference_acheteur",
        since=2,
        term="buyer_item_identifier",
    ),
)
CELLS: Final = "="
"""The column of a rewritten table that holds the user's own cells, as :func:`cells_text` writes them; no header
reads so."""
EDITION: Final = max(each.since for kind in (INVOICES, LINES) for each in kind.columns)
"""Counts the editions of our columns of invoices and lines: a new column says at its declaration which one it opens."""
KINDS: Final = (CUSTOMERS, CONTACTS, INVOICES, LINES)
SINCE: Final = {each.name: each.since for kind in (INVOICES, LINES) for each in kind.columns if each.since > 1}
"""The edition that a column of invoices or lines came with, where it is not the first."""


class UnknownHeader(Exception):  # noqa: N818 - a finding about somebody's file, not an error of ours
    """The header is none of ours; ``line``, ``column`` and ``reason`` say what is wrong, in French."""

    def __init__(self, reason: str, line: int | None = None, columns: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.columns = columns


@dataclass(frozen=True)
class RecognisedTable:
    """A table whose header was found. ``positions`` gives the place of each known column."""

    table: Table
    kind: TableKind
    header_line: int
    width: int
    positions: dict[str, int]
    ignored: tuple[str, ...]
    statuses_at: tuple[tuple[int, str], ...] = ()
    """The places of the columns that may say whether an invoice is one yet, or still."""

    @property
    def name(self) -> str:
        """The file as the user knows it."""
        return self.table.name

    def header_name(self, column: str) -> str:
        """The name that the file gives to one of our columns; empty where it has none."""
        place = self.positions.get(column)
        row = (
            next((row for row in self.table.rows() if row.line >= self.header_line), None) if self.header_line else None
        )
        return "" if place is None or row is None or place >= len(row.cells) else row.cells[place]


def header_key(text: str) -> str:
    """«N° de T.V.A. (%)» as ``n_de_tva``: what is compared of a column's name."""
    bare = search_key(text.replace("°", " ").replace("º", " ")).replace(".", "")
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


_FIELD: Final = "\x1f"
_RECORD: Final = "\x1e"
_SEPARATORS: Final = re.compile(f"[{_FIELD}{_RECORD}]")


def cells_text(names: Sequence[str], cells: Sequence[str]) -> str:
    """Cells as they stood, by name, without the empty ones. ``names`` are sorted."""
    return f"{_FIELD.join(compress(names, cells))}{_RECORD}{_FIELD.join(filter(None, cells))}"


def stated_names(text: str) -> list[str]:
    """The names of the columns that hold anything in what :func:`cells_text` wrote."""
    return text.partition(_RECORD)[0].split(_FIELD)


def cells_text_of_edition(text: str, edition: int, since: Mapping[str, int] = SINCE) -> str:
    """What :func:`cells_text` would have written when there were only the columns of ``edition``."""
    names, _, cells = text.partition(_RECORD)
    known = [
        each for each in zip(names.split(_FIELD), cells.split(_FIELD), strict=False) if edition >= since.get(each[0], 1)
    ]
    return cells_text([name for name, _ in known], [cell for _, cell in known])


def terms_text(terms: Iterable[tuple[str, str]]) -> str:
    """What columns with a term state in a row, pairs of column and text, as one text; those that are empty left out."""
    return _RECORD.join(_FIELD.join((name, _SEPARATORS.sub(" ", text))) for name, text in terms if text)


def read_terms(text: str, edition: int = EDITION) -> list[tuple[str, str]]:
    """The pairs that :func:`terms_text` wrote, of columns that there were in ``edition``."""
    pairs = (each.split(_FIELD) for each in text.split(_RECORD)) if text else ()
    return [(name, stated) for name, stated in pairs if SINCE.get(name, 1) <= edition]


def recognise(table: Table) -> RecognisedTable:
    """The kind of ``table`` by the header among its first rows.

    Raises :class:`UnknownHeader` where there is none, or where obligatory columns are missing;
    :class:`~invoices.files.tables.UnreadableTable` where the file breaks.
    """
    best: tuple[float, Row, TableKind, dict[str, int], list[str]] | None = None
    rows = table.rows()
    for row, _ in zip(rows, range(_HEADER_MUST_COME_WITHIN), strict=False):
        for kind in KINDS:
            positions, ignored = _positions(kind, row.cells)
            missing = [column for column in kind.obligatory if column not in positions]
            exact = sum(header_key(row.cells[index]) == column for column, index in positions.items())
            # A complete kind wins over any incomplete one, then the one that knows more of the columns.
            score = (0 if missing else 1000) + len(positions) + exact / 100
            if positions and (best is None or score > best[0]):
                best = (score, row, kind, positions, missing)
        if best is not None and best[0] >= 1000:
            _, row, kind, positions, _ = best
            ignored = _positions(kind, row.cells)[1]
            statuses_at = places_of_statuses(list(map(header_key, row.cells)), positions.values())
            return RecognisedTable(table, kind, row.line, len(row.cells), positions, tuple(ignored), statuses_at)
    if best is None or len(best[3]) < 2 or len(best[3]) * 2 < len(best[2].obligatory):
        raise UnknownHeader(_unknown(table))
    _, row, kind, _, missing = best
    names = ", ".join(f"« {column} »" for column in missing)
    word = "les colonnes obligatoires" if len(missing) > 1 else "la colonne obligatoire"
    reason = f"Ce fichier ressemble à une table des {kind.label}, mais il y manque {word} {names}."
    raise UnknownHeader(reason, row.line, tuple(missing))


def _positions(kind: TableKind, cells: list[str]) -> tuple[dict[str, int], list[str]]:
    positions: dict[str, int] = {}
    ignored: list[str] = []
    keys = [header_key(cell) for cell in cells]
    # The column's own name wins over a synonym that is before it.
    for index, key in chain(
        ((i, key) for i, key in enumerate(keys) if kind.by_key.get(key) == key),
        ((i, key) for i, key in enumerate(keys) if kind.by_key.get(key) != key),
    ):
        column = kind.by_key.get(key)
        if column is None or column in positions:
            if cells[index] and index not in positions.values():
                ignored.append(cells[index])
        else:
            positions[column] = index
    return positions, ignored


_LEDGER: Final = frozenset(("journalcode", "comptenum", "pieceref"))


def is_ledger(names: Iterable[str]) -> bool:
    """Whether columns of these names hold entries of the ledger: a FEC (article A47 A-1 of the LPF)."""
    return set(map(header_key, names)) >= _LEDGER


def _unknown(table: Table) -> str:
    first = next(table.rows(), None)
    if first is not None and is_ledger(first.cells):
        return "Ce fichier est un FEC : des écritures comptables, sans les lignes des factures. Exportez les factures."
    found = ", ".join(f"« {cell[:40]} »" for cell in (first.cells if first else []) if cell)
    expected = " ; ".join(f"{kind.label} ({', '.join(kind.obligatory)})" for kind in KINDS)
    shown = found if len(found) <= 300 else f"{found[:299]}…"
    return f"En-tête non reconnu. Trouvé : {shown or 'rien'}. Attendu : {expected}."
