# SPDX-License-Identifier: Apache-2.0
"""One RPM for all distributions: an empty package declares what each release provides, and rpm must accept entralogin there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from case import case
from packages_environment import PackagesEnvironment
from testbed.checks import equal, require
from testbed.installed import REPOSITORY
from testbed.machine import Outcome, run
from testbed.packages import NAME

# glibc's symbol versions before 2.4, from which `provides` counts up; every release below has them.
GLIBC_OLD = ("2.2.5", "2.3", "2.3.2", "2.3.3", "2.3.4")
GLIBC_LIBRARIES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1")
GCC = ("3.0", "3.3", "3.3.1", "3.4", "3.4.2", "4.0.0", "4.2.0", "4.3.0", "4.7.0", "4.8.0")
LIBSYSTEMD = (209, 211, 213, 214, 216, 217, 219, 220, 221, 222, 226, 227, 229, 230, 231, 232, 233, 234, 236, 237, 238, 239,
              240, 243, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257)
# The features of rpm 4.14 (RHEL 8, SLES 15), by `rpm --showrc` of that version.
FEATURES = {"CompressedFileNames", "FileDigests", "PayloadFilesHavePrefix", "RichDependencies"}


@dataclass(frozen=True)
class Release:
    """What the packages of a distribution's release provide."""

    name: str
    glibc: int  # of 2.N
    crypto: str
    openssh: str
    systemd: int
    shadow: str = "shadow-utils"
    files: tuple[str, ...] = ("/usr/sbin/useradd",)

    def provides(self) -> Iterator[str]:
        yield from self.files
        yield from ("ca-certificates", "rtld(GNU_HASH)", "libcurl.so.4()(64bit)", f"{self.crypto}()(64bit)", "/bin/sh",
                    f"{self.shadow} = 4.8", f"openssh-server = {self.openssh}")
        versions = [*GLIBC_OLD, *(f"2.{n}" for n in range(4, self.glibc + 1))]
        yield from versioned(("ld-linux-x86-64.so.2", *GLIBC_LIBRARIES), "GLIBC", versions)
        yield from versioned(("libgcc_s.so.1",), "GCC", GCC)
        yield from versioned(("libpam.so.0",), "LIBPAM", ("1.0",))
        yield from versioned(("libsystemd.so.0",), "LIBSYSTEMD", [str(v) for v in LIBSYSTEMD if v <= self.systemd])


def versioned(libraries: tuple[str, ...], family: str, versions: list[str] | tuple[str, ...]) -> Iterator[str]:
    for library in libraries:
        yield f"{library}()(64bit)"
        yield from (f"{library}({family}_{version})(64bit)" for version in versions)


TAKEN = (
    Release("RHEL 8", 28, "libcrypto.so.1.1", "8.0p1", 239),
    Release("RHEL 9", 34, "libcrypto.so.3", "8.7p1", 252),
    Release("RHEL 10", 39, "libcrypto.so.3", "9.9p1", 257),
    Release("Azure Linux 3", 38, "libcrypto.so.3", "9.8p1", 255),
    Release("CBL-Mariner 2", 35, "libcrypto.so.1.1", "8.8p1", 250),
    Release("SLES 15 SP3", 31, "libcrypto.so.1.1", "8.4p1", 246, shadow="shadow"),
    Release("SLES 15 SP6", 38, "libcrypto.so.3", "9.6p1", 254, shadow="shadow"),
)
# Releases that refuse the package, with what rpm says is missing.
REFUSED = (
    (Release("RHEL 7", 17, "libcrypto.so.10", "7.4p1", 219), ("GLIBC_2.27", "libcrypto.so.3", "openssh-server >= 7.8")),
    (Release("SLES 12", 22, "libcrypto.so.1.0.0", "7.2p2", 228, shadow="shadow"),
     ("GLIBC_2.27", "libcrypto.so.3", "openssh-server >= 7.8")),
    (replace(TAKEN[0], name="RHEL 8 without its shadow-utils", files=()), ("/usr/sbin/useradd",)),
)


def must(*argv: str, **environment: str) -> Outcome:
    outcome = run(argv, timeout=300, environment={**os.environ, **environment})
    require(outcome.ok, f"{argv[0]}: {outcome.text}")
    return outcome


class Database:
    """A root folder that has only rpm's database, with a package installed that provides what this release provides."""

    def __init__(self, folder: Path, release: Release) -> None:
        self.root = folder / release.name.replace(" ", "-")
        self.root.mkdir(parents=True)
        spec = self.root / "release.spec"
        lines = ["Name: release", "Version: 1", "Release: 1", f"Summary: what {release.name} provides", "License: none",
                 "BuildArch: noarch", "AutoReqProv: no", *(f"Provides: {word}" for word in release.provides()),
                 "%description", "An empty package.", "%files", ""]
        spec.write_text("\n".join(lines))
        must("rpmbuild", "--quiet", "-bb", "--define", f"_topdir {self.root}", "--define", f"_rpmdir {self.root}", str(spec))
        must("rpm", f"--root={self.root}", "--initdb")
        must("rpm", f"--root={self.root}", "--install", "--justdb", str(next(self.root.glob("noarch/*.rpm"))))

    def takes(self, package: Path, *options: str) -> Outcome:
        """What `rpm -i` says, without installing anything."""
        there = self.root / package.name
        shutil.copy(package, there)
        return run(["rpm", f"--root={self.root}", *options, "--install", "--test", str(there)])


def signing_key(home: Path) -> str:
    home.mkdir(parents=True, mode=0o700)
    name = "entralogin rpm (test)"
    gpg = ("gpg", "--batch", "--quiet")
    must(*gpg, "--passphrase", "", "--quick-generate-key", name, "rsa3072", "sign", "never", GNUPGHOME=str(home))
    listed = must(*gpg, "--with-colons", "--list-keys", name, GNUPGHOME=str(home)).lines()
    key = next(line.split(":")[9] for line in listed if line.startswith("fpr:"))
    (home / "public.asc").write_text(must(*gpg, "--armor", "--export", key, GNUPGHOME=str(home)).out)
    return key


def build(folder: Path, home: Path) -> Path:
    """The package as `make rpm` makes it, signed."""
    try:
        key = signing_key(home)
        must(str(REPOSITORY / "packaging/rpm/build"), str(folder), COMPRESSION="gzip", RPM_KEY=key, GNUPGHOME=str(home))
    finally:
        run(["gpgconf", "--kill", "all"], environment={**os.environ, "GNUPGHOME": str(home)})
    found = list(folder.glob(f"{NAME}-[0-9]*-[0-9].x86_64.rpm"))
    equal(len(found), 1, f"packages for all distributions among {sorted(path.name for path in folder.iterdir())}")
    policy = list(folder.glob(f"{NAME}-selinux-[0-9]*.noarch.rpm"))
    equal(len(policy), 1, "packages of the policy")
    held = must("rpm", "-qpl", str(policy[0])).lines()
    equal(held, ["/usr/share/selinux/packages/entralogin.cil"], "what it holds")
    return found[0]


@case("P17", "one RPM: RHEL 8, 9 and 10, Azure Linux 3, Mariner 2 and SLES 15 provide all that it needs; signed, it passes where "
      "rpm demands that", deep=True)
def one_package(env: PackagesEnvironment) -> str:
    folder = env.testbed.scratch / "rpm"
    package = build(folder / "built", folder / "gnupg")
    needed = must("rpm", "-qp", "--requires", str(package)).lines()
    features = {line.split("(")[1].split(")")[0] for line in needed if line.startswith("rpmlib(")}
    require(features <= FEATURES, f"rpm 4.14 does not read {features - FEATURES}")
    for release in TAKEN:
        said = Database(folder, release).takes(package)
        require(said.ok, f"{release.name}: {said.text}")
    for release, lacking in REFUSED:
        said = Database(folder, release).takes(package)
        require(not said.ok and all(word in said.text for word in lacking), f"{release.name}: {said.text}")
        missing = [line for line in said.text.splitlines() if " is needed by " in line]
        require(len(missing) >= len(lacking), said.text)

    # rpm 6 demands signatures by default.
    strict = Database(folder, replace(TAKEN[2], name="strict"))
    demanding = ("--define", "_pkgverify_level all")
    said = strict.takes(package, *demanding)
    require(not said.ok and "NOKEY" in said.text, f"without the key: {said.text}")
    must("rpm", f"--root={strict.root}", "--import", str(folder / "gnupg/public.asc"))
    said = strict.takes(package, *demanding)
    require(said.ok, f"with the key: {said.text}")
    unsigned = folder / f"{NAME}-unsigned.rpm"
    shutil.copy(package, unsigned)
    must("rpmsign", "--delsign", str(unsigned))
    said = strict.takes(unsigned, *demanding)
    require(not said.ok and "no signature" in said.text, f"unsigned: {said.text}")
    return f"{len(TAKEN)} take it, {len(REFUSED)} do not"
