"""When documents go to the store, and what a run does when the store takes no more of them."""

import errno
import os
import threading
from collections import Counter
from typing import Any

import pytest

from invoices.documents.rendering import Rendering
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run import freezing
from invoices.exporting.run.freezing import PreparedLine, freeze_lines
from invoices.exporting.run.worker import run_lines
from invoices.models import Document, Export, ExportItem
from invoices.store.probing import StoreUnavailableError
from tests.support.factories import make_customer, make_invoice


@pytest.mark.django_db
def test_a_disk_that_fills_up_in_the_midst_of_a_run_stops_it_and_all_leave_when_it_has_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _number in range(12):
        make_invoice(customer=make_customer(kind="individual"))
    export = start_export(export=create_export(criteria=Criteria(generate_credentials=True)))
    written: list[int] = []

    def refuse(file: int) -> None:
        if len(written) >= 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(file)

    monkeypatch.setattr("invoices.store.local.os.fsync", refuse)
    with pytest.raises(StoreUnavailableError, match="le disque est plein"):
        run_lines(Export.objects.get())
    assert 2 <= Document.objects.count() < 12

    monkeypatch.undo()
    run_lines(Export.objects.get())
    assert Counter(export.items.values_list("state", flat=True)) == {ExportItem.State.PUBLISHED: 12}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "rendered_before"),
    [
        # The first says how quick the store is; the others wait for the end of the rendering, where it is quick.
        (60.0, [1, 5, 5, 5, 5]),
        (0.0, [1, 2, 3, 4, 5]),
    ],
    ids=["a quick store", "a slow store"],
)
def test_documents_are_stored_after_the_rendering_where_the_store_is_quick_and_beside_it_where_it_is_slow(
    seconds: float, rendered_before: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [PreparedLine(item=ExportItem(), invoice=make_invoice(), recipients=[]) for _number in range(5)]
    rendered: list[PreparedLine] = []
    seen = []
    stored = threading.Event()

    def render(line: PreparedLine) -> Rendering:
        # A slow store has begun with the one before.
        assert seconds or not rendered or stored.wait(10)
        stored.clear()
        rendered.append(line)
        return Rendering(content=b"%PDF", profile="", xml_sha256="", template="classic")

    def store(*_args: Any, **_more: Any) -> str:
        seen.append(len(rendered))
        stored.set()
        return "2026/name.pdf"

    monkeypatch.setattr(freezing, "SECONDS_OF_QUICK_STORE", seconds)
    monkeypatch.setattr(freezing, "_render", render)
    monkeypatch.setattr(freezing, "store_bytes", store)

    assert freeze_lines(lines) == 5
    assert seen == rendered_before
