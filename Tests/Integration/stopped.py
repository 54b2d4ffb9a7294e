# SPDX-License-Identifier: Apache-2.0
"""P2, P5 and P11: processes that hide from being ended, that their user stops, or that begin while an account is retired."""

from __future__ import annotations

import threading
import time

from booted_environment import DAEMON, BootedEnvironment, BootedHost
from case import case
from sessions import gone, of, uid_of
from simulator import contoso
from testbed import Person
from testbed.checks import equal, require
from testbed.machine import wait_for

SCOPES = "/sys/fs/cgroup/user.slice/user-$(id -u).slice/user@$(id -u).service/app.slice"
# Each process sleeps under a name, in a state, in a namespace or in a control group that could hide it.
HIDERS = r"""
export XDG_RUNTIME_DIR=/run/user/$(id -u); n='setsid nohup'
($n perl -e 'open F, ">/proc/self/comm"; print F "a\nUid:\t0\t0\t0"; close F; sleep 4801' >/dev/null 2>&1 &)
($n perl -e 'open F, ">/proc/self/comm"; print F ") R 0 0 0 0"; close F; sleep 4802' >/dev/null 2>&1 &)
($n perl -e 'open F, ">/proc/self/comm"; print F "State:\tZ"; close F; sleep 4803' >/dev/null 2>&1 &)
($n strace -f -o /dev/null sleep 4804 >/dev/null 2>&1 &)
($n perl -e 'syscall(157, 4, 0, 0, 0, 0); sleep 4805' >/dev/null 2>&1 &)
($n unshare -Urpf --mount-proc sleep 4806 >/dev/null 2>&1 &)
($n unshare -Urm sleep 4807 >/dev/null 2>&1 &)
($n nice -n 19 chrt -i 0 sleep 4808 >/dev/null 2>&1 &)
($n perl -e '$SIG{$_} = "IGNORE" for keys %SIG; sleep 4809' >/dev/null 2>&1 &)
($n sh -c 'kill -STOP $$; sleep 4810' >/dev/null 2>&1 &)
(systemd-run --user --scope --unit=cold sleep 4811 >/dev/null 2>&1 &)
systemd-run --user --on-active=120 sleep 4812 >/dev/null 2>&1
while [ ! -d SCOPES/cold.scope ]; do sleep 0.1; done; sleep 1; echo 1 >SCOPES/cold.scope/cgroup.freeze
until grep -h 'frozen 1' SCOPES/cold.scope/cgroup.events; do sleep 0.1; done
""".replace("SCOPES", SCOPES)


def with_manager(env: BootedEnvironment, host: BootedHost, is_administrator: bool = False) -> tuple[Person, int]:
    """A person with a user manager, and so with control groups of their own."""
    person = env.newcomer()
    if is_administrator:
        env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
    uid = uid_of(host, person)
    # What loginctl enable-linger does, which systemd 257 refuses in this machine.
    host.machine.must("sh", "-c", f"mkdir -p /var/lib/systemd/linger && touch /var/lib/systemd/linger/{person.login}")
    host.machine.systemctl("start", f"user@{uid}.service")
    return person, uid


@case("P2", "nothing hides from the end of sessions: names like fields of /proc, tracing, namespaces, a frozen control group",
      attack="E1")
def hiders(env: BootedEnvironment) -> str:
    host = env.vm
    person, uid = with_manager(env, host)
    outcome = host.ssh(person, HIDERS)
    require("frozen 1" in outcome.out, f"not frozen: {outcome.text}")
    wait_for(lambda: len(of(host, uid)) >= 13, "those that hide")
    time.sleep(1)
    require(len(of(host, uid)) >= 13, "they end without being ended")
    ended = host.tool("sessions", "end", person.login)
    require(ended.ok and "still run" not in ended.out, ended.text)
    equal(of(host, uid), [], "what is left")
    return ended.out.splitlines()[0]


# Freezes sudo in the user's own control groups, at moments from before it asks until after it is allowed.
COLD = r"""
export XDG_RUNTIME_DIR=/run/user/$(id -u); sudo -n id -u; moments='00 01 02 04 06 08 10 12 15 18 21 24 27 30 40 60'
for d in $moments; do
    (systemd-run --user --scope --unit=z$d sh -c "while [ ! -e /tmp/z-go$d ]; do sleep 0.002; done
        sudo -n sh -c 'id -u >/tmp/z-root$d'" >/dev/null 2>&1 &)
done
sleep 3; for d in $moments; do touch /tmp/z-go$d; sleep 0.0$d; echo 1 >SCOPES/z$d.scope/cgroup.freeze; done
sleep 1; echo early $(ls /tmp | grep -c z-root); touch /tmp/z-ready; while [ ! -e /tmp/z-go ]; do sleep 0.05; done
echo now $(sudo -n id -u 2>/dev/null); for d in $moments; do echo 0 >SCOPES/z$d.scope/cgroup.freeze; done; sleep 4
echo late $(ls /tmp | grep -c z-root)
""".replace("SCOPES", SCOPES)


@case("P2", "sudo that its user has stopped before the decision is refused when it goes on after the role's end", deep=True,
      attack="E2")
def cold_sudo(env: BootedEnvironment) -> str:
    host = env.vm
    machine = host.machine
    person, _ = with_manager(env, host, is_administrator=True)
    said: list[str] = []
    running = threading.Thread(target=lambda: said.append(host.ssh(person, COLD, timeout=120).out))
    running.start()
    try:
        wait_for(lambda: machine.run("test", "-e", "/tmp/z-ready").ok or not running.is_alive(), "the stopped ones", 60)
        env.azure.withdraw(env.key_of(person))
        host.tool("check", person.login)
    finally:
        machine.run("touch", "/tmp/z-go")
        running.join()
    words = [line.split() for line in said[0].splitlines()]
    equal(words[0], ["0"], f"sudo while the role lasts ({said})")
    equal(words[2], ["now"], f"sudo after it ({said})")
    early, late = int(words[1][1]), int(words[3][1])
    require(late - early < 12, f"{late - early} of 16 are root after the end: {said}")
    return f"16 stopped, {early} were over before; {late - early} had been allowed and went on as root, the others refused"


def retire_amid_sign_ins(host: BootedHost, person: Person, over: threading.Event, first: int) -> list[str]:
    """The output of five clients that sign in repeatedly, from before the account is retired until after it."""
    said: list[str] = []

    def knock() -> None:
        while not over.is_set():
            said.append(host.ssh(person, "setsid sleep 4820 >/dev/null 2>&1 </dev/null & echo in").out)

    knockers = [threading.Thread(target=knock) for _ in range(5)]
    for knocker in knockers:
        knocker.start()
    try:
        wait_for(lambda: len(said) > first, "the first sign-ins", 60)
        outcome = host.tool("users", "retire", person.login)
        require(outcome.ok and "0 processes ended" not in outcome.out, outcome.text)
        count = len(said)
        wait_for(lambda: len(said) > count + 10, "more attempts", 60)
    finally:
        over.set()
        for knocker in knockers:
            knocker.join()
    return said


@case("P5", "sign-ins while their account is retired: none begins after it, and none of its processes is left", deep=True,
      attack="E3")
def retired_meanwhile(env: BootedEnvironment) -> str:
    host, entered, knocked = env.vm, 0, 0
    for turn in range(4):
        person = env.newcomer()
        uid, over = uid_of(host, person), threading.Event()
        said = retire_amid_sign_ins(host, person, over, 2 + turn)
        gone(host, uid)
        entered, knocked = entered + sum("in" in words for words in said), knocked + len(said)
        require(not any("in" in words for words in said[-5:]), "in after the end")
    return f"{knocked} attempts around 4 retirements, {entered} in before; nothing is left"


@case("P11", "links of the daemon's owner in place of its state folders: systemd follows none when it starts the daemon again",
      deep=True, attack="F29")
def state_folders(env: BootedEnvironment) -> str:
    with env.boot("links") as host:
        machine = host.machine
        machine.wait_until_up()
        host.wait_until_ready()
        machine.must("sh", "-c", "mkdir -m 700 /etc/roots && echo x >/etc/roots/file && chmod 600 /etc/roots/file")
        before = machine.must("stat", "-c", "%n %u %g %a", "/etc/roots", "/etc/roots/file", "/etc/sudoers.d").out
        machine.must("setpriv", "--reuid=entralogin", "--regid=entralogin", "--clear-groups", "sh", "-c",
                     "cd /var/lib/entralogin && mv ssh s && ln -s /etc/roots ssh && mv nss n && ln -s /etc/sudoers.d nss")
        restarts = machine.property(DAEMON, "NRestarts")
        machine.run("systemctl", "kill", "--signal=SEGV", DAEMON)
        wait_for(lambda: int(machine.property(DAEMON, "NRestarts")) > int(restarts) + 1, "two attempts to start again", 60)
        after = machine.must("stat", "-c", "%n %u %g %a", "/etc/roots", "/etc/roots/file", "/etc/sudoers.d").out
        equal(after, before, "owner and mode of root's folders")
        require(host.ssh(env.lisa, "sudo -n true; echo in").out == "in\n", "local users")
        machine.must("sh", "-c", "cd /var/lib/entralogin && rm ssh nss && mv s ssh && mv n nss")
        machine.systemctl("restart", DAEMON)
        host.wait_until_ready()
    return "the daemon does not start until the folders are folders again; nothing of root's changed"
