"""A page of a PDF as a picture: what people look at where a frame with a PDF reader would be one too many."""

import io
import os
import threading

import pypdfium2
from PIL import Image

# PDFium is not made for several threads.
_one_at_a_time = threading.Lock()


def _forget_lock() -> None:
    """A child forked while another thread was drawing must not wait for that thread for ever."""
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


def draw_first_page(pdf: bytes, *, width: int) -> bytes:
    """The first page of ``pdf`` as a PNG of ``width`` pixels. For our own files: a broken one raises PdfiumError."""
    with _one_at_a_time, pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        picture = page.render(scale=width / page.get_width()).to_pil()
        page.close()
    # Text and hairlines need few colours: a palette makes the file three times smaller without a visible difference.
    out = io.BytesIO()
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(out, format="PNG")
    return out.getvalue()
