# SPDX-License-Identifier: Apache-2.0
"""The product as services of a booted machine: sandbox, journal, restarts, path units, sessions."""

from __future__ import annotations

import itertools
import json
import re
import subprocess

from booted_environment import DAEMON, EARLY, KEYS, SETTINGS, BootedEnvironment, BootedHost
from case import case
from simulator import contoso
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, one_line, refused, require
from testbed.compiled import compiled
from testbed.installed import CONFIGURE, TOOL
from testbed.machine import HERE, wait_for

EXPOSURE = {DAEMON: 1.5, "entralogin-stack.service": 2.0, "entralogin-stack-again.service": 5.0,
            "entralogin-caches.service": 2.5, "entralogin-caches-again.service": 5.0,
            "entralogin-audit.service": 1.0, "entralogin-sessions.service": 1.5, "entralogin-metrics.service": 2.5,
            "entralogin-keys.service": 2.0, "entralogin-keys-again.service": 5.0,
            "entralogin-subids.service": 2.5, "entralogin-subids-again.service": 5.0,
            "entralogin-linger.service": 2.0, "entralogin-linger-again.service": 5.0}


@case("P4", "a booted machine: alice signs in and is an administrator, bob is not, carol is refused")
def sign_in(env: BootedEnvironment) -> str:
    host, alice, bob = env.vm, env.person("alice"), env.person("bob")
    admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
    admitted(host.ssh(bob, "id -un"), f"{bob.login}\n")
    require(not host.ssh(bob, "sudo -n id -u").ok, "bob has sudo")
    refused(host.ssh(env.person("carol"), "id"), contoso.USER)
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    groups = admitted(host.ssh(alice, "id -Gn")).split()
    equal(groups, [alice.login, "entra_users", "entra_admins"], "alice's groups while she is signed in")
    return "sudo for alice alone"


@case("P15", "the journal finds decisions by their fields, under the daemon's name")
def journal(env: BootedEnvironment) -> str:
    host, carol = env.vm, env.person("carol")
    matches = ("ENTRALOGIN_DECISION=deny", f"ENTRALOGIN_USER={carol.login}", "ENTRALOGIN_EVENT=account")
    before = len(host.machine.journal(*matches))
    refused(host.ssh(carol, "id"))
    wait_for(lambda: len(host.machine.journal(*matches)) > before, "the record of carol's refusal")
    record = host.machine.journal(*matches)[-1]
    equal(record.get("ENTRALOGIN_REASON"), "role-not-assigned", "reason")
    equal(record.get("_SYSTEMD_UNIT"), DAEMON, "the unit that journald saw")
    equal(record.get("_UID"), host.machine.must("id", "-u", "entralogin").out.strip(), "the uid that journald saw")
    require(re.fullmatch(r"[0-9a-f]{32}", str(record.get("MESSAGE_ID"))) is not None, f"{record}")
    return str(record["MESSAGE"])[:120]


@case("P11", "systemd-analyze: the daemon's exposure is at most 1.5, and no unit of entralogin's is worse than it was")
def exposure(env: BootedEnvironment) -> str:
    machine, seen = env.vm.machine, []
    for unit, limit in EXPOSURE.items():
        text = machine.must("systemd-analyze", "security", "--no-pager", unit).out
        found = re.search(rf"Overall exposure level for {re.escape(unit)}: ([0-9.]+)", text)
        require(found is not None, text[-300:])
        assert found is not None
        seen.append(f"{unit.removesuffix('.service')} {found[1]}")
        require(float(found[1]) <= limit, f"{unit}: {found[1]}, at most {limit}")
    units = [p.name for p in (machine.root / "usr/lib/systemd/system").glob("entralogin*.*") if p.is_file()]
    verified = machine.run("systemd-analyze", "verify", "--man=no", *(f"/usr/lib/systemd/system/{u}" for u in units))
    require(verified.ok and "entralogin" not in verified.text, f"systemd-analyze verify: {verified.text}")
    return ", ".join(seen)


def probed(env: BootedEnvironment, host: BootedHost) -> dict[str, str]:
    """What probe.c prints when it runs under the daemon's restrictions: in a copy of the daemon's unit."""
    machine = host.machine
    program = compiled(HERE / "probe.c", env.testbed.scratch / "programs")
    target = machine.path("/usr/local/bin/probe")
    target.write_bytes(program.read_bytes())
    target.chmod(0o755)
    dropped = ("ExecStart", "ExecReload", "Type=", "NotifyAccess", "Watchdog", "Restart", "Requires", "After", "Also",
               "WantedBy", "[Install]")
    unit = machine.read(f"/usr/lib/systemd/system/{DAEMON}")
    kept = [line for line in unit.splitlines() if not line.startswith(dropped)]
    kept += ["Type=oneshot", "ExecStart=/usr/local/bin/probe", "StandardOutput=file:/run/probe.txt", ""]
    machine.write_file("/etc/systemd/system/probe.service", "\n".join(kept))
    machine.systemctl("daemon-reload")
    machine.systemctl("start", "probe.service")
    return dict(line.split(maxsplit=1) for line in machine.read("/run/probe.txt").splitlines())


@case("P11", "the sandbox is in force: no capability, no other user's files, no call that root's work needs")
def sandbox(env: BootedEnvironment) -> str:
    host = env.vm
    seen = probed(env, host)
    uid = host.machine.must("id", "-u", "entralogin").out.strip()
    nothing = "0000000000000000"
    equal(seen["status:Uid:"].split(), [uid] * 4, "uid")
    equal({seen[f"status:Cap{part}:"] for part in ("Inh", "Prm", "Eff", "Bnd", "Amb")}, {nothing}, "capabilities")
    equal((seen["status:NoNewPrivs:"], seen["status:Seccomp:"], seen["core"]), ("1", "2", "0"), "privileges")
    for path in ("/", "/etc", "/usr", "/var", "/run", "/run/entralogin", "/proc/sys", "/sys/fs/cgroup"):
        equal(seen[f"mount:{path}"], "read-only", path)
    for path in ("/var/lib/entralogin", "/run/entralogin/nss", "/tmp"):
        equal(seen[f"mount:{path}"], "writable", path)
    for path in ("/home", "/root", "/dev/kmsg", "/dev/mem", "/proc/1/status", "/proc/kmsg", "/etc/shadow"):
        require(seen[f"open:{path}"] in {"EACCES", "ENOENT", "EPERM"}, f"{path}: {seen[f'open:{path}']}")
    for path in ("/dev/null", "/dev/urandom", "/proc/sys/kernel/random/boot_id"):
        equal(seen[f"open:{path}"], "done", path)
    for family in ("netlink", "packet", "vsock"):
        equal(seen[f"socket:{family}"], "EAFNOSUPPORT", family)
    equal((seen["socket:unix"], seen["socket:inet"]), ("done", "done"), "sockets that it needs")
    calls = ("setuid", "mount", "chroot", "unshare", "ptrace", "personality", "realtime", "klogctl", "kexec", "module",
             "bpf", "io_uring", "shared-memory", "semaphore", "message-queue", "posix-queue", "clock",
             "hostname", "writable-code", "setuid-file")
    # EACCES: with newer systemd the kernel refuses writable code, prctl(2).
    not_refused = {name: seen[name] for name in calls if seen[name] not in ("EPERM", "EACCES")}
    equal(not_refused, {}, "calls that are not refused")
    return f"{len(seen)} tries; {len(calls)} calls refused"


@case("P11", "the running daemon itself has no capability, and sees none of its neighbours")
def daemon_status(env: BootedEnvironment) -> str:
    host = env.vm
    pid = host.machine.main_pid(DAEMON)
    fields = dict(line.split(":\t", 1) for line in host.machine.read(f"/proc/{pid}/status").splitlines()
                  if ":\t" in line)
    for part in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        equal(fields[f"Cap{part}"], "0000000000000000", f"Cap{part}")
    equal((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"), "privileges")
    mounts = host.machine.read(f"/proc/{pid}/mountinfo")
    require(any(" /proc " in line and "hidepid" in line for line in mounts.splitlines()), "its /proc hides nobody")
    equal(host.machine.property(DAEMON, "MemoryMax"), str(256 << 20), "MemoryMax=")
    return f"{fields['VmRSS'].strip()} resident, {fields['Threads']} threads"


@case("P14", "restart and reload during an open session: it goes on, sudo works, nobody is enrolled anew")
def restart(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    admitted(host.ssh(alice, "true"))
    before = host.machine.passwd(alice.login)
    script = "while read -r word; do case $word in id) id -u ;; sudo) sudo -n id -u ;; esac; done"
    session = subprocess.Popen(alice.argv("-p", str(host.port), f"{alice.login}@127.0.0.1", script), text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(word: str) -> str:
        assert session.stdin is not None and session.stdout is not None
        session.stdin.write(f"{word}\n")
        session.stdin.flush()
        return session.stdout.readline().strip()

    try:
        equal(ask("sudo"), "0", "sudo before")
        pid = host.machine.main_pid(DAEMON)
        host.machine.systemctl("reload", DAEMON)
        equal(host.machine.main_pid(DAEMON), pid, "the process after a reload")
        equal(ask("sudo"), "0", "sudo after a reload")
        host.restart()
        require(host.machine.main_pid(DAEMON) != pid, "the same process after a restart")
        equal(ask("id"), before[2], "the session after a restart")
        equal(ask("sudo"), "0", "sudo after a restart")
        admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
    finally:
        session.kill()
        session.wait()
    equal(host.machine.passwd(alice.login), before, "alice's record")
    return "sudo in the open session before, after a reload, after a restart"


@case("P2", "a session from before a restart and a crash of the daemon: raised when Azure gives the role; an ended one is not")
def raised_after_restart(env: BootedEnvironment) -> str:
    host, machine = env.vm, env.vm.machine
    staying, leaving = env.newcomer(), env.newcomer()
    script = "while read -r word; do sudo -n id -u 2>/dev/null || echo refused; done"
    left = ("nohup setsid sh -c 'while [ ! -e /tmp/after ]; do sleep 0.1; done; sudo -n id -u; echo ended $?' "
            ">/tmp/left.new 2>&1 </dev/null & echo begun; read -r word")
    machine.remove("/tmp/after")
    wait_for(lambda: machine.property(DAEMON, "NFileDescriptorStore") == "0", "the end of the sessions before")
    sessions = [subprocess.Popen(person.argv("-p", str(host.port), f"{person.login}@127.0.0.1", words), text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                for person, words in ((staying, script), (leaving, left))]

    def ask(session: subprocess.Popen[str]) -> str:
        assert session.stdin is not None and session.stdout is not None
        session.stdin.write("sudo\n")
        session.stdin.flush()
        return session.stdout.readline().strip()

    try:
        equal(ask(sessions[0]), "refused", "sudo without the role")
        assert sessions[1].stdout is not None
        equal(sessions[1].stdout.readline().strip(), "begun", "the other session")
        wait_for(lambda: machine.property(DAEMON, "NFileDescriptorStore") == "2", "both sessions in the store")
        machine.systemctl("kill", "--signal=STOP", DAEMON)
        sessions[1].kill()
        sessions[1].wait()
        wait_for(lambda: machine.run("pgrep", "-f", f"[s]shd.*{leaving.login}").out == "", "the end of its sshd")
        pid = machine.main_pid(DAEMON)
        machine.systemctl("kill", "--signal=KILL", DAEMON)
        wait_for(lambda: machine.main_pid(DAEMON) not in (0, pid) and host.is_ready(), "the daemon, by itself", 60)
        host.restart()
        for person in (staying, leaving):
            env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
        wait_for(lambda: ask(sessions[0]) == "0", "sudo in the session from before", 90)
        records = machine.journal("ENTRALOGIN_EVENT=raised", f"ENTRALOGIN_USER={staying.login}")
        equal(len(records), 1, "records of the raise")
        machine.write_file("/tmp/after", "")
        wait_for(lambda: "ended" in machine.run("cat", "/tmp/left.new").out, "what the ended session left behind")
        equal(machine.run("cat", "/tmp/left.new").lines()[-1], "ended 1", "sudo of what is left behind")
        require(not machine.journal("ENTRALOGIN_EVENT=raised", f"ENTRALOGIN_USER={leaving.login}"), "it was raised")
        wait_for(lambda: machine.property(DAEMON, "NFileDescriptorStore") == "1", "the ended one leaves the store")
        # The control: the same person, the same role, in a session.
        admitted(host.ssh(leaving, "sudo -n id -u"), "0\n")
    finally:
        for session in sessions:
            session.kill()
            session.wait()
    wait_for(lambda: machine.property(DAEMON, "NFileDescriptorStore") == "0", "an empty store")
    return str(records[0]["MESSAGE"])


@case("P8", "killed, the daemon is back within seconds; nobody has to come")
def killed(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    pid = host.machine.main_pid(DAEMON)
    host.machine.systemctl("kill", "--signal=KILL", DAEMON)
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    wait_for(lambda: host.machine.main_pid(DAEMON) not in (0, pid) and host.is_ready(), "the daemon after SIGKILL", 60)
    admitted(host.ssh(alice, "id -un"), f"{alice.login}\n")
    return f"restarted {host.machine.property(DAEMON, 'NRestarts')} times"


@case("P16", "wrong settings fail the reload, which says what is wrong; the daemon goes on with those that it has")
def wrong_reload(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    pid = host.machine.main_pid(DAEMON)
    host.machine.write_file(SETTINGS, "[Accounts]\nNobody=1\n")
    try:
        outcome = host.machine.run("systemctl", "reload", DAEMON)
        require(not outcome.ok, "systemctl reload said that all is well")
        said = host.machine.run("journalctl", "--no-pager", "-o", "cat", "-n", "5", "-u", DAEMON).out
        require("Nobody" in said and SETTINGS in said, f"the file and the setting are not named: {said}")
        equal(host.machine.main_pid(DAEMON), pid, "the daemon's process")
        admitted(host.ssh(alice, "id -un"), f"{alice.login}\n")
    finally:
        host.machine.write_file(SETTINGS, "")
    host.machine.systemctl("reload", DAEMON)
    return one_line(said)


@case("P8", "with wrong settings the daemon is tried again at intervals, never hot, and serves as soon as they are fixed")
def wrong_settings(env: BootedEnvironment) -> str:
    with env.boot("wrong", settings="[Nothing]\nNobody=1\n") as host:
        machine = host.machine
        wait_for(lambda: int(machine.property(DAEMON, "NRestarts") or 0) >= 4, "four restarts")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        require(not host.ssh(env.person("alice"), "true").ok, "alice is let in")
        wait_for(lambda: machine.property(DAEMON, "ExecMainStatus") == "78", "the daemon's exit status")
        # "Scheduled restart job": systemd's own record of each restart (systemd.journal-fields(7), its catalog).
        shown = machine.must("journalctl", "--no-pager", "-o", "json", "MESSAGE_ID=5eb03494b6584870a536b337290809b3",
                             f"UNIT={DAEMON}").out
        times = [int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) / 1e6 for line in shown.splitlines()]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        require(len(gaps) >= 3 and min(gaps) >= 1.9, f"seconds between restarts: {gaps}")
        machine.write_file(SETTINGS, "")
        host.wait_until_ready()
        admitted(host.ssh(env.person("alice"), "true"))
    return f"{len(times)} restarts, at least {min(gaps):.1f} s apart"


@case("P8", "frozen, the daemon delays no local sign-in, and systemd's watchdog replaces it")
def frozen(env: BootedEnvironment) -> str:
    with env.boot("frozen", units={DAEMON: "[Service]\nWatchdogSec=6\n"}) as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        usual = host.ssh(env.lisa, "id -un")
        pid = host.machine.main_pid(DAEMON)
        host.freeze()
        outcome = host.ssh(env.lisa, "id -un")
        admitted(outcome, "lisa\n")
        require(outcome.milliseconds < usual.milliseconds + 5000, f"{outcome.milliseconds:.0f} ms, {usual}")
        wait_for(lambda: host.machine.main_pid(DAEMON) not in (0, pid) and host.is_ready(), "another daemon", 60)
        admitted(host.ssh(env.person("alice"), "true"))
    return f"lisa {usual.milliseconds:.0f} ms, frozen {outcome.milliseconds:.0f} ms; replaced"


@case("P4", "UsePAM no: the path unit finds the edit, Entra sign-in is off until it is undone")
def path_unit(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    stamp = host.machine.path("/run/entralogin/stack-verified")
    admitted(host.ssh(alice, "true"))
    host.machine.write_file(EARLY, "UsePAM no\n")
    try:
        # No request is made meanwhile: this does not test the daemon's own check of the files.
        wait_for(lambda: not stamp.exists(), "the stamp withdrawn")
        # The check has withdrawn its result, but may not have ended yet.
        wait_for(lambda: host.machine.property("entralogin-stack.service", "Result") == "exit-code", "the check's failure")
        host.machine.reload_sshd(host.port)
        refused(host.ssh(alice, "true"))
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    finally:
        host.machine.path(EARLY).unlink()
        host.machine.reload_sshd(host.port)
    wait_for(stamp.exists, "the stamp again")
    admitted(host.ssh(alice, "true"))
    return "withdrawn and given again without anybody's doing"


WITHOUT_SUDO = "SUDO_FORCE_REMOVE=yes dpkg --purge --force-all sudo && rm -rf /etc/sudoers /etc/sudoers.d"
# As on RHEL 8: sshd has one file, and configure writes its block there.
ONE_FILE = ("cat /etc/ssh/sshd_config.d/05-*.conf >/tmp/port && sed -i '/^Include/d; 1r /tmp/port' /etc/ssh/sshd_config && "
            f"rm -r /etc/ssh/sshd_config.d && {CONFIGURE} --enable; systemctl restart ssh.service")


@case("P17", "without sudo, and without sshd_config.d: an nsswitch.conf or sudoers that a rename puts in place is checked anew")
def replaced(env: BootedEnvironment) -> str:
    alice = env.person("alice")
    with env.boot("replaced") as host:
        machine = host.machine
        machine.wait_until_up()
        host.wait_until_ready()

        def replace(path: str, count: int) -> None:
            """Replaces the file as editors and package managers do. Until it is checked, no Entra account can sign in."""
            for number in range(count):
                before = machine.must("stat", "--format=%i", path).out
                machine.must("sed", "-i", f"$a # {number}", path)
                require(machine.must("stat", "--format=%i", path).out != before, f"{path} was not replaced")
                wait_for(lambda: host.ssh(alice, "true").ok, f"alice to get in after change {number} of {path}")

        machine.must("rm", "-r", "/etc/sudoers.d")
        replace("/etc/sudoers", 2)
        for lacking in (WITHOUT_SUDO, ONE_FILE):
            machine.shell(lacking)
            wait_for(lambda: machine.run(TOOL, "stack", "--stamp").ok, "an integration that can be verified")
            replace("/etc/nsswitch.conf", 3)
    return "checked and verified after each of eight changes"


OFTEN = "[Timer]\nOnActiveSec=\nOnUnitInactiveSec=\nOnActiveSec=2s\nOnUnitInactiveSec=2s\nAccuracySec=100ms\n"


@case("P17", "a change that no path unit has seen: the timer has it checked, and sign-in goes on")
def unseen(env: BootedEnvironment) -> str:
    alice = env.person("alice")
    with env.boot("unseen", units={"entralogin-stack.timer": OFTEN}) as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        host.machine.systemctl("stop", "entralogin-stack*.path")
        host.machine.must("sed", "-i", "$a # changed", "/etc/nsswitch.conf")
        wait_for(lambda: host.ssh(alice, "true").ok, "alice to get in after the timer's check")
        active = host.machine.run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "entralogin-stack*.path")
        equal(active.out, "", "path units that watch")
    return "checked without a path unit"


@case("P6", "the login service knows the session, and alice has a user manager of her own")
def sessions(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    script = "loginctl show-user $(id -u) --value -p Name; systemctl --user is-system-running --wait; echo $XDG_RUNTIME_DIR"
    lines = admitted(host.ssh(alice, script)).splitlines()
    uid = host.machine.passwd(alice.login)[2]
    equal(lines, [alice.login, "running", f"/run/user/{uid}"], "the login service's word")
    return f"user@{uid}.service"


@case("P8", "configure --disable and --enable on a running machine: units stopped and started, everybody else signed in")
def configured(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    machine = host.machine
    machine.must(CONFIGURE, "--disable")
    equal(machine.property(DAEMON, "ActiveState"), "inactive", "the daemon")
    require(not machine.path("/run/entralogin/control.sock").exists(), "the control socket is there")
    refused(host.ssh(alice, "true"))
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    machine.must(CONFIGURE, "--enable")
    host.wait_until_ready()
    admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
    require(machine.path(KEYS).stat().st_size > 0, "no keys")
    return "alice out and in again, lisa in throughout"


@case("P7", "SubordinateIDs=yes, booted: the first command of the first session finds its range; the unit writes two files")
def subordinate_ids(env: BootedEnvironment) -> str:
    files = ("/etc/subuid", "/etc/subgid")
    with env.boot("subids", settings="[Accounts]\nSubordinateIDs=yes\n") as host:
        host.wait_until_ready()
        machine, before = host.machine, [host.machine.read(path) for path in files]
        people = [env.person("alice"), env.newcomer(), env.person("svc")]
        for person in people:
            found = admitted(host.ssh(person, f"grep -h ^{person.login}: /etc/subuid /etc/subgid")).split()
            require(len(found) == 2 and len(set(found)) == 1 and found[0].endswith(":65536"), f"{person.login}: {found}")
        for path, text in zip(files, before, strict=True):
            require(machine.read(path).startswith(text), "the other lines")
        equal(len({line.split(":")[1] for line in machine.read(files[0]).splitlines()[-3:]}), 3, "ranges")
        closed = "passwd shadow sudoers.d/x pam.d/x ssh/x entralogin/x systemd/x"
        ways = f"for f in {closed}; do touch /etc/$f 2>/dev/null && echo $f; done; true"
        equal(machine.must("systemd-run", "--quiet", "--wait", "--pipe", *paths_of(machine, "entralogin-subids.service"),
                           "sh", "-c", ways).out, "", "what the unit could write")
        machine.systemctl("stop", "entralogin-subids.path")
        admitted(host.ssh(late := env.newcomer(), "true"))
        require(late.login not in machine.read(files[0]), "a range without the path unit")
        machine.systemctl("restart", "entralogin-subids.path")
        machine.systemctl("reload", DAEMON)
        wait_for(lambda: late.login in machine.read(files[1]), "a range after a reload")
    return f"{len(people) + 1} ranges"


def paths_of(machine: BootedMachine, unit: str) -> list[str]:
    """The paths that a unit may and may not write, for systemd-run."""
    text = machine.must("systemctl", "cat", unit).out
    lines = [line for line in text.splitlines() if line.startswith(("ProtectSystem=", "ReadWritePaths=", "ReadOnlyPaths="))]
    require(len(lines) > 3, f"{unit}: {lines}")
    return [f"--property={line}" for line in lines]


@case("P11", "the daemon's keys reach sshd's file at each change, however often; what is no file does not, and the last stay")
def keys_copied(env: BootedEnvironment) -> str:
    host, alice = env.vm, env.person("alice")
    machine, source = host.machine, "/var/lib/entralogin/ssh/trusted_user_ca_keys"
    good = machine.path(KEYS).read_text()
    line = next(line for line in good.splitlines() if not line.startswith("#"))

    def replace(text: str) -> None:
        machine.must("sh", "-c", f"printf '%s\\n' '{text}' >{source}.other && mv {source}.other {source}", user="entralogin")

    before = machine.path(source).read_text()
    for _ in range(30):
        replace("# nothing")
        replace(line)
    replace("# the last word")
    wait_for(lambda: line not in machine.path(KEYS).read_text(), "sshd's file without keys")
    equal(machine.property("entralogin-keys.path", "ActiveState"), "active", "the path unit")
    replace(before.strip())
    wait_for(lambda: machine.path(KEYS).read_text() == good, "the keys again")
    machine.must("sh", "-c", f"rm {source} && mkfifo {source}", user="entralogin")
    wait_for(lambda: machine.property("entralogin-keys.service", "Result") == "exit-code", "the copy to be refused")
    equal(machine.path(KEYS).read_text(), good, "sshd's keys")
    admitted(host.ssh(alice, "true"))
    machine.must("rm", source, user="entralogin")
    replace(before.strip())
    wait_for(lambda: machine.property("entralogin-keys.service", "Result") == "success", "the copy to be made")
    admitted(host.ssh(alice, "true"))
    return "60 changes, and a FIFO"
