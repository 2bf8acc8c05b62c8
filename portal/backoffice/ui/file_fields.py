"""Several files given at once in the back-office."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _


class SeveralFilesInput(forms.ClearableFileInput):
    """A file field that takes several files."""

    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """Several files, each checked as one."""

    widget = SeveralFilesInput

    def __init__(self, *, most_megabytes: int, **kwargs: Any) -> None:
        """``most_megabytes``: the files' size together."""
        super().__init__(**kwargs)
        self.most_megabytes = most_megabytes

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The list of files; at least one, none of them empty."""
        given = (data if isinstance(data, list | tuple) else [data]) or [None]
        files: list[UploadedFile[Any]] = [super(SeveralFilesField, self).clean(one, initial) for one in given]
        if sum(file.size or 0 for file in files) > self.most_megabytes * 1024 * 1024:
            raise ValidationError(
                _("Ces fichiers dépassent %(most)d Mo ensemble : donnez-les en plusieurs fois, ou par « import_erp ».")
                % {"most": self.most_megabytes}
            )
        return files
