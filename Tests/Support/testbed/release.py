# SPDX-License-Identifier: Apache-2.0
"""Releases of a copy of the repository, with its own tags and a key that is made for the test."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from .installed import REPOSITORY
from .machine import Outcome, run


class Releases:
    """Puts into `folder` the copy, the key, and `published`: the output of packaging/release/build, all versions so far."""

    def __init__(self, folder: Path) -> None:
        self.published = folder / "published"
        self.first = (REPOSITORY / "VERSION").read_text().strip()
        self.versions: list[str] = []
        self._copy = folder / "copy"
        self._home = folder / "gnupg"
        self._home.mkdir(parents=True, mode=0o700)
        self.must("git", "clone", "--quiet", str(REPOSITORY), str(self._copy), there=False)
        shutil.copytree(REPOSITORY / "build", self._copy / "build", ignore=lambda _, names: [
            name for name in names if not (name.endswith((".so", ".so.2")) or name in _PROGRAMS)])
        self._tools()
        self.key = self._made_key("release")
        for name, value in (("user.name", "test"), ("user.email", "test@localhost"), ("user.signingkey", self.key)):
            self.must("git", "config", name, value)

    def _tools(self) -> None:
        """Lets the copy use what .ci/python-tools installed for the repository: there is no network here."""
        digest = hashlib.sha256((REPOSITORY / ".ci/requirements-release.txt").read_bytes()).hexdigest()[:12]
        name = f".testbed/python-tools-release-{digest}"
        if not (REPOSITORY / name / "stamp").exists():
            raise RuntimeError("first, outside of the testbed: .ci/python-tools release")
        (self._copy / ".testbed").mkdir()
        os.symlink(REPOSITORY / name, self._copy / name)

    def _made_key(self, name: str) -> str:
        self.must("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", f"entralogin {name} (test)", "rsa3072",
                  "sign", "never")
        listed = self.must("gpg", "--batch", "--with-colons", "--list-keys", f"entralogin {name} (test)").lines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))

    def tag(self, version: str) -> None:
        self.must("git", "tag", "--sign", "--message", f"entralogin {version}", f"v{version}")

    def publish(self) -> str:
        """Publishes the next version and returns it: first the repository's own, then each time the next patch version."""
        version = self.first
        if self.versions:
            parts = self.versions[-1].split(".")
            version = ".".join([*parts[:-1], str(int(parts[-1]) + 1)])
            self.must(".ci/version", "--set", version, time.strftime("%Y-%m-%d"))
            self.must("git", "commit", "--quiet", "--all", "--message", f"Version {version}")
        self.tag(version)
        self.build()
        self.versions.append(version)
        return version

    def build(self) -> Outcome:
        return self.must("packaging/release/build", str(self.published), self.key)

    def attempt(self, *argv: str, there: bool = True) -> Outcome:
        environment = {**os.environ, "GNUPGHOME": str(self._home), "COMPRESSION": "gzip", "PROGRAMS": self.first}
        return run(["env", "-C", str(self._copy), *argv] if there else argv, timeout=400, environment=environment)

    def must(self, *argv: str, there: bool = True) -> Outcome:
        outcome = self.attempt(*argv, there=there)
        if not outcome.ok:
            raise RuntimeError(f"{' '.join(argv)}: exit status {outcome.status}\n{outcome.text}")
        return outcome

    def close(self) -> None:
        """Ends GnuPG's agent, which GnuPG starts by itself."""
        self.attempt("gpgconf", "--kill", "all")


_PROGRAMS = {"entralogind", "entraloginctl", "authorized-principals", "audit-events", "end-sessions", "pam-probe", "selinux",
             "floor", "made-of", "entralogin.pp", "entralogin.if"}


def stand_in(folder: Path, rpm: Path) -> None:
    """Makes a dnf repository of one empty package that provides what `rpm` requires. A Debian machine has those files, but its
    RPM database does not list them."""
    listed = subprocess.run(["rpm", "-qp", "--requires", str(rpm)], capture_output=True, text=True, check=True).stdout
    # The first of alternatives, "(A or B)".
    lines = [line[1:-1].split(" or ")[0] if line.startswith("(") else line for line in listed.splitlines()]
    needs = sorted({line.replace(">=", "=") for line in lines if not line.startswith("rpmlib(")})
    folder.mkdir(parents=True)
    spec = folder / "stand-in.spec"
    spec.write_text("\n".join(["Name: stand-in", "Version: 1", "Release: 1", "Summary: what Debian has", "License: none",
                               "BuildArch: noarch", "AutoReqProv: no", *(f"Provides: {need}" for need in needs),
                               "%description", "What Debian has.", "%files", ""]))
    for argv in (["rpmbuild", "--quiet", "-bb", "--define", f"_topdir {folder}", "--define", f"_rpmdir {folder}", str(spec)],
                 ["createrepo_c", "--quiet", str(folder)]):
        outcome = run(argv)
        if not outcome.ok:
            raise RuntimeError(f"{argv[0]}: {outcome.text}")
