"""Short texts as people type them: capitals or not, in groups or not."""

from typing import Any

from django import forms


class UpperField(forms.CharField):
    """Text in capitals, however it was typed: «d» is D, «fr» is FR."""

    def to_python(self, value: Any) -> Any:
        """The text, stripped, in capitals."""
        return str(super().to_python(value) or "").strip().upper()


class IdentifierField(forms.CharField):
    """An identifier that letterheads print in groups («732 829 320»): its blanks count for nothing."""

    def to_python(self, value: Any) -> Any:
        """The text without blanks; its length is looked at afterwards."""
        return "".join(str(super().to_python(value) or "").split())

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Room for the blanks: the page does not stop at nine characters of eleven."""
        attributes = super().widget_attrs(widget)
        attributes.pop("maxlength", None)
        return attributes
