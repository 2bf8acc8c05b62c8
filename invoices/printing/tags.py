"""The tags of the printed templates: ``translate`` in the place of Django's own, which needs settings to be loaded."""

from django.template import Library

from invoices.cldr import translate

register = Library()
register.simple_tag(translate)
