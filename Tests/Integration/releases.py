# SPDX-License-Identifier: Apache-2.0
"""A release, from its tag to a machine that installs it from a repository and upgrades it; and a forged repository."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from booted_environment import BootedHost
from case import case
from packages_environment import PackagesEnvironment
from testbed import Machine, Outcome, Testbed
from testbed.checks import equal, require
from testbed.installed import TOOL
from testbed.machine import run
from testbed.packages import NAME, apt
from testbed.release import Releases, stand_in

THERE = "/srv/published"
SOURCES = f"""Types: deb
URIs: file:{THERE}/apt
Suites: stable
Components: main
Signed-By: {THERE}/entralogin.asc
"""


@contextmanager
def changed(path: Path) -> Iterator[None]:
    """Changes one byte in the middle of the file for as long as the context lasts."""
    kept = path.read_bytes()
    middle = len(kept) // 2
    path.write_bytes(kept[:middle] + bytes([kept[middle] ^ 1]) + kept[middle + 1:])
    try:
        yield
    finally:
        path.write_bytes(kept)


def fails(outcome: Outcome, *words: str) -> None:
    require(not outcome.ok and any(word in outcome.text for word in words), f"expected one of {words}: {outcome.text}")


def version(host: BootedHost) -> str:
    return host.machine.run("dpkg-query", "-W", "-f", "${Version}", NAME).out


def laid(releases: Releases, host: BootedHost) -> Path:
    """Copies the repository as it is now to the machine; returns its folder there."""
    there = host.machine.path(THERE)
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(releases.published, there)
    return there


@case("P17", "a release: signed tag, checksums, bill of materials; apt installs it from its repository and upgrades over it, and "
      "refuses what was changed", deep=True)
def release(env: PackagesEnvironment) -> str:
    releases = Releases(env.testbed.scratch / "release")
    try:
        said = releases.attempt("packaging/release/build", str(releases.published), releases.key)
        fails(said, f"the commit checked out is not v{releases.first}")
        first = releases.publish()
        fails(releases.attempt("packaging/release/build", str(releases.published), releases.key), "a release is made once")
        files = releases.published / first
        releases.must("gpg", "--batch", "--verify", f"{files}/SHA256SUMS.asc", f"{files}/SHA256SUMS")
        releases.must("env", "-C", str(files), "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", there=False)
        materials = (files / f"entralogin-{first}.cdx.json").read_text()
        words = ('"libssl3"', '"libstdc++-10-dev"', '"pkg:github/swiftlang/swift@', "pam_entralogin.so")
        require(all(word in materials for word in words), materials)
        with env.stock("release") as host:
            seen = by_apt(env, releases, host)
        by_dnf(env.testbed, releases, env.bare)
    finally:
        releases.close()
    return seen


def by_apt(env: PackagesEnvironment, releases: Releases, host: BootedHost) -> str:
    machine, first = host.machine, releases.first
    machine.must("sh", "-c", "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*")
    machine.write_file("/etc/apt/sources.list.d/entralogin.sources", SOURCES)
    there = laid(releases, host)
    with changed(there / "apt/dists/stable/main/binary-amd64/Packages"), \
            changed(there / "apt/dists/stable/main/binary-amd64/Packages.gz"):
        fails(apt(machine, "update"), "Hash Sum mismatch")
    with changed(there / "apt/dists/stable/InRelease"):
        fails(apt(machine, "-o", "Debug::NoLocking=1", "update", "--error-on=any"), "BADSIG", "Clearsigned file isn't valid",
              "invalid", "is not signed")
    require(apt(machine, "update", "--error-on=any").ok, "apt update")
    done = apt(machine, "install", NAME)
    require(done.ok and version(host) == first, f"apt install: {done.text}")
    env.signs_in(host)

    second = releases.publish()
    there = laid(releases, host)
    require(apt(machine, "update", "--error-on=any").ok, "apt update, with the second release")
    with changed(there / f"apt/pool/main/{NAME}_{second}_amd64.deb"):
        fails(apt(machine, "upgrade"), "Hash Sum mismatch")
    equal(version(host), first, "the version after a package that was changed")
    done = apt(machine, "upgrade")
    require(done.ok and version(host) == second, f"apt upgrade: {done.text}")
    env.signs_in(host)
    return f"{first}, then {second}"


def by_dnf(testbed: Testbed, releases: Releases, bare: Machine) -> None:
    """Debian's dnf on a Debian machine: an empty package provides what the packages need."""
    published = testbed.scratch / "release/dnf"
    shutil.copytree(releases.published, published)
    rpms = {v: next((published / "dnf").glob(f"{NAME}-{v}-*.x86_64.rpm")) for v in releases.versions}
    stand_in(published / "stand-in", rpms[releases.first])
    machine = testbed.machine("dnf", base=bare)
    configuration = published / "dnf.conf"
    configuration.write_text(f"""[main]
reposdir=/dev/null
cachedir={published}/cache
install_weak_deps=0
keepcache=0
[entralogin]
baseurl=file://{published}/dnf
gpgcheck=1
repo_gpgcheck=1
gpgkey=file://{published}/entralogin.asc
metadata_expire=0
[stand-in]
baseurl=file://{published}/stand-in
gpgcheck=0
""")

    def dnf(*words: str) -> Outcome:
        return run(["dnf", "--assumeyes", f"--config={configuration}", f"--installroot={machine.root}", "--releasever=9", *words],
                   timeout=300)

    def installed() -> str:
        return run(["rpm", f"--root={machine.root}", "-q", "--qf", "%{VERSION}", NAME]).out

    mounted = [f"{machine.root}/{name}" for name in ("proc", "dev")]
    for place in mounted:
        subprocess.run(["mount", "--rbind", "/" + Path(place).name, place], check=True)
    try:
        first, second = releases.versions
        with changed(published / "dnf/repodata/repomd.xml"):
            fails(dnf("install", NAME), "Bad GPG signature", "Failed to download metadata")
        with changed(rpms[first]):
            fails(dnf("install", f"{NAME}-{first}"), "checksum", "Checksum", "No more mirrors")
        done = dnf("install", f"{NAME}-{first}")
        require(done.ok and installed() == first, f"dnf install: {done.text}")
        equal(machine.run(TOOL, "--version").out, f"entraloginctl {releases.first}\n", "the tool that dnf installed")
        done = dnf("upgrade")
        require(done.ok and installed() == second, f"dnf upgrade: {done.text}")
    finally:
        for place in reversed(mounted):
            subprocess.run(["umount", "--lazy", place], check=True)
