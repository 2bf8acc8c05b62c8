"""What each column of an unknown table is proposed to be, and on which ground."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from invoices.files.tables import Table
from invoices.importing.mapping.fields import CUSTOMER_NAME
from invoices.importing.mapping.judging import (
    PRICE,
    TWINS,
    add_taxes_by_rate,
    agrees,
    differ_by_a_rate,
    head_of,
    is_constant,
    level_of,
    may_be_summed,
    may_hold,
    prefer_who_is_billed,
    price_before_discount,
    products,
    rows_of,
    settle_articles,
    settle_customers_only,
    settle_empty,
    settle_to_be_paid,
    settle_who,
    size_of,
    sums_in,
)
from invoices.importing.mapping.kinds import type_column
from invoices.importing.mapping.names import candidates, name_key, notions_of, rate_in_name
from invoices.importing.mapping.proposed import Proposal, ProposedColumn, proposal_of_nothing
from invoices.importing.mapping.samples import Column, Sample, take_sample
from invoices.importing.tables.columns import is_ledger

_ENOUGH: Final = 0.4
_LIKELY: Final = 0.3
_HEADS_ONLY: Final = frozenset(("reference", "echeance", "devise", "type", "societe", "code_client", "pdf"))
_FIGURES: Final = ("ligne.quantite", PRICE)
_BESIDE: Final = 4
_LINE_SIGNS: Final = (
    "ligne.designation", "ligne.quantite", PRICE, "ligne.article", "ligne.total_ht", "ligne.remise",
)  # fmt: skip


def propose(table: Table) -> Proposal | None:
    """What the columns of ``table`` are proposed to be; None where nothing looks like a header.

    Raises :class:`~invoices.files.tables.UnreadableTable` where the file breaks.
    """
    sample = take_sample(table)
    if sample is not None and is_ledger(column.name for column in sample.columns):
        return proposal_of_nothing(sample, _("écritures comptables (FEC), non importées"))
    return None if sample is None else _Proposing(sample).propose()


class _Proposing:
    """Scores every pair of a column and a field, then gives each field to the column that fits it best."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.columns = sample.named()
        self.scores: dict[int, dict[str, float]] = {}
        self.grounds: dict[tuple[int, str], str] = {}
        for column in self.columns:
            self.scores[column.index] = self._by_name(column)

    def _by_name(self, column: Column) -> dict[str, float]:
        found = dict(candidates(column.name))
        if column.group and column.group != column.name:
            joined = candidates(f"{column.group} {column.name}")
            for name, score in joined.items():
                found[name] = max(found.get(name, 0), score + 0.04)
            about_lines = notions_of(column.group) & {"line", "product"}
            for head, line in TWINS.items():
                if about_lines and head in found:
                    found[line] = max(found.get(line, 0), found.pop(head))
        return {name: score for name, score in found.items() if score > 0}

    def propose(self) -> Proposal:
        """The proposal."""
        prefer_who_is_billed(self.columns, self.scores)
        self._judge_by_content()
        settle_customers_only(self.columns, self.scores)
        settle_to_be_paid(self.columns, self.scores)
        self._settle_levels()
        self._settle_arithmetic()
        taken = self._assign()
        self._find_by_content(taken)
        add_taxes_by_rate(self.columns, taken, self.grounds)
        proposed = []
        for column in self.columns:
            name = taken.get(column.index, "")
            ground = self.grounds.get((column.index, name)) or (_("nom") if name else self._why_not(column))
            is_by_content = bool(name) and name not in self.scores[column.index]
            notions = notions_of(column.name) or {""}
            is_of_an_order = name in ("numero", "date") and "order" in notions
            if is_of_an_order or (name == "numero" and self.has_lines and notions <= {"ref", "id"}):
                is_by_content = True  # or of an article, perhaps
            proposed.append(ProposedColumn(column.index, column.name, name, ground, column.filled[:3], is_by_content))
        return Proposal(self.sample, proposed)

    def _why_not(self, column: Column) -> str:
        if column.holds("iban"):
            return _("contenu : IBAN, non importé")
        return _("vide") if not column.filled else _("non reconnue")

    # What a column holds

    def _judge_by_content(self) -> None:
        for column in self.columns:
            settle_who(column, self.scores[column.index])
            if not column.filled:
                settle_empty(column, self.scores[column.index])
                continue
            for name in list(self.scores[column.index]):
                if not may_hold(name, column):
                    del self.scores[column.index][name]
            scores = self.scores[column.index]
            is_of_a_rate = bool(rate_in_name(f"{column.group} {column.name}")) and "vat" in notions_of(column.name)
            if (
                is_of_a_rate and not column.has_percents and scores.pop("ligne.taux_tva", 0)
            ):  # «TVA 20 %» heads the amounts of that rate
                scores["total_tva"] = max(scores.get("total_tva", 0), 0.6)
            if "code" in notions_of(column.name) and not (column.is_rates or column.has_percents):
                scores.pop("ligne.taux_tva", None)  # «1», «2» of an ERP's own list
            if "ligne.taux_tva" in scores and (column.is_rates or column.has_percents):
                scores["ligne.taux_tva"] += 0.3
                self.grounds[column.index, "ligne.taux_tva"] = _("nom et contenu : taux de TVA")
            elif (
                "ligne.taux_tva" in scores and "vat" not in notions_of(column.name) and len(notions_of(column.name)) < 2
            ):
                del scores["ligne.taux_tva"]  # «Rate» is a price where it is no percentage of tax
            is_varied = column.distinct > 1 and column.distinct * 3 > len(column.filled)
            if "societe" in scores and is_varied and "issuer" not in notions_of(column.name):
                del scores["societe"]
            if "numero" in scores and column.distinct == 1 and len(column.filled) > 3:
                scores["numero"] -= 0.2
            if "societe" in scores and "client.raison_sociale" in scores and is_constant(column):
                scores["societe"] += 0.3
                self.grounds[column.index, "societe"] = _("nom, la même partout : l’émetteur")
            for name, kind in (("client.siren", "siren"), ("client.siret", "siret"), ("client.tva_intracom", "vat")):
                if column.holds(kind) and not is_constant(column):
                    best = max((s for n, s in scores.items() if not n.startswith("client.")), default=0)
                    if best < (0.8 if kind == "siren" else 0.9):  # nine digits may pass by chance
                        scores[name] = max(scores.get(name, 0), 0.7) + 0.2
                        self.grounds[column.index, name] = _("contenu : clé juste")
            if column.holds("siret"):
                scores.pop("client.siren", None)

    # Heads or lines

    def _groups(self) -> list[list[int]]:
        """Rows of the sample by invoice, where a number is found."""
        number = max(self.columns, key=lambda column: self.scores[column.index].get("numero", 0), default=None)
        if number is None or self.scores[number.index].get("numero", 0) < _ENOUGH:
            return []
        groups: dict[str, list[int]] = {}
        current = ""
        for place, cell in enumerate(number.cells):
            current = cell or current
            if current:
                groups.setdefault(current, []).append(place)
        return list(groups.values())

    def _best(self, name: str) -> float:
        return max((scores.get(name, 0) for scores in self.scores.values()), default=0)

    def _settle_levels(self) -> None:
        groups = self._groups()
        several = [group for group in groups if len(group) > 1]
        signs = sum(self._best(name) >= (0.45 if name in _FIGURES else 0.6) for name in _LINE_SIGNS)
        if not several and not any(self._best(name) >= 0.45 for name in _LINE_SIGNS[:4]):
            signs = 0  # an amount and a discount alone may be of the whole invoice
        has_lines = signs >= 2 or (signs == 1 and bool(several))
        is_described = min(self._best("ligne.designation"), self._best("ligne.taux_tva")) >= 0.6
        states_tax = max(self._best("total_tva"), self._best("total_ttc")) >= _ENOUGH
        is_a_line_each = is_described and not states_tax and not has_lines and not several
        self.has_lines = has_lines or bool(several) or is_a_line_each
        for column in self.columns:
            scores = self.scores[column.index]
            for head, line in TWINS.items():
                is_to_be_paid = not {"payer", "due", "du"}.isdisjoint(name_key(column.name).split())
                if head in scores and line not in scores and self.has_lines and not is_to_be_paid:
                    scores[line] = scores[head] - 0.08
                    if (column.index, head) in self.grounds:
                        self.grounds[column.index, line] = self.grounds[column.index, head]
                level = "line" if is_a_line_each and head == "total_ht" else level_of(column, several)
                if head in scores and line in scores:
                    if level == "head":
                        scores[line] -= 0.5
                    elif level == "line":
                        scores[head] -= 0.5
                        self.grounds[column.index, line] = _("nom, et un montant par ligne")
                elif line in scores and level == "head" and several:
                    scores[head] = scores[line] - 0.1
                    scores[line] -= 0.3
                elif head in scores and level == "line" and several:
                    scores[head] -= 0.3
            if level_of(column, several) == "line":
                for head in _HEADS_ONLY & set(scores):
                    scores[head] -= 0.35
            elif (
                self.has_lines
                and self._best("date") < _ENOUGH
                and "reference" in scores
                and "order" not in notions_of(column.name)
            ):
                scores["ligne.article"] = max(scores.get("ligne.article", 0), scores.pop("reference"))
            if not self.has_lines:
                if not {"label", "line"} & notions_of(column.name):
                    scores.pop("ligne.designation", None)  # «Service», «Mission» of the whole invoice
                    scores.pop("ligne.article", None)
                if "total_tva" in scores and column.is_numeric and not any(column.numbers):
                    scores.pop("ligne.taux_tva", None)  # no VAT at all
                for line in (*TWINS.values(), "ligne.remise", "ligne.quantite"):
                    if head_of(scores) or line not in TWINS.values():
                        scores.pop(line, None)
        if self.has_lines:
            settle_articles(self.columns, self.scores)
        else:
            for scores in self.scores.values():
                if "ligne.total_ht" in scores:
                    scores.setdefault("total_ht", scores["ligne.total_ht"] - 0.05)

    # What follows from other columns

    def _settle_arithmetic(self) -> None:
        numeric = [column for column in self.columns if column.is_numeric and len(column.filled) >= 1]
        quantity, price, discount = map(self._top, ("ligne.quantite", PRICE, "ligne.remise"))
        prices = [column for column in numeric if self.scores[column.index].get(PRICE, 0) >= _ENOUGH]
        if quantity and (full := price_before_discount(quantity, discount, prices, numeric)):
            self.scores[full.index][PRICE] = max(self.scores[column.index][PRICE] for column in prices) + 0.01
            self.grounds[full.index, PRICE] = _("calcul : quantité × prix − remise")
            price = full
        if quantity and price and quantity is not price:
            agreeing = products(quantity, price, discount, numeric)
            if len(agreeing) > 1 and all(column.numbers == agreeing[0].numbers for column in agreeing):
                # Each invoice has one line: its amount is the one beside its quantity and price.
                nearest = min(agreeing, key=lambda column: abs(column.index - price.index))
                agreeing = [nearest] if abs(nearest.index - price.index) <= _BESIDE else []
            for column in agreeing:
                if notions_of(column.group) == {"invoice"}:
                    continue  # said to be of the whole invoice, by the row above the names
                scores = self.scores[column.index]
                if {"total_ht", "ligne.total_ht"} & set(scores) or not scores or "total_ttc" in scores:
                    scores["ligne.total_ht"] = max(0.9, *scores.values()) + 0.05 if scores else 0.7
                    self.grounds[column.index, "ligne.total_ht"] = _("calcul : quantité × prix unitaire")
        self._settle_sums(numeric)
        self._settle_net_beside_gross(numeric)

    def _settle_net_beside_gross(self, numeric: list[Column]) -> None:
        """«Amount» beside «Amount Including VAT» is without it, where each row says so at a known rate."""
        gross = self._top("total_ttc")
        if self._best("total_ht") >= _ENOUGH or gross is None or not {"gross"} & notions_of(gross.name):
            return
        for column in numeric:
            scores = self.scores[column.index]
            if "total_ht" not in scores or column is gross or self._is_by_line(column):
                continue
            if differ_by_a_rate(column, gross):
                scores.pop("total_ttc", None)
                scores["total_ht"] = 0.62
                self.grounds[column.index, "total_ht"] = _("calcul : le TTC en diffère d’un taux de TVA")

    def _settle_sums(self, numeric: list[Column]) -> None:
        """Net + VAT = gross, whatever the columns are called."""
        amounts = [column for column in numeric if may_be_summed(column)][:14]
        for a, b, c in sums_in(amounts):
            if not agrees((x + y, z) for x, y, z in rows_of(a, b, c)):
                continue
            net, tax = (a, b) if size_of(a) >= size_of(b) else (b, a)
            if size_of(tax) == 0 or size_of(tax) > size_of(net) * Decimal("0.35"):
                continue
            of_net = self.scores[net.index]
            line = of_net.get("ligne.total_ht", 0) > of_net.get("total_ht", 0)
            for column, head in ((net, "total_ht"), (tax, "total_tva"), (c, "total_ttc")):
                scores = self.scores[column.index]
                name = TWINS[head] if line and (head == "total_ht" or self._is_by_line(column)) else head
                if (
                    column is c
                    and line
                    and name == TWINS["total_ttc"]
                    and max(scores, key=scores.__getitem__, default="") == TWINS["total_ht"]
                ):
                    scores.pop(TWINS["total_ht"])  # «Line Subtotal» + tax = «Line Total»
                elif scores and max(scores.values()) > 0.85 and name not in scores:
                    continue
                scores[name] = max(scores.get(name, 0.45), 0.45) + 0.12
                self.grounds.setdefault((column.index, name), _("calcul : HT + TVA = TTC"))
            if not line:
                of_net.pop("total_ttc", None)
            if tax.is_rates:  # «TVA» of 20 beside 100 and 120
                self.scores[tax.index].pop("ligne.taux_tva", None)

    def _is_of_head(self, index: int) -> bool:
        several = [group for group in self._groups() if len(group) > 1]
        column = next(column for column in self.columns if column.index == index)
        return size_of(column) > 0 and level_of(column, several) == "head"

    def _is_by_line(self, column: Column) -> bool:
        return level_of(column, [group for group in self._groups() if len(group) > 1]) == "line"

    def _top(self, name: str) -> Column | None:
        best = max(self.columns, key=lambda column: self.scores[column.index].get(name, 0), default=None)
        return best if best is not None and self.scores[best.index].get(name, 0) >= _ENOUGH else None

    def _assign(self) -> dict[int, str]:
        pairs = sorted(
            (
                (score, -column.index, name)
                for column in self.columns
                for name, score in self.scores[column.index].items()
            ),
            reverse=True,
        )
        taken: dict[int, str] = {}
        given: set[str] = set()
        for score, place, name in pairs:
            if score < _ENOUGH:
                break
            if -place in taken or name in given:
                continue
            if name == "total_tva" and TWINS[name] in given and not self._is_of_head(-place):
                continue  # a second tax of each line
            taken[-place] = name
            given.add(name)
            if name in ("code_client", "client.code"):
                given |= {"code_client", "client.code"}
        self._give_what_is_left(taken, given)
        if "numero" not in given and given & {"date", "total_ttc", "total_ht", "ligne.total_ht"}:
            for index, name in taken.items():
                if name == "reference" and self.scores[index].get("numero", 0) > 0.3:
                    taken[index] = "numero"
                    break
            else:
                self._take_likeliest_number(taken)
        return taken

    def _give_what_is_left(self, taken: dict[int, str], given: set[str]) -> None:
        """«Réf. client» is his code where nothing else names him, «Intitulé» the line's where no other text does."""
        who = ("code_client", CUSTOMER_NAME, "client.siren", "client.siret")
        for column in self.columns:
            name, notions = taken.get(column.index), notions_of(column.name)
            if name == "reference" and "customer" in notions and "order" not in notions and not given & {*who}:
                self._give_instead(column.index, taken, "code_client")
            elif (
                name == CUSTOMER_NAME
                and notions <= {"title"}
                and self.has_lines
                and not given & {"code_client", "ligne.designation", "ligne.article", "date"}
            ):
                self._give_instead(column.index, taken, "ligne.designation")

    def _give_instead(self, index: int, taken: dict[int, str], name: str) -> None:
        taken[index] = name
        self.scores[index].setdefault(name, _ENOUGH)

    def _take_likeliest_number(self, taken: dict[int, str]) -> None:
        """Where no column is called a number of invoices, «ID» is one, if it is different on each row."""
        free = [
            each for each in self.columns if each.index not in taken and (each.distinct > 1 or len(each.filled) == 1)
        ]
        best = max(free, key=lambda column: self.scores[column.index].get("numero", 0), default=None)
        if best is None or (not best.is_text if self.has_lines else best.distinct < len(best.filled)):
            return
        if self.scores[best.index].get("numero", 0) >= _LIKELY:
            taken[best.index] = "numero"

    def _find_by_content(self, taken: dict[int, str]) -> None:
        given = set(taken.values())
        left = (each for each in self.columns if each.index not in taken and each.filled)
        free = [each for each in left if not candidates(each.name)]

        def give(column: Column, name: str, ground: str) -> None:
            taken[column.index] = name
            given.add(name)
            free.remove(column)
            self.grounds[column.index, name] = ground

        if "type" not in given and given & {"date", "total_ttc", "ligne.total_ht"}:
            index = type_column(self.columns, taken)
            if index is not None:
                taken[index] = "type"
                self.grounds[index, "type"] = _("contenu : factures et avoirs")
        for column in list(free):
            if column.is_emails and "client.email" not in given:
                give(column, "client.email", _("contenu : adresses e-mail"))
            elif column.is_company_names and not given & {"client.raison_sociale"} and column.distinct > 1:
                give(column, "client.raison_sociale", _("contenu : formes juridiques"))
        dates = [column for column in free if column.is_dates]
        if len(dates) == 1 and "date" not in given and given & {"numero", "total_ht", "total_ttc"}:
            give(dates[0], "date", _("contenu : dates"))
        rates = [column for column in free if column.is_rates and column.has_percents]
        if len(rates) == 1 and "ligne.taux_tva" not in given and self.has_lines:
            give(rates[0], "ligne.taux_tva", _("contenu : taux de TVA"))
