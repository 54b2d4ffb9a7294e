# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin that runs a case again only if it failed while the test machine was suspended for a moment.

Twice at most (`testbed.stalls`), and never if a user was wrongly admitted or got another request's answer
(`testbed.checks.Wrong`). Each run prints one line, and only the last one counts.
"""

from __future__ import annotations

import time
from typing import Protocol, cast

import pytest
from _pytest.runner import runtestprotocol

from testbed.checks import one_line
from testbed.stalls import TRIES, Stalls


class Repeatable(Protocol):
    """An item that reports about its run."""

    name: str
    seen: str
    is_final: bool


class Again:
    def __init__(self) -> None:
        self._stalls: Stalls | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        self._stalls = self._stalls or Stalls()
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._last_run(item, nextitem, self._stalls):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _last_run(self, item: pytest.Item, nextitem: pytest.Item | None, stalls: Stalls) -> list[pytest.TestReport]:
        run = cast(Repeatable, item)
        for tries_left in reversed(range(TRIES)):
            began = time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            milliseconds = (time.monotonic() - began) * 1000
            good = not any(report.failed for report in reports)
            excuse = "" if good or tries_left == 0 or run.is_final else stalls.excuse(began)
            print(f"{'ok' if good else 'again' if excuse else 'FAILED':6}  {milliseconds:6.0f} ms  {run.name}: "
                  f"{excuse and excuse + ': '}{one_line(run.seen, 300 if good else 1200)}", flush=True)
            if not excuse:
                break
        return reports

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Counts the result but prints no letter for it: the line printed above has reported it."""
        return (report.outcome, "", "") if report.when == "call" else None
