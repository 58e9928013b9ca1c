"""A pytest plugin for continuous integration: a run in which a test was skipped has failed.

Used as `python -m pytest -p tools.no_skips`.
"""

from __future__ import annotations

from typing import Any

import pytest


class _Skips:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def note(self, report: Any) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.seen.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.seen and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.seen:
            terminalreporter.section("skipped, and nothing may be skipped here", red=True)
            for nodeid in self.seen:
                terminalreporter.line(nodeid)


def pytest_configure(config: pytest.Config) -> None:
    """Register the counter."""
    config.pluginmanager.register(_Skips(), "no-skips")
