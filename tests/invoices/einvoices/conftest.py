"""What tests of checks share."""

import pytest

from invoices.formats.findings import Finding
from invoices.formats.rules import Profile, RuleChecker


@pytest.fixture
def counted_runs(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The XML of each run of the rules."""
    runs: list[bytes] = []
    check = RuleChecker.check

    def counting(self: RuleChecker, xml: bytes, *profile: Profile) -> tuple[Finding, ...]:
        runs.append(xml)
        return check(self, xml, *profile)

    monkeypatch.setattr(RuleChecker, "check", counting)
    return runs
