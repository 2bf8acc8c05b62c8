"""The preview of a predefined message on a real invoice, and its trial mail: what the mailing room cannot know."""

from dataclasses import replace

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from customers.mails import draft_credentials_mail
from customers.models import Account
from invoices.documents.examples import example_invoice
from invoices.exporting.run.mails import ExportedInvoice, draft_customer_mail, draft_invoice_mail
from invoices.exporting.trials import address_to_reader
from invoices.models import Company, Document, Export, Invoice
from mailing.addresses import InvalidAddressError, parse_address
from mailing.composition import LoadedTemplate, find_template
from mailing.outbox import Draft, write_messages
from mailing.placeholders import check_template_texts
from portal.backoffice.mail.messages import register_preview_choices
from portal.backoffice.ui.mail_frames import framed, show_mail, show_problems

LATEST = 20
TOGETHER = 3


VIEW_INVOICES = "invoices.view_invoice"


def latest_invoices(request: HttpRequest) -> list[tuple[str, str]]:
    """Numbers and customers of the latest invoices, to choose one for the preview; none to who may not see them."""
    if not request.user.has_perm(VIEW_INVOICES):
        return []
    found = Invoice.objects.order_by("-issue_date", "-number").values_list("number", "customer__name")[:LATEST]
    return list(found)


register_preview_choices(latest_invoices)


@framed
def preview(request: HttpRequest, template_id: int) -> HttpResponse:
    """The mail as it would leave: of the saved text, or (POST) of what is in the editor."""
    if not request.user.has_perm("mailing.view_messagetemplate"):
        raise PermissionDenied
    template = _template(request, template_id)
    problems = _problems(request, template)
    if problems:
        return show_problems(request, problems)
    draft = _draft(request, template, _reader(request))
    return show_mail(request, subject=draft.subject, text=draft.text, html=draft.html)


@framed
def send_test(request: HttpRequest, template_id: int) -> HttpResponse:
    """*M'envoyer un essai*: what is in the editor goes to the signed-in person, saved or not."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm("mailing.change_messagetemplate"):
        raise PermissionDenied
    template = _template(request, template_id)
    problems = _problems(request, template)
    reader = _reader(request)
    try:
        parse_address(reader.login)
    except InvalidAddressError as problem:
        problems.append(_("L’essai part à votre identifiant : %(problem)s") % {"problem": problem})
    if problems:
        return show_problems(request, problems)
    draft = address_to_reader(_draft(request, template, reader), reader)
    write_messages([draft])
    note = _("Essai écrit dans la boîte d’envoi, pour %(address)s.") % {"address": reader.login}
    return show_mail(request, subject=draft.subject, text=draft.text, html=draft.html, note=note)


def _reader(request: HttpRequest) -> Account:
    if not isinstance(request.user, Account):
        raise PermissionDenied
    return request.user


def _template(request: HttpRequest, template_id: int) -> LoadedTemplate:
    """The saved message, with the subject and text of the editor where they were sent."""
    saved = find_template(template_id)
    if saved is None:
        raise Http404
    return replace(saved, subject=request.POST.get("subject", saved.subject), body=request.POST.get("body", saved.body))


def _problems(request: HttpRequest, template: LoadedTemplate) -> list[str]:
    found = check_template_texts(template.key, template.subject, template.body)
    problems = [problem for field in found.values() for problem in field]
    number = request.POST.get("preview_invoice", "").strip()
    if number and not request.user.has_perm(VIEW_INVOICES):
        problems.append(_("Vous n’avez pas le droit de voir les factures : l’aperçu montre un exemple."))
    elif number and not Invoice.objects.filter(number=number).exists():
        problems.append(_("Aucune facture ne porte le numéro « %(number)s ».") % {"number": number})
    return problems


def _draft(request: HttpRequest, template: LoadedTemplate, reader: Account) -> Draft:
    """The mail of ``template`` on the chosen invoice, the latest one, or an example where there is none."""
    number = request.POST.get("preview_invoice", "").strip()
    found = Invoice.objects.select_related("customer", "company", "document").order_by("-issue_date", "-number")
    if not request.user.has_perm(VIEW_INVOICES):
        found = found.none()
    invoice = (found.filter(number=number) if number else found).first() or _example()
    address = invoice.customer.email or reader.login
    account = Account(pk=0, login=address, name=invoice.customer.name)
    if template.key == "credentials":
        return draft_credentials_mail(account=account, template=template, sending="preview")
    if template.key == "invoices":
        invoices = list(found.filter(customer=invoice.customer_id)[:TOGETHER]) if invoice.customer_id else [invoice]
        return draft_customer_mail(
            export=Export(),
            exported=[_exported(one) for one in invoices],
            first_line=0,
            account=account,
            template=template,
            attach_pdf=False,
            size_limit=0,
        )
    return draft_invoice_mail(
        export=Export(), exported=_exported(invoice), account=account, template=template, attach_pdf=False
    )


def _exported(invoice: Invoice) -> ExportedInvoice:
    return ExportedInvoice(invoice, invoice.document or Document(invoice=invoice, size=0))


def _example() -> Invoice:
    """An example of the company, for an installation that has no invoice yet."""
    return example_invoice(Company.objects.filter(is_default=True).first() or Company(name=_("Votre société")))
