"""Paramétrage société: what an invoice looks like with what is in the form, before anything is saved."""

import base64
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from invoices.content.from_rows import prefetch_for_content
from invoices.documents.previews import PICTURE_WIDTH, preview_pictures, preview_settings, printed_invoices
from invoices.documents.thumbnails import draw_first_page
from invoices.models import Company, Invoice
from invoices.printing import Logo, read_logo
from portal.backoffice.ui.pages import render_page

# The number of the invoice to look at, and what is asked for: the PDF in a window of its own, or pictures for the page.
NUMBER, WANTED, PDF = "preview_invoice", "preview", "pdf"
SUGGESTED = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """The invoice that is looked at, None for the example; or why there is none."""

    invoice: Invoice | None = None
    problem: str = ""

    @property
    def caption(self) -> str:
        """What is under the picture."""
        if self.invoice is None:
            return _("Un exemple : ni ce client ni cette facture n’existent.")
        return _("%(invoice)s, %(customer)s : première page.") % {
            "invoice": self.invoice,
            "customer": self.invoice.customer.name,
        }


def find_shown(request: HttpRequest, company: Company, number: str = "") -> Shown:
    """The invoice of ``company`` that bears ``number``, its latest one without a number.

    An example where it has none, and for those who may not see invoices.
    """
    number = number.strip()
    if company.pk is None or not request.user.has_perm("invoices.view_invoice"):
        return Shown()
    found = prefetch_for_content(printed_invoices(company))
    if not number:
        return Shown(found.first())
    invoice = found.filter(number=number).first()
    if invoice is not None:
        return Shown(invoice)
    if Invoice.objects.filter(company=company, number=number).exists():
        sentence = _(
            "La facture « %(number)s » est venue de l’ERP avec son PDF, publié tel quel : le modèle n’y change rien. "
            "Choisissez-en une autre."
        )
    else:
        sentence = _("Aucune facture de cette société ne porte le numéro « %(number)s ».")
    return Shown(problem=sentence % {"number": number})


def suggested_invoices(request: HttpRequest, company: Company) -> list[tuple[str, str]]:
    """Numbers and customers of the latest invoices of ``company``; none for those who may not see invoices."""
    if not request.user.has_perm("invoices.view_invoice"):
        return []
    return list(printed_invoices(company).values_list("number", "customer__name")[:SUGGESTED])


def show_saved(request: HttpRequest, company: Company) -> HttpResponse:
    """The picture of an invoice as ``company`` is saved, in the template that the address names."""
    template = request.GET.get("modele", company.pdf_template)
    if template not in Company.PdfTemplate.values:
        raise Http404
    company.pdf_template = template
    pdf = preview_settings(company, find_shown(request, company).invoice)
    return _private(HttpResponse(draw_first_page(pdf, width=PICTURE_WIDTH), content_type="image/png"))


def show_typed(request: HttpRequest, form: ModelForm[Company]) -> HttpResponse:
    """The PDF, or the pictures in each template, of what is in ``form``; nothing is saved.

    What cannot be shown is said in sentences, under status 422.
    """
    shown = find_shown(request, form.instance, request.POST.get(NUMBER, ""))
    problems = _sentences(form)
    if shown.problem:
        problems.append(shown.problem)
    wants_pdf = request.POST.get(WANTED) == PDF
    if problems:
        if wants_pdf:
            context = {"title": _("Aperçu impossible"), "problems": problems}
            return render_page(request, "backoffice/companies/no_preview.html", context, status=422)
        return _private(JsonResponse({"problems": problems}, status=422))
    company, logo = form.save(commit=False), _chosen_logo(form)
    if not wants_pdf:
        pictures = {
            name: f"data:image/png;base64,{base64.b64encode(picture).decode()}"
            for name, picture in preview_pictures(company, shown.invoice, logo=logo).items()
        }
        return _private(JsonResponse({"pictures": pictures, "caption": shown.caption}))
    response = HttpResponse(preview_settings(company, shown.invoice, logo=logo), content_type="application/pdf")
    number = shown.invoice.number if shown.invoice else _("exemple")
    response["Content-Disposition"] = content_disposition_header(False, f"Apercu-{number}.pdf") or "inline"
    return _private(response)


def _sentences(form: ModelForm[Company]) -> list[str]:
    """What is wrong in ``form``, each with the name of its field."""
    said = [str(error) for error in form.non_field_errors()]
    for field in form:
        said += [_("%(field)s : %(error)s") % {"field": field.label, "error": error} for error in field.errors]
    return said


def _chosen_logo(form: ModelForm[Company]) -> Logo | None:
    """The picture that was just chosen, which no store holds yet."""
    given = form.cleaned_data.get("logo")
    return read_logo(given.read()) if isinstance(given, UploadedFile) else None


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response
