# SPDX-License-Identifier: Apache-2.0
"""The name services that are compared, each on a machine of its own with equivalent accounts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from environment import STATE, Environment, Host
from residents import EVERYBODY, SAMPLE, SOURCES, TEAM, TEAMS, UIDS, group_lines, name, passwd_line, put_questions, store
from testbed import Machine
from testbed.asking import ask, place
from testbed.checks import require
from testbed.compiled import compiled
from testbed.machine import Outcome, wait_for

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
SSSD_FILL_LIMIT_S = 900
CHUNK, ASKERS = 1000, 4

SSSD = """[sssd]
services = nss
domains = bench
[nss]
memcache_timeout = 86400
memcache_size_passwd = 64
memcache_size_initgroups = 64
[domain/bench]
id_provider = proxy
proxy_lib_name = synthetic
auth_provider = none
access_provider = permit
entry_cache_timeout = 86400
"""


@dataclass
class Contestant:
    title: str
    machine: Machine
    module: str  # the library, and the service name in its entry points' names
    note: str = ""
    before: tuple[str, ...] = ()  # the beginning of a command line that ends with the program's own
    environment: tuple[str, ...] = ()
    close: Callable[[], None] = field(default=lambda: None)
    is_entralogins: bool = False

    def routes(self) -> list[tuple[str, str]]:
        return [("glibc", "glibc"), ("module", self.module)]

    def run(self, *arguments: str, timeout: float = 120) -> Outcome:
        command = ["/usr/bin/env", *self.environment, "/usr/local/bin/lookups", *arguments]
        return self.machine.must(*self.before, *command, timeout=timeout)


def switch(machine: Machine, services: str) -> None:
    machine.write("/etc/nsswitch.conf", f"passwd: {services}\ngroup: {services}\nshadow: files\nhosts: files\n")


def enrolled(env: Environment, host: Host, count: int) -> None:
    """Makes `count` Entra accounts: the daemon reads them from its store and publishes them, as after any start."""
    host.machine.write(f"{STATE}/accounts", store(count), 0o600)
    host.machine.must("chown", "-R", "entralogin:entralogin", STATE)
    host.service.start(60)
    published = host.machine.path(f"{STATE}/nss/accounts.snapshot")
    wait_for(lambda: published.exists() and published.stat().st_size > 64 * count, "the published accounts", 60)


@contextmanager
def entralogin_alone(env: Environment, count: int) -> Iterator[tuple[Contestant, Host]]:
    with env.fresh(f"names-{count}", started=False, bare=True) as host:
        switch(host.machine, "files entralogin")
        # A package's installation ends with ldconfig, as SSSD's did here; with it the loader finds the module at once.
        host.machine.must("/sbin/ldconfig")
        enrolled(env, host, count)
        put_questions(host.machine, env.testbed.scratch / "programs", count, entra=True)
        yield Contestant("entralogin", host.machine, f"{LIBRARIES}/libnss_entralogin.so.2:entralogin",
                         is_entralogins=True), host


@contextmanager
def others(env: Environment, count: int, wanted: tuple[str, ...]) -> Iterator[list[Contestant]]:
    """The wanted ones of the other name services, ready for lookups."""
    made: list[Contestant] = []
    with ExitStack() as stack:
        for maker in wanted:
            for contestant in MAKERS[maker](env, count):
                stack.callback(contestant.machine.stop)
                stack.callback(contestant.close)
                made.append(contestant)
        yield made


def machine_of(env: Environment, what: str, count: int, services: str, layered: bool = False,
               groups: int = 2) -> Machine:
    machine = env.testbed.machine(f"{what}-{count}", layered=layered)
    switch(machine, services)
    put_questions(machine, env.testbed.scratch / "programs", count, entra=False, groups=groups)
    return machine


def files(env: Environment, count: int) -> list[Contestant]:
    machine = machine_of(env, "files", count, "files")
    with machine.path("/etc/passwd").open("a") as passwd, machine.path("/etc/group").open("a") as group:
        passwd.writelines(passwd_line(n) for n in range(count))
        group.writelines(group_lines(count))
    return [Contestant("files", machine, "libc.so.6:files")]


def systemd(env: Environment, count: int) -> list[Contestant]:
    """Drop-ins in /run/userdb, without systemd-userdbd: JSON User Records, found by name and by uid. The folder also has
    memberships, but systemd 252 finds none of them."""
    machine = machine_of(env, "userdb", count, "files systemd", groups=0)
    folder = machine.path("/run/userdb")
    folder.mkdir()
    for n in range(count):
        who, team = name(n), f"team{n // TEAM:05}"
        (folder / f"{who}.user").write_text(
            f'{{"userName":"{who}","uid":{UIDS + n},"gid":{EVERYBODY},"homeDirectory":"/home/{who}",'
            f'"shell":"/bin/bash","realName":"Contoso User","disposition":"regular"}}\n')
        (folder / f"{UIDS + n}.user").symlink_to(f"{who}.user")
        (folder / f"{who}:{team}.membership").touch()
        if n % TEAM == 0:
            gid = TEAMS + n // TEAM
            (folder / f"{team}.group").write_text(f'{{"groupName":"{team}","gid":{gid},"disposition":"regular"}}\n')
            (folder / f"{gid}.group").symlink_to(f"{team}.group")
    return [Contestant("systemd", machine, "libnss_systemd.so.2:systemd", "drop-ins in /run/userdb")]


def oslogin(env: Environment, count: int) -> list[Contestant]:
    """Google's two modules: one asks the metadata server for each lookup, the other one reads a file."""
    machine = machine_of(env, "oslogin", count, "files oslogin", layered=True)
    program = compiled(SOURCES / "metadata.c", env.testbed.scratch / "programs")
    machine.path("/usr/local/bin/metadata").write_bytes(program.read_bytes())
    machine.path("/usr/local/bin/metadata").chmod(0o755)
    network = 'ip link set lo up && ip address add 169.254.169.254/32 dev lo && exec "$@"'
    alone = ("unshare", "--net", "sh", "-c", network, "sh", "/usr/local/bin/metadata")
    cached = machine_of(env, "oslogin-cache", count, "files cache_oslogin", layered=True)
    with cached.path("/etc/oslogin_passwd.cache").open("w") as passwd:
        passwd.writelines(passwd_line(n) for n in range(count))
    with cached.path("/etc/oslogin_group.cache").open("w") as group:
        group.writelines(group_lines(count))
    return [Contestant("oslogin", machine, f"{LIBRARIES}/libnss_oslogin.so.2:oslogin",
                       "metadata server answers at once", before=alone),
            Contestant("oslogin cache", cached, f"{LIBRARIES}/libnss_cache_oslogin.so.2:cache_oslogin")]


def sssd(env: Environment, count: int) -> list[Contestant]:
    """SSSD with its proxy provider over computed users, twice on the same machine: with its memory cache, for which every
    answer is requested once before; and with the cache switched off, so that lookups go through SSSD's socket."""
    machine = machine_of(env, "sssd", count, "files sss", layered=True)
    module = compiled(SOURCES / "synthetic.c", env.testbed.scratch / "programs", "-shared", "-fPIC")
    machine.path(f"{LIBRARIES}/libnss_synthetic.so.2").write_bytes(module.read_bytes())
    machine.write("/etc/sssd/sssd.conf", SSSD, 0o600)
    process = subprocess.Popen(machine.argv(["/usr/sbin/sssd", "-i", "-d", "0"]), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def close() -> None:
        process.terminate()
        process.wait()

    try:
        wait_for(lambda: machine.run("getent", "passwd", name(0)).ok, "SSSD's first answer", 60)
        held = fill(env, machine, count)
    except Exception:
        close()
        raise
    library = f"{LIBRARIES}/libnss_sss.so.2:sss"
    note = f"{held:,} of {count:,} names in the cache" if held < count else ""
    return [Contestant("sss, memory cache", machine, library, note, close=close),
            Contestant("sss, socket", machine, library, note, environment=("SSS_NSS_USE_MEMCACHE=NO",))]


def fill(env: Environment, machine: Machine, count: int) -> int:
    """Fills SSSD's memory cache for a bounded time; returns how many names it holds. Each first answer takes some 2 ms in two
    processes, one after the other; several clients keep both busy."""
    began, held = time.monotonic(), 0
    programs = env.testbed.scratch / "programs"
    program = place(machine, programs)  # only once: the file cannot be written while the program runs

    def known(first: int) -> bool:
        names = range(first, min(count, first + CHUNK))
        answers = machine.must(program, "lookups", input="".join(f"name {name(n)}\n" for n in names), timeout=300).lines()
        return len(answers) == len(names) and not any(line.endswith("-") for line in answers)

    with ThreadPoolExecutor(ASKERS) as pool:
        while held < count and time.monotonic() - began < SSSD_FILL_LIMIT_S:
            firsts = range(held, min(count, held + ASKERS * CHUNK), CHUNK)
            require(all(pool.map(known, firsts)), "SSSD does not know its own people")
            held = min(count, firsts[-1] + CHUNK)
    print(f"  (SSSD's memory cache: {held:,} names in {time.monotonic() - began:.0f} s)", flush=True)
    if held < count:
        put_questions(machine, programs, held, entra=False)
    sample = [line.split()[0] for line in machine.read(SAMPLE).splitlines()]
    answers = ask(machine, programs, (f"groups {who}" for who in sample), "lookups")
    require(all(len(a.ids) >= 2 for a in answers), "SSSD does not know its people's groups")
    return held


MAKERS: dict[str, Callable[[Environment, int], list[Contestant]]] = {
    "sssd": sssd, "files": files, "systemd": systemd, "oslogin": oslogin,
}
