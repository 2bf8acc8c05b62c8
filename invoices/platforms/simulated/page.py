"""The page of a simulated platform for people: what was handed over, the buyer's answer, faults and callbacks."""

from html import escape
from typing import Any, Final

from invoices.platforms.simulated.book import Book
from invoices.platforms.simulated.faults import Fault

SHOWN: Final = 30
_STATES: Final = {"Pending": "à l’examen", "Ok": "acceptée", "Error": "rejetée"}
ANSWERS: Final = {
    "205": ("Approuvée", ""),
    "207": ("En litige", "QTE_ERR"),
    "208": ("Suspendue", "JUSTIF_ABS"),
    "210": ("Refusée", "DEST_ERR"),
}
"""What a buyer answers here: the code, its word, and the reason code that it wants."""
FAULTS: Final = {
    Fault.REJECTED: "prise (202), puis rejetée",
    Fault.THROTTLED: "429 : trop de demandes",
    Fault.UNAVAILABLE: "503 : en maintenance",
    Fault.BROKEN: "500 : rien n’est pris",
    Fault.NO_ANSWER: "prise, sans réponse",
    Fault.DUPLICATE: "chaque statut deux fois",
    Fault.LATE_REJECTION: "213 DOUBLON après coup",
    Fault.BAD_SIGNATURE: "rappel mal signé",
    Fault.WRONG_HASH: "empreinte dite fausse",
}
_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.125rem; margin: 0 0 .5rem; }
section { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 8px; padding: 1rem;
  margin: 1rem 0; }
form { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; }
label { display: grid; gap: .25rem; flex: 1 1 12rem; font-size: .875rem; }
input, select, button { font: inherit; min-height: 2.5rem; padding: .25rem .5rem; box-sizing: border-box; width: 100%; }
button { width: auto; padding: .25rem 1rem; cursor: pointer; }
table { width: 100%; border-collapse: collapse; } td, th { text-align: start; padding: .25rem .5rem .25rem 0;
  vertical-align: top; } td:first-child { overflow-wrap: anywhere; }
.hint { opacity: .75; } .said { font-weight: 600; } pre, code { overflow-wrap: anywhere; }
"""


def write_page(book: Book, said: str = "") -> str:
    """The page, with a sentence on top where something was done."""
    url, secret = book.callback_target()
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Plateforme simulée</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        "<h1>Plateforme simulée</h1>"
        '<p class="hint">Une plateforme agréée pour essayer : elle n’existe que sur cette machine.</p>'
        + (f'<p class="said" role="status">{escape(said)}</p>' if said else "")
        + _flows(book)
        + _section("L’acheteur répond", "/simulation/status", _ANSWER, "Répondre")
        + _section("Une panne au prochain dépôt", "/simulation/faults", _FAULT, "Commander")
        + _section(
            "Rappels",
            "/simulation/callbacks",
            _field("Adresse (sur la fiche de la plateforme, dans le portail)", "url", url)
            + _field("Secret des rappels", "secret", secret, kind="password"),
            "Enregistrer",
            _callbacks(book),
        )
        + "</body></html>"
    )


def _flows(book: Book) -> str:
    flows = book.search({"flowDirection": ["Out"]}, 10**6)
    rows = "".join(f"<tr>{_flow(flow)}</tr>" for flow in reversed(flows[-SHOWN:]))
    if not rows:
        return "<section><h2>Dépôts</h2><p>Rien n’a été déposé.</p></section>"
    head = "<tr><th>Fichier</th><th>Reçu (UTC)</th><th>État</th></tr>"
    return f"<section><h2>Dépôts ({len(flows)})</h2><table>{head}{rows}</table></section>"


def _flow(flow: dict[str, Any]) -> str:
    acknowledgement = flow["acknowledgement"]
    state = _STATES.get(acknowledgement["status"], acknowledgement["status"])
    reasons = [f"{each['reasonCode']} : {each['reasonMessage']}" for each in acknowledgement["details"]]
    cells = (flow["name"], flow["submittedAt"][:19].replace("T", " "), " – ".join([state, *reasons]))
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def _callbacks(book: Book) -> str:
    lines = [
        f"{at[:19].replace('T', ' ')} : {answer or 'sans réponse'}" + (" (mal signé)" if is_spoilt else "")
        for at, is_spoilt, answer in book.callbacks(5)
    ]
    return "".join(f'<br><span class="hint">{escape(line)}</span>' for line in lines)


def _section(title: str, action: str, fields: str, button: str, below: str = "") -> str:
    return (
        f'<section><h2>{title}</h2><form method="post" action="{action}">{fields}'
        f"<button>{button}</button></form>{below}</section>"
    )


def _field(label: str, name: str, value: str = "", *, kind: str = "text") -> str:
    return f'<label>{label}<input name="{name}" type="{kind}" value="{escape(value)}" autocomplete="off"></label>'


def _choice(label: str, name: str, choices: dict[str, str]) -> str:
    options = "".join(f'<option value="{value}">{escape(words)}</option>' for value, words in choices.items())
    return f'<label>{label}<select name="{name}">{options}</select></label>'


_ANSWER: Final = (
    _field("Facture n°", "number")
    + _choice("Statut", "code", {code: f"{code} {word}" for code, (word, _reason) in ANSWERS.items()})
    + _field("Motif (207, 208, 210)", "reason")
)
_FAULT: Final = _choice("Panne", "fault", {str(fault): words for fault, words in FAULTS.items()}) + _field(
    "Combien de fois", "count", "1"
)
