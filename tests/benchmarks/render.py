"""Rendering alone: the tutorial's way (floor A), ours without memory and ours, side by side in one run.

``python -m tests.benchmarks.render [--invoices N] [--lines N] [--json]``. Each invoice is made by each way in turn, in
an order that changes, so that the machine's moods weigh on all alike. Milliseconds of processor time, medians.
"""

import argparse
import dataclasses
import datetime
import gc
import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from invoices.en16931.model import InvoiceContent
from invoices.formats.cii.writer import write_cii
from invoices.printing import PrintStyle, read_logo, render_invoice
from invoices.printing.weasyprint_cache.switch import forget, without_memory
from tests.benchmarks.tutorial import render_tutorial
from tests.support.invoice_samples import invoice, lines, plain

CREATED = datetime.datetime(2022, 6, 7, tzinfo=datetime.UTC)


def invoices(count: int, most_lines: int, chance: random.Random) -> Iterator[InvoiceContent]:
    """Invoices of one company to many customers: names, places, lines and figures all differ."""
    base = plain(1)
    for index in range(count):
        given = lines(2 + chance.randrange(max(most_lines * 2 - 3, 1)))
        given = tuple(
            dataclasses.replace(
                line,
                name=f"{line.name} {chance.randrange(1000)}",
                net_price=(price := line.net_price * chance.randrange(50, 150) / 100),
                net_amount=(line.quantity * price).quantize(line.net_amount),
            )
            for line in given
        )
        number = f"{18000135 + index}"
        buyer = dataclasses.replace(
            base.buyer,
            name=f"Société {chance.choice(('Martin', 'Lefèvre', 'Durand', 'Moreau'))} {index}",
            address=dataclasses.replace(base.buyer.address, line1=f"{index} rue du Marché", city=f"Ville {index}"),
        )
        yield invoice(given, number=number, buyer=buyer, purchase_order_reference=f"BC-{chance.randrange(10**6)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=60)
    parser.add_argument("--lines", type=int, default=6, help="lines of an invoice, on average")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chance = random.Random(7)
    picture = Image.new("RGBA", (600, 200), (200, 30, 30, 0))
    picture.paste((31, 61, 92, 255), (20, 20, 180, 180))
    out = io.BytesIO()
    picture.save(out, "PNG")
    style = PrintStyle(logo=read_logo(out.getvalue()), legal_mentions=("SAS au capital de 120 000 €",))
    with tempfile.TemporaryDirectory() as folder:
        logo = Path(folder) / "logo.png"
        logo.write_bytes(out.getvalue())

        def ours(content: InvoiceContent) -> bytes:
            return render_invoice(content, style, xml=write_cii(content), created=CREATED)

        def plain_way(content: InvoiceContent) -> bytes:
            with without_memory():
                return ours(content)

        ways: dict[str, Callable[[InvoiceContent], bytes]] = {
            "floor A: tutorial": lambda content: render_tutorial(content, style, logo, write_cii(content)),
            "ours, nothing remembered": plain_way,
            "ours": ours,
        }
        forget()
        warm, *_ = invoices(1, 6, random.Random(1))
        for way in ways.values():
            way(warm)
        times: dict[str, list[float]] = {name: [] for name in ways}
        sizes: dict[str, int] = dict.fromkeys(ways, 0)
        gc.collect()
        for content in invoices(options.invoices, options.lines, chance):
            order = list(ways)
            chance.shuffle(order)
            for name in order:
                start = time.process_time()
                sizes[name] += len(ways[name](content))
                times[name].append((time.process_time() - start) * 1000)
    floor = times["floor A: tutorial"]
    report = {
        name: {
            "ms": round(statistics.median(taken), 1),
            "mean_ms": round(statistics.fmean(taken), 1),
            "of_floor_a": round(statistics.median(mine / theirs for mine, theirs in zip(taken, floor, strict=True)), 3),
            "kilobytes": round(sizes[name] / len(taken) / 1000, 1),
        }
        for name, taken in times.items()
    }
    if options.json:
        json.dump(
            {"python": sys.version.split()[0], "invoices": options.invoices, "ways": report}, sys.stdout, indent=1
        )
        print()
        return
    print(f"{options.invoices} invoices of about {options.lines} lines, Python {sys.version.split()[0]}")
    for name, row in report.items():
        print(
            f"{name:28} {row['ms']:7.1f} ms (mean {row['mean_ms']:6.1f})   × {row['of_floor_a']:.3f} of floor A   "
            f"{row['kilobytes']:6.1f} kB"
        )


if __name__ == "__main__":
    main()
