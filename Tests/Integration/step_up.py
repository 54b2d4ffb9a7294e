# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P8 and P13: sudo's step-up: which users a code makes root, which it does not, which users it never affects, and how
an administrator switches it on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from case import case
from device import CLIENT, CODE, approving, offer
from device import QUESTION as ENTER
from environment import PASSWORD, SETTINGS, Environment, Host
from roles import ADMINS, TARGETPW, administrator
from testbed import Person
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE
from testbed.machine import wait_for
from testbed.terminal import Terminal

SWITCHED_ON = f"[DeviceSignIn]\nClientID={CLIENT}\nServices=login sudo\n"
SUDOERS = "/etc/sudoers.d/entralogin"
QUESTION = "press Enter to get a code for sudo"
PROMPT = r"\$ \Z"


@contextmanager
def stepping_up(env: Environment, name: str, settings: str = SWITCHED_ON) -> Iterator[Host]:
    """A machine where sudo asks for a code, switched on as devices.md describes."""
    with env.fresh(name, settings=settings) as host:
        for service in ("sudo", "sudo-i"):
            offer(host, service)
        host.machine.must(CONFIGURE, "--enable")
        host.stamped()
        yield host


def in_shell(host: Host, person: Person, act: Callable[[Terminal], Any]) -> Any:
    """Calls `act` at the prompt of the person's own shell, at a terminal over SSH."""
    argv = person.argv("-p", str(host.port), "-tt", f"{person.login}@127.0.0.1", "PS1='$ ' exec sh")
    terminal = Terminal(("/usr/bin/ssh", *argv[1:]))
    try:
        terminal.expect(PROMPT)
        return act(terminal)
    finally:
        terminal.close()


def asked(terminal: Terminal, command: str) -> str:
    """Types a command; returns the code that is shown."""
    terminal.type(command)
    terminal.expect(QUESTION)
    terminal.type("")
    return terminal.expect(CODE)[2]


def broken_off(terminal: Terminal) -> None:
    """Presses Ctrl-C until the prompt is there: sudo misses one that comes after its question but before it reads."""
    for _ in range(8):
        terminal.press("\x03")
        with suppress(TimeoutError):
            terminal.expect(PROMPT, limit=3)
            return
    raise TimeoutError(f"Ctrl-C does not end it: {terminal.shown[-500:]!r}")


def is_awaited(record: dict[str, str]) -> bool:
    """Whether the record is that of a sign-in that was not cancelled."""
    return "waits no more" not in record.get("ENTRALOGIN_DETAIL", "")


def ends(terminal: Terminal) -> str:
    """Cancels the repeated question, up to the next prompt; returns what was shown."""
    start = len(terminal.shown)
    terminal.expect(QUESTION)
    broken_off(terminal)
    return terminal.shown[start:]


@case("P1", "step-up: an administrator's sudo asks the user who runs it for a code, whatever the target; once a while")
def granted(env: Environment) -> str:
    with stepping_up(env, "step-up") as host:
        person = administrator(env)

        def act(terminal: Terminal) -> str:
            for command, who in (("sudo id -un", "root"), ("sudo -k -u lisa id -un", "lisa"),
                                 ("sudo -k -i id -un", "root")):
                code = asked(terminal, command)
                approving(env, person)(code)
                terminal.expect(rf"\n{who}\n")
                terminal.expect(PROMPT)
            # In this terminal, sudo remembers the authentication.
            terminal.type("sudo id -un; sudo -n id -u")
            terminal.expect(r"\nroot\n0\n")
            terminal.expect(PROMPT)
            return code

        mark = host.journal.mark()
        code = in_shell(host, person, act)
        object_id = env.testbed.directory.principals[env.key_of(person)].object_id
        record = host.journal.wait(mark, event="device-sign-in", user=person.login, decision="allow")
        equal((record["ENTRALOGIN_SERVICE"], record["ENTRALOGIN_OBJECT_ID"]), ("sudo", object_id), "the record")
        opened = [r for r in host.journal.since(mark)
                  if r.get("ENTRALOGIN_EVENT") == "session-opened" and r.get("ENTRALOGIN_SERVICE") != "sshd"]
        equal(opened, [], "Entra users' sessions in sudo")
        require(code not in host.service.output(), "the code is in the log")
        # In another session, sudo has to ask again.
        require("password is required" in host.ssh(person, "sudo -n id -u").err, "sudo -n in another session")
    return "root, lisa and root again; then sudo remembers"


@case("P8", "step-up: no code, a declined, late or another's, a role that is gone, Entra away: not root, and told why")
def refused(env: Environment) -> str:
    with stepping_up(env, "no-step-up") as host:
        person, other = administrator(env), administrator(env)

        def no(terminal: Terminal, then: Callable[[str], Any], words: str) -> str:
            mark = host.journal.mark()
            then(asked(terminal, "sudo -k id -u"))
            terminal.expect(words, limit=30)
            # A cancelled sign-in gets a record of its own, when the daemon next looks for its process.
            record = host.journal.wait(mark, is_awaited, event="device-sign-in", decision="deny", service="sudo")
            require("\n0\n" not in ends(terminal), f"root: {terminal.shown}")
            return str(record["ENTRALOGIN_REASON"])

        def act(terminal: Terminal) -> list[str]:
            seen = [no(terminal, lambda code: env.azure.post("decline", user_code=code), "declined"),
                    no(terminal, approving(env, other), "another user than")]
            with env.azure.fault("code-lifetime", "signin", value=2):
                seen.append(no(terminal, lambda code: None, "in time"))
            with env.azure.fault("refuse", "signin"):
                terminal.type("sudo -k id -u")
                terminal.expect(QUESTION)
                terminal.type("")
                terminal.expect("could not be reached", limit=30)
                ends(terminal)
            terminal.type("sudo -k id -u")
            terminal.expect(QUESTION)
            terminal.type("hunter2")
            terminal.expect("you have no password here")
            ends(terminal)
            # The person cancels the sign-in.
            asked(terminal, "sudo -k id -u")
            broken_off(terminal)
            env.withdraw(person, role="Virtual Machine Administrator Login")
            host.flush()
            seen.append(no(terminal, approving(env, person), "Virtual Machine Administrator Login"))
            require("\n0\n" not in terminal.shown, f"root: {terminal.shown}")
            return seen

        seen = in_shell(host, person, act)
        equal(seen, ["device-declined", "wrong-name", "device-expired", "administrator-role-needed"], "reasons")
    return ", ".join(seen)


def refused_at_once(host: Host, person: Person, command: str, words: str) -> None:
    outcome = host.ssh(person, command)
    require(not outcome.ok and outcome.out == "" and words in outcome.err, f"{command}: {outcome.text}")


@case("P8", "step-up: without a terminal or a conversation, or about another: refused at once, and Entra is not asked")
def nobody_to_ask(env: Environment) -> str:
    with stepping_up(env, "unasked") as host:
        person = administrator(env)
        in_shell(host, person, lambda terminal: None)
        env.azure.forget_requests()
        refused_at_once(host, person, "sudo -n id -u", "password is required")
        refused_at_once(host, person, "sudo id -u", "there is no terminal to show it on")
        refused_at_once(host, person, "echo | sudo -S id -u", "there is no terminal to show it on")
        refused_at_once(host, person, "ln -s /usr/bin/sudo /tmp/sshd; echo | /tmp/sshd -S id -u", "calls itself sshd")
        for setting in ("targetpw", "rootpw", "runaspw"):
            host.machine.write(TARGETPW, f"Defaults:%{ADMINS} {setting}\n", 0o440)
            refused_at_once(host, person, "echo | sudo -S id -u", "sudo asks about another user than you")
        host.machine.write(TARGETPW, f"Defaults:%{ADMINS} noninteractive_auth\n", 0o440)

        def unanswered(terminal: Terminal) -> None:
            terminal.type("sudo -n id -u; echo ended $?")
            terminal.expect("ended [1-9]")
            require("\n0\n" not in terminal.shown, f"root: {terminal.shown}")
            # In the background sudo stops, as it would for a password, until it is brought to the foreground.
            terminal.type("sudo -k; set -m; sudo id -un & wait; jobs")
            terminal.expect("Stopped")
            terminal.type("fg")
            terminal.expect(QUESTION)
            broken_off(terminal)

        in_shell(host, person, unanswered)
        equal(host.requests("signin"), [], "the daemon's questions to Entra")
    return "twelve ways, and Entra heard of none of them"


@case("P8",
      "step-up with the daemon frozen or stopped: an Entra user is refused, and local users and root are not affected")
def without_daemon(env: Environment) -> str:
    with stepping_up(env, "stepless") as host:
        person = administrator(env)
        with_password = "sudo -k; sudo -S -p '' id -u"

        def local() -> None:
            outcome = host.ssh(env.lisa, with_password, input=PASSWORD + "\n")
            require((outcome.out, outcome.err) == ("0\n", ""), f"lisa: {outcome.text}")
            outcome = host.ssh(env.lisa, with_password, input="wrong\n")
            require(outcome.out == "" and "Entra" not in outcome.text and "entralogin" not in outcome.text, outcome.text)
            equal(host.ssh(env.root, "sudo -u lisa sudo -n -k; sudo id -u").out, "0\n", "root")

        def act(terminal: Terminal) -> None:
            for stop, go in ((host.service.freeze, host.service.thaw), (host.service.stop, host.begin)):
                stop()
                try:
                    local()
                    terminal.type("sudo -k id -u")
                    terminal.expect(QUESTION)
                    terminal.type("")
                    terminal.expect("entralogind does not answer", limit=30)
                    ends(terminal)
                finally:
                    go()
            require("\n0\n" not in terminal.shown, f"root: {terminal.shown}")

        local()
        in_shell(host, person, act)
    return "frozen and stopped"


def holds_prompts(login: str) -> str:
    """Opens, as a local user, as many prompts of su for that name as the daemon allows; returns what the next one says."""
    prompts = []
    for _ in range(3):
        prompts.append(Terminal(("/bin/su", login)))
        prompts[-1].expect(ENTER)
        prompts[-1].type("")
        prompts[-1].expect(CODE)
    prompts.append(Terminal(("/bin/su", login)))
    prompts[-1].expect(ENTER)
    prompts[-1].type("")
    line = prompts[-1].expect(r"[^\n]*Too many[^\n]*")[0]
    Path("/tmp/held").write_text("")
    wait_for(Path("/tmp/enough").exists, "the administrator's sudo", 90)
    for prompt in prompts:
        prompt.close()
    return line


@case("P13", "step-up: prompts that another user holds under an administrator's name take none of the places of their sudo",
      attack="W3")
def places(env: Environment) -> str:
    with stepping_up(env, "places", SWITCHED_ON.replace("login sudo", "su sudo")) as host:
        offer(host, "su")
        person = administrator(env)
        admitted(host.ssh(person, "true"))
        holding = env.aside(host.machine.inside, lambda: holds_prompts(person.login), "lisa", 180)
        try:
            wait_for(lambda: host.machine.path("/tmp/held").exists() or holding.done(), "lisa's prompts", 90)

            def act(terminal: Terminal) -> None:
                approving(env, person)(asked(terminal, "sudo id -un"))
                terminal.expect(r"\nroot\n")

            in_shell(host, person, act)
        finally:
            host.machine.write("/tmp/enough", "")
        line: str = holding.result()
    return f"root by a code, while lisa reads: {line.strip()}"


def finding(host: Host, name: str) -> tuple[str, str]:
    """Severity and text of doctor's finding of this id; empty if there is none."""
    found = [f for f in json.loads(host.tool("--json", "doctor").out)["findings"] if f["id"] == name]
    return (found[0]["severity"], found[0]["found"]) if found else ("", "")


@case("P2",
      "step-up is switched on by the settings, entralogin's line and setup, in that order; doctor names what is missing")
def switching(env: Environment) -> str:
    with env.fresh("switching") as host:
        machine, person = host.machine, administrator(env)
        equal(host.ssh(person, "sudo -n id -u").out, "0\n", "sudo before")
        before = machine.read(SUDOERS)
        machine.write(SETTINGS, SWITCHED_ON)
        host.service.restart()
        seen = [finding(host, "pam.sudo.auth")]
        require(seen[-1][0] == "error" and "asks for no code" in seen[-1][1], f"{seen}")
        require("step-up does not happen" in finding(host, "sudoers.step-up")[1], "NOPASSWD is not named")
        outcome = machine.run(CONFIGURE, "--enable")
        require(not outcome.ok and "/etc/pam.d/sudo /etc/pam.d/sudo-i" in outcome.text, f"setup: {outcome.text}")
        equal(machine.read(SUDOERS), before, "sudoers without our lines")
        for service in ("sudo", "sudo-i"):
            offer(host, service)
        require("step-up does not happen" in finding(host, "sudoers.step-up")[1], "NOPASSWD is not named")
        machine.must(CONFIGURE, "--enable")
        require(" PASSWD: ALL" in machine.read(SUDOERS) and "NOPASSWD" not in machine.read(SUDOERS), "sudoers")
        equal([finding(host, name)[0] for name in ("pam.sudo.auth", "pam.sudo-i.auth", "sudoers.step-up")],
              ["good", "good", ""], "findings")

        def spoilt(terminal: Terminal) -> None:
            """Overrides the rule in another file, while an administrator is signed in: doctor asks sudo about that account."""
            for rule, words in ((f"Defaults:%{ADMINS} !authenticate\n", "!authenticate"),
                                (f"Defaults:%{ADMINS} targetpw\n", "targetpw"),
                                (f"%{ADMINS} ALL=(ALL) NOPASSWD: ALL\n", "asks administrators for nothing"),
                                (f"%{ADMINS} ALL=(root) NOPASSWD: /usr/bin/id\n", "some commands")):
                machine.write(TARGETPW, rule, 0o440)
                require(words in finding(host, "sudoers.step-up")[1], f"{rule}: {finding(host, 'sudoers.step-up')}")
            machine.remove(TARGETPW)
            equal(finding(host, "sudoers.step-up"), ("", ""), "when it is gone")

        in_shell(host, person, spoilt)
        machine.write(SETTINGS, SWITCHED_ON.replace("login sudo", "login"))
        machine.must(CONFIGURE, "--enable")
        equal(machine.read(SUDOERS), before, "sudoers when it is off again")
        host.service.restart()
        equal(host.ssh(person, "sudo -n id -u").out, "0\n", "sudo afterwards")
    return seen[0][1]
