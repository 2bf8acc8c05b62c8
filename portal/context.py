"""What every page knows: the issuing company's name, colour and logo."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from invoices.models import Company


def company(request: HttpRequest) -> dict[str, Any]:
    """The default company, and those whose identity is incomplete; read only where a page speaks of them."""
    return {
        "incomplete_companies": SimpleLazyObject(Company.objects.incomplete),
        "company": SimpleLazyObject(lambda: Company.objects.filter(is_default=True).first()),
    }
