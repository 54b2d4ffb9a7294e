# SPDX-License-Identifier: Apache-2.0
"""Runs a suite with pytest, from its command line to its summary, for machines in a private root and booted ones."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from again import Again
from case import CASES, Case, Part, SharedEnvironment, chosen
from people import NUMBERED_USERS
from testbed import Testbed
from testbed.checks import Mismatch, Wrong, described, one_line
from testbed.installed import REPOSITORY

CONFIGURATION = Path(__file__).with_name("pytest.ini")


def main(name: str, description: str, prepared: Callable[[Testbed], SharedEnvironment]) -> int:
    """Runs the cases that the arguments ask for, on the fixture that `prepared` makes; returns the exit status."""
    leave_out_borrowed()
    left = run_name(name, sys.argv[1:])
    options = ["-c", str(CONFIGURATION), f"--rootdir={REPOSITORY}", "-o", f"cache_dir={REPOSITORY / '.build/pytest' / left}"]
    suite = CaseSuite(name, description, prepared, REPOSITORY / ".testbed" / f"last-{left}")
    status = pytest.main([*options, *sys.argv[1:]], plugins=[suite, Again()])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        print(f"{name}: no case is called that; --list names them")
    return 2 if status in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.USAGE_ERROR) else int(status)


def run_name(name: str, arguments: list[str]) -> str:
    """The name of a run's files: runs of different parts at the same time use different files."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--part", default="")
    part = options.parse_known_args(arguments)[0].part
    return f"{name}-{part.replace('/', '-of-')}" if part else name


def leave_out_borrowed() -> None:
    """Keeps only the cases of the modules that the suite's program imports itself: when these modules import helpers from other
    modules, those modules' cases are registered, too."""
    listed = {value.__name__ for value in vars(sys.modules["__main__"]).values() if isinstance(value, ModuleType)}
    if any(case.check.__module__ in listed for case in CASES):
        CASES[:] = [case for case in CASES if case.check.__module__ in listed]


class CaseItem(pytest.Item):
    """A case, as pytest sees it: its name is the sentence with the promise's number."""

    case: Case
    suite: CaseSuite
    seen = ""  # what the case returned, or what it saw instead
    is_final = False  # it failed, and no missed deadline explains that

    def runtest(self) -> None:
        assert self.suite.env is not None
        self.seen, self.is_final = "", False
        try:
            self.seen = self.case.check(self.suite.env)
            self.suite.env.settle()
        except Exception as error:
            self.seen = str(error) if isinstance(error, Mismatch) else described(error)
            self.is_final = isinstance(error, Wrong)
            self._recover(self.suite.env)
            raise

    def _recover(self, env: SharedEnvironment) -> None:
        try:
            env.recover()
        except Exception as error:  # noqa: BLE001  added to the case's result; the run ends
            self.seen += f"; the machine did not recover: {described(error)}"
            self.session.shouldfail = f"the machine did not recover from {self.name}"

    def repr_failure(self, *_: Any, **__: Any) -> str:
        return one_line(self.seen, 1200)


class CaseFile(pytest.File):
    """The cases that one file declares."""

    suite: CaseSuite

    def collect(self) -> Iterable[CaseItem]:
        for case in CASES:
            if case.check.__module__ == self.path.stem:
                item = CaseItem.from_parent(self, name=case.name)
                item.case, item.suite = case, self.suite
                item.user_properties.append(("promise", case.name.split(":")[0]))
                yield item


class CaseSuite:
    """The pytest plugin: the suite's own options, its cases in their order, and the fixture that they share."""

    def __init__(self, name: str, description: str, prepared: Callable[[Testbed], SharedEnvironment], logs: Path) -> None:
        self.env: SharedEnvironment | None = None
        self._name, self._description, self._prepared, self._logs = name, description, prepared, logs

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        options = parser.getgroup(self._name, self._description)
        options.addoption("--deep", action="store_true", help="the slow tier too")
        options.addoption("--attacks", action="store_true", help="attacks alone (see case.py)")
        options.addoption("--only", action="append", default=[], metavar="WORDS", help="cases whose name holds them")
        options.addoption("--part", type=Part.parsed, metavar="K/N", help="the Kth of N parts of them, for runs side by side")
        options.addoption("--alone", action="store_true", help="those that need the machine for themselves")
        options.addoption("--list", action="store_true", help="name the cases")

    def pytest_cmdline_main(self, config: pytest.Config) -> int | None:
        if not config.option.list:
            return None
        print("\n".join(f"{'deep' if case.deep else '':5}{case.name}" for case in CASES))
        return 0

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        if config.args_source != pytest.Config.ArgsSource.ARGS:
            files = dict.fromkeys(case.check.__module__ for case in CASES)
            config.args = [str(CONFIGURATION.with_name(f"{name}.py")) for name in files]
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.showfspath = False  # each case prints a line of its own (again.py)

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> CaseFile:
        file = CaseFile.from_parent(parent, path=module_path)
        file.suite = self
        return file

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Selects the requested cases, in the order in which they are declared."""
        found = {item.case: item for item in items if isinstance(item, CaseItem)}
        named = config.option.keyword or config.args_source == pytest.Config.ArgsSource.ARGS
        wanted = chosen(config.option.only, config.option.deep or bool(named), config.option.attacks)
        wanted = config.option.part.of(wanted) if config.option.part else wanted
        wanted = [case for case in wanted if case.alone] if config.option.alone else wanted
        config.hook.pytest_deselected(items=[item for case, item in found.items() if case not in wanted])
        items[:] = [found[case] for case in CASES if case in found and case in wanted]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if session.config.option.collectonly or not session.items:
            return (yield)
        began = time.monotonic()
        with ExitStack() as stack:
            try:
                self.env = self._prepared(stack.enter_context(Testbed(numbered=NUMBERED_USERS)))
            except (RuntimeError, TimeoutError, OSError) as error:
                print(f"FAILED  preparation: {error}")
                pytest.exit("the machines could not be prepared", returncode=1)
            print(f"prepared in {time.monotonic() - began:.1f} s", flush=True)
            try:
                return (yield)
            finally:
                self.env.keep_logs(self._logs)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.env is not None:
            terminalreporter.write_line(f"{self._name}: logs: {self._logs.relative_to(REPOSITORY)}/")
