"""What staff type about the way of an e-invoice: a status, a hand-over, a new version."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from invoices.formats.extraction import MAX_PDF_BYTES
from invoices.models import LifecycleStatus
from invoices.platforms.handover import Format
from portal.backoffice.ui.file_fields import SeveralFilesField

# The messages of a platform given at once, together.
STATUSES_MEGABYTES = 20


class StatusForm(forms.Form):
    """A status that the platform's own pages show."""

    code = forms.ChoiceField(label=_("Statut"), choices=LifecycleStatus.Code.choices)
    at = forms.DateTimeField(
        label=_("Date et heure"),
        widget=forms.DateTimeInput(format="%d/%m/%Y %H:%M", attrs={"autocomplete": "off"}),
        input_formats=["%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y-%m-%dT%H:%M"],
        error_messages={"invalid": _("Saisissez une date comme 07/06/2026 14:30.")},
    )
    reason = forms.CharField(
        label=_("Motif"),
        required=False,
        max_length=1000,
        help_text=_("Demandé pour 206, 207, 208, 210, 213 et 501. Le client le lit."),
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "initial": {"at": timezone.localtime()}, **kwargs})


class StatusFilesForm(forms.Form):
    """The messages of a platform (CDAR)."""

    messages = SeveralFilesField(
        most_megabytes=STATUSES_MEGABYTES,
        label=_("Messages de statut"),
        help_text=_("Fichiers CDAR (XML) de la plateforme, ou archives ZIP de ces fichiers."),
        error_messages={
            "required": _("Choisissez au moins un fichier."),
            "empty": _("Un des fichiers est vide."),
        },
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class PaymentForm(forms.Form):
    """What was received for an invoice."""

    date = forms.DateField(
        label=_("Encaissé le"),
        widget=forms.DateInput(format="%d/%m/%Y", attrs={"autocomplete": "off"}),
        input_formats=["%d/%m/%Y", "%Y-%m-%d"],
        error_messages={"invalid": _("Saisissez une date comme 07/06/2026.")},
    )
    amount = forms.DecimalField(
        label=_("Montant TTC"), max_digits=14, decimal_places=2, localize=True, widget=forms.TextInput()
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class PaymentFileForm(forms.Form):
    """A table of payments."""

    file = forms.FileField(
        label=_("Encaissements"),
        help_text=_("reglements.csv ou un classeur : une ligne par encaissement, colonnes numero, date, montant."),
        error_messages={"required": _("Choisissez un fichier."), "empty": _("Ce fichier est vide.")},
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class HandoverForm(forms.Form):
    """In which form e-invoices are given to a platform; or that they reached it otherwise."""

    NO_FILES = "none"

    form = forms.ChoiceField(
        label=_("Fichiers"),
        choices=(
            (Format.FACTURX.value, _("Factur-X : le PDF et son XML")),
            (Format.CII.value, _("le XML seul")),
            (NO_FILES, _("aucun : déjà déposées autrement, à noter comme remises")),
        ),
    )
    platform = forms.CharField(label=_("Plateforme"), required=False, max_length=100)
    again = forms.BooleanField(label=_("Avec celles qui ont déjà été remises"), required=False)
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class NewVersionForm(forms.Form):
    """Why a published invoice gets another version, and the ERP's own file where it gave one."""

    reason = forms.CharField(
        label=_("Motif"),
        max_length=500,
        help_text=_("Gardé avec la version ; le client le lit."),
        error_messages={"required": _("Dites pourquoi une nouvelle version est publiée.")},
    )
    pdf = forms.FileField(
        label=_("PDF ou Factur-X de l’ERP"),
        required=False,
        help_text=_(
            "Sans fichier, la facture est produite à nouveau avec la fiche client et la société d’aujourd’hui."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,application/pdf"}),
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def clean_pdf(self) -> bytes | None:
        """The bytes of the file, within bounds, or None."""
        given = self.cleaned_data["pdf"]
        if given is None:
            return None
        if given.size > MAX_PDF_BYTES:
            raise ValidationError(_("Ce fichier est trop volumineux."))
        content: bytes = given.read()
        return content
