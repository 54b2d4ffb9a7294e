# SPDX-License-Identifier: Apache-2.0
"""Extensions to try: the one under test, an earlier version, and later versions that are broken."""

from __future__ import annotations

import os
import shutil
from functools import cached_property
from pathlib import Path

from testbed.installed import REPOSITORY
from testbed.machine import run
from testbed.packages import Packages, changed

# Passes the handler's calls, which have arguments, to the real daemon; fails when it is started as a service, without any.
_DAEMON = '#!/bin/sh\n[ $# -eq 0 ] || exec /usr/sbin/entralogind.real "$@"\necho "broken for a test" >&2\nexit 1\n'


class Handlers:
    """Each is made when it is first used, from the packages of the testbed."""

    def __init__(self, folder: Path, packages: Packages) -> None:
        self._folder = folder
        self._packages = packages

    @cached_property
    def current(self) -> Path:
        return self._built("1.0.0.0", self._packages.current)

    @cached_property
    def previous(self) -> Path:
        return self._built("0.9.0.0", self._packages.previous)

    @cached_property
    def without_daemon(self) -> Path:
        """A version whose package can be installed, but whose daemon does not start."""

        def break_it(tree: Path) -> None:
            (tree / "usr/sbin/entralogind").rename(tree / "usr/sbin/entralogind.real")
            (tree / "usr/sbin/entralogind").write_text(_DAEMON)
            (tree / "usr/sbin/entralogind").chmod(0o755)

        return self._built("1.1.0.0", changed(self._packages.current, self._folder / "daemon", "0.1.1", break_it))

    @cached_property
    def without_end(self) -> Path:
        """A version whose package has a script that fails, which leaves the package half configured."""

        def break_it(tree: Path) -> None:
            (tree / "DEBIAN/postinst").write_text("#!/bin/sh\nexit 1\n")

        return self._built("1.2.0.0", changed(self._packages.current, self._folder / "script", "0.1.2", break_it))

    def _built(self, version: str, deb: Path) -> Path:
        folder = self._folder / version
        folder.mkdir(parents=True)
        shutil.copy(deb, folder / deb.name)
        done = run([str(REPOSITORY / "packaging/extension/build"), str(folder)], environment={**os.environ, "VERSION": version})
        if not done.ok:
            raise RuntimeError(f"extension/build: {done.text}")
        (folder / deb.name).unlink()
        return next(folder.glob("*.zip"))
