"""The helper process that runs the Schematron rule sets with Saxon. Started by :mod:`invoices.formats.rules`.

Of the project it imports what carries requests and answers (:mod:`invoices.formats.child_process`) and nothing else.
Saxon is a native library of 200 MB that may crash or loop: it lives here and nowhere else.

Start: ``{"rule_sets": {name: path of the compiled Schematron}, "on_demand": {name: path}, "idle_seconds": n}`` →
``{"ready": true}``. Then any number of ``{"xml": text, "rule_sets": [names]}`` → ``{"failures": [{rule_set, id, flag,
location, text}], "errors": [{rule_set, message}], "peak_memory": bytes}``. The process ends by itself when its input
closes, or after ``idle_seconds`` without a request, then with status 0.
"""

import os
import re
import resource
from typing import Any

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

from invoices.formats.child_process import read_frame, write_frame

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_NAMESPACE_PREDICATE = re.compile(r"\[namespace-uri\(\)='[^']*'\]|\*:")


def main() -> None:
    """Answers requests until there are no more."""
    # Saxon may print: keep its words out of the protocol.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = os.fdopen(0, "rb", buffering=0)

    start = read_frame(requests, None)
    if start is None:
        return
    idle_seconds = float(start["idle_seconds"])
    # One processor per life of the process; the compiled rule sets live as long as it does.
    with PySaxonProcessor(license=False) as processor:
        compiler = processor.new_xslt30_processor()
        rule_sets = {
            name: compiler.compile_stylesheet(stylesheet_file=path) for name, path in start["rule_sets"].items()
        }
        write_frame(replies, {"ready": True})
        while (request := read_frame(requests, idle_seconds)) is not None:
            for name in request["rule_sets"]:
                if name not in rule_sets:
                    rule_sets[name] = compiler.compile_stylesheet(stylesheet_file=start["on_demand"][name])
            chosen = {name: rule_sets[name] for name in request["rule_sets"]}
            write_frame(replies, _judge(processor, chosen, request["xml"]))


def _judge(processor: Any, rule_sets: dict[str, Any], xml: str) -> dict[str, Any]:
    """The reply for one document. An error inside a rule set spoils that rule set only."""
    failures: list[dict[str, str]] = []
    errors: list[dict[str, str]] = []
    for name, rule_set in rule_sets.items():
        try:
            document = processor.parse_xml(xml_text=xml)
            svrl = rule_set.transform_to_string(xdm_node=document)
            if not svrl:
                raise ValueError("the rule set gave no report")
            report = etree.fromstring(svrl.encode())
        except (PySaxonApiError, ValueError, etree.XMLSyntaxError) as error:
            errors.append({"rule_set": name, "message": " ".join(str(error).split())[:500]})
            continue
        failures.extend(_failures(name, report))
    peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"failures": failures, "errors": errors, "peak_memory": peak_memory}


def _failures(rule_set: str, report: etree._Element) -> list[dict[str, str]]:
    """The failed assertions and successful reports of an SVRL document."""
    return [
        {
            "rule_set": rule_set,
            "id": element.get("id", ""),
            "flag": element.get("flag", ""),
            "location": _NAMESPACE_PREDICATE.sub("", element.get("location", "")),
            "text": " ".join("".join(map(str, element.itertext())).split()),
        }
        for element in report.iter(_SVRL + "failed-assert", _SVRL + "successful-report")
    ]


if __name__ == "__main__":
    main()
