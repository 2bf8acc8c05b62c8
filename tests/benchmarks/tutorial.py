"""Floor A of the benchmarks: the same invoice made the way WeasyPrint's tutorial shows, nothing arranged for speed.

A plain page of the same content: automatic tables, a flexible head, the stylesheet as text, the default fetcher, one
call. The file is PDF/A-3a with the XML attached, as ours is.
"""

import html
from pathlib import Path

from weasyprint import HTML, Attachment

from invoices.en16931.model import InvoiceContent
from invoices.printing.page import compose
from invoices.printing.style import PrintStyle

STYLESHEET = """
@page { size: A4; margin: 18mm; @bottom-right { content: "Page " counter(page) " / " counter(pages); font-size: 7pt }
  @bottom-left { content: string(foot); font-size: 7pt } }
:root { --accent: #1f3d5c; --grey: #5f6368 }
* { box-sizing: border-box }
body { font-family: "Liberation Sans", Arial, sans-serif; font-size: 8.5pt; line-height: 1.4; color: #1b1b1b;
  font-variant-numeric: tabular-nums }
header, .parties, .end { display: flex; justify-content: space-between; margin-bottom: 6mm }
header > div, .parties > div { width: 45% }
h1 { color: var(--accent); font-size: 19pt; margin: 0; text-transform: uppercase }
h2 { color: var(--grey); font-size: 7pt; font-weight: normal; margin: 0 }
p { margin: 0 }
.name { font-size: 10pt; font-weight: bold }
.label, small { color: var(--grey) }
small { display: block; font-size: 7pt }
img { height: 18mm; image-rendering: crisp-edges }
table { width: 100%; border-collapse: collapse }
.lines thead th { font-size: 7pt; color: var(--grey); border-bottom: .6pt solid #1b1b1b }
th, td { text-align: right; vertical-align: top; font-weight: normal; padding: 3pt 0 }
.lines tbody tr { border-bottom: .25pt solid #b8bcc2; break-inside: avoid }
th:first-child { text-align: left }
.vat, .totals { width: 45% }
.strong td, .strong th { font-weight: bold }
.due td, .due th { border-top: .6pt solid var(--accent); color: var(--accent); font-size: 13pt; font-weight: bold }
.terms { font-size: 7pt; margin-top: 6mm }
.foot { string-set: foot content(); position: absolute; visibility: hidden }
"""


def page_of(content: InvoiceContent, style: PrintStyle, logo: Path) -> str:
    """The tutorial's page of ``content``; ``logo`` is a file on disk."""
    page = compose(content, style)

    def divided(text: str) -> str:
        return "".join(f"<div>{html.escape(line)}</div>" for line in text.split("\n"))

    facts = "".join(
        f'<div><span class="label">{html.escape(label)}</span> {html.escape(value)}</div>'
        for label, value in page.facts
    )
    rows = "\n".join(
        f"""<tr>
  <th scope="row">{html.escape(row.name)}{f"<small>{html.escape(row.details)}</small>" if row.details else ""}</th>
  <td>{row.quantity}</td>
  <td>{row.price}</td>
  <td>{row.rate}</td>
  <td>{row.amount}</td>
</tr>"""
        for row in page.rows
    )
    vat = "\n".join(
        f'<tr><th scope="row">{row.rate}</th><td>{row.base}</td><td>{row.tax}</td></tr>' for row in page.vat
    )
    totals = "\n".join(
        f'<tr class="{row.kind}"><th scope="row">{html.escape(row.label)}</th><td>{row.amount}</td></tr>'
        for row in page.totals
    )
    terms = "\n".join(f"<p>{html.escape(text)}</p>" for text in page.terms)
    return f"""<!DOCTYPE html>
<html lang="fr">
<head>
  <meta charset="utf-8">
  <title>{html.escape(page.document_title)}</title>
  <meta name="author" content="{html.escape(content.seller.name)}">
  <style>{STYLESHEET}</style>
</head>
<body>
<header>
  <div>
    <img src="{logo.as_uri()}" alt="Logo">
    <p class="name">{html.escape(page.seller)}</p>
    {divided(page.seller_lines)}
  </div>
  <div>
    <h1>{html.escape(page.title)}</h1>
    <p><strong>{html.escape(page.number)}</strong></p>
    {facts}
  </div>
</header>
<div class="parties">
  <div>{divided(page.delivery)}</div>
  <div>
    <h2>Facturé à</h2>
    <p class="name">{html.escape(page.buyer)}</p>
    {divided(page.buyer_lines)}
  </div>
</div>
<table class="lines">
  <thead>
    <tr><th>Désignation</th><th>Quantité</th><th>Prix HT</th><th>TVA</th><th>Montant HT</th></tr>
  </thead>
  <tbody>
{rows}
  </tbody>
</table>
<div class="end">
  <div class="vat">
    <table class="lines">
      <thead><tr><th>TVA</th><th>Base HT</th><th>Montant</th></tr></thead>
      <tbody>{vat}</tbody>
    </table>
  </div>
  <div class="totals">
    <table><tbody>{totals}</tbody></table>
  </div>
</div>
<div>{divided(page.payment)}</div>
<div class="terms">
{terms}
</div>
<div class="foot">{html.escape(page.foot)}</div>
</body>
</html>
"""


def render_tutorial(content: InvoiceContent, style: PrintStyle, logo: Path, xml: bytes) -> bytes:
    """The PDF of ``content`` by the tutorial's one call."""
    pdf: bytes = HTML(string=page_of(content, style, logo)).write_pdf(
        pdf_variant="pdf/a-3a",
        attachments=[Attachment(string=xml, name="factur-x.xml", relationship="Alternative")],
    )
    return pdf
