# SPDX-License-Identifier: Apache-2.0
"""P7 and P14: rootless containers of Entra accounts and of local users, by shadow's own programs and by podman."""

from __future__ import annotations

import re

from case import case
from environment import Environment, Host
from roles import administrator
from subordinate import FILES, ON, SIZE, first_of, give
from testbed import Person
from testbed.checks import admitted, equal, require

# In private roots nothing manages containers: no keyring, no control groups, no sysctls.
ENGINE = """[containers]
keyring=false
pids_limit=0
cgroups="disabled"
default_sysctls=[]
netns="none"
log_driver="none"
[engine]
cgroup_manager="cgroupfs"
events_logger="none"
runtime="crun"
"""
# An image with Debian's own shell: there is no registry here.
IMAGE = "/srv/image.tar"
PROGRAMS = "/bin/sh /usr/bin/id /bin/cat /bin/touch /bin/chown"
MAP = "unshare --user sleep 60 & p=$!; sleep 0.1; newuidmap $p {} && newgidmap $p {} && tr -s ' ' </proc/$p/uid_map; kill $p"
HOME = "export STORAGE_DRIVER=vfs XDG_RUNTIME_DIR=$HOME/run; mkdir -pm 700 $XDG_RUNTIME_DIR; cd; "

TRIAL = (
    f"podman import -q {IMAGE} trial >/dev/null && mkdir -p v",
    "printf 'FROM trial\\nRUN /usr/bin/id -u >/made\\n' | buildah build -q --isolation=chroot -t made - >/dev/null",
    "podman run --rm made /bin/cat /made",
    "podman run --rm -v ./v:/v trial /bin/sh -c 'touch /v/mine /v/theirs && chown 1000:1000 /v/theirs && id -u'",
    "podman run --rm --userns=keep-id trial /usr/bin/id -u",
    "stat -c %u v/mine v/theirs",
)


def prepared(host: Host) -> None:
    machine = host.machine
    for path in FILES:
        machine.write(path, "lisa:100000:65536\n")
    machine.write("/etc/containers/containers.conf", ENGINE)
    # crun refuses a machine with both versions of control groups, which the host may have.
    machine.must("mount", "-t", "cgroup2", "groups", "/sys/fs/cgroup")
    libraries = "ldd $programs | grep -o '/[^ ]*' | sort -u"
    machine.must("bash", "-c", f"programs='{PROGRAMS}'; tar -chf {IMAGE} $programs $({libraries} | grep -v :)")
    machine.must("chmod", "644", IMAGE)


def maps(host: Host, person: Person, first: int) -> str:
    """Requires that newuidmap maps the person's own range and no other; returns the map."""
    own = f"0 $(id -u) 1 1 {first} {SIZE}"
    made = admitted(host.ssh(person, MAP.format(own, own.replace("-u", "-g"))))
    require(made.split()[-3:] == ["1", str(first), str(SIZE)], f"{person.login}: {made}")
    other = f"0 $(id -u) 1 1 {first + 1} {SIZE}"
    require("not allowed" in host.ssh(person, MAP.format(other, other)).text, f"{person.login} maps what is no number of theirs")
    return made


@case("P7", "newuidmap and getsubids go by the lines: each account maps its own numbers and no others', a local user too")
def mapped(env: Environment) -> str:
    with env.fresh("maps", layered=True, settings=ON) as host:
        prepared(host)
        people = [administrator(env), env.newcomer(), env.person("svc")]
        for person in people:
            admitted(host.ssh(person, "true"))
        give(host)
        for person in people:
            first = first_of(host, person)
            for option in ([], ["-g"]):
                told = host.machine.must("getsubids", *option, person.login).out
                equal(told, f"0: {person.login} {first} {SIZE}\n", "getsubids")
            maps(host, person, first)
        maps(host, env.lisa, 100000)
        host.service.stop()
        person = people[0]
        own = f"0 $(id -u) 1 1 {first_of(host, person)} {SIZE}"
        made = host.machine.shell(MAP.format(own, own.replace("-u", "-g")), user=person.login)
        require(made.out.split()[-1:] == [str(SIZE)], f"with the daemon stopped: {made.text}")
    return f"{len(people)} accounts and lisa"


@case("P7", "buildah and podman build and run an image for an administrator, a user and a GUID, with numbers of the range")
def podman(env: Environment) -> str:
    with env.fresh("podman", layered=True, settings=ON) as host:
        prepared(host)
        people = [administrator(env), env.newcomer(), env.person("svc")]
        for person in people:
            admitted(host.ssh(person, "true"))
        give(host)
        for person in people:
            first, uid = first_of(host, person), host.machine.uid(person.login)
            said = admitted(host.ssh(person, HOME + " && ".join(TRIAL), timeout=300)).split()
            equal(said, ["0", "0", str(uid), str(uid), str(first + 999)], f"podman of {person.login}")
            line = admitted(host.ssh(person, f"{HOME}podman unshare cat /proc/self/uid_map"))
            equal(re.findall(r"\d+", line), ["0", str(uid), "1", "1", str(first), str(SIZE)], "podman unshare")
    return f"{len(people)} accounts"
