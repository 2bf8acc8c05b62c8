"""Mail addresses as they are typed in a form."""

from django.core.exceptions import ValidationError

from mailing.addresses import InvalidAddressError, parse_address


def check_email(address: str) -> str:
    """``address`` without blanks around, empty or one mail address, accents allowed.

    Raises ValidationError, in French.
    """
    address = address.strip()
    if address:
        try:
            parse_address(address)
        except InvalidAddressError as problem:
            raise ValidationError(str(problem)) from None
    return address
