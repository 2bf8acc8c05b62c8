"""What is remembered from one document to the next: all that replaces private functions of WeasyPrint 70.0.

:func:`.switch.patched` is the one switch. Speed only: without it the bytes are the same, which tests hold for each kind
of invoice. What makes a document right (tags, ActualText, PDF/UA) is not here: see
:mod:`invoices.printing.actual_text`, :mod:`invoices.printing.structure` and :mod:`invoices.printing.finishing`, which
work with any path.

Measured by ``python -m tests.benchmarks.render`` on invoices of about six lines: 40 ms of processor time with it,
150 ms without, 320 ms the way of WeasyPrint's tutorial (medians, side by side).

The changes to propose upstream, after which this package can go: let the caller share computed styles between documents
that have one stylesheet, and keep the used line height and lengths on the style that they depend on.
"""
