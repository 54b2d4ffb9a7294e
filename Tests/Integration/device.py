# SPDX-License-Identifier: Apache-2.0
"""P1, P4 and P8: sign-in with a code at a terminal: which users it admits, which it does not, and which it never affects."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from case import case, cases
from environment import PASSWORD, Environment, Host
from roles import ADMINS
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, require
from testbed.machine import run
from testbed.terminal import Terminal, at_terminal

CLIENT = "c11e0000-0000-4000-8000-0000000000dc"
SWITCHED_ON = f"[DeviceSignIn]\nClientID={CLIENT}\nServices=login su\n"
LINE = "auth [success=done ignore=ignore module_unknown=ignore default=die] pam_entralogin.so\n"
LOGIN = ("/bin/login",)
QUESTION, CODE = "press Enter", r"open (https://\S+) .*code ([0-9A-F]{8})"


def offer(host: Host, service: str) -> None:
    """Adds entralogin's auth line, before the lines that ask for a password."""
    path = f"/etc/pam.d/{service}"
    text = host.machine.read(path)
    require(text.count("@include common-auth") == 1, f"{path} is not as it was: {text}")
    host.machine.write(path, text.replace("@include common-auth", f"{LINE}@include common-auth"))
    host.stamped()


@contextmanager
def offered(env: Environment, name: str, *services: str, settings: str = SWITCHED_ON) -> Iterator[tuple[Host, Person]]:
    """A machine whose services offer a code, and a person who has signed in there over SSH."""
    with env.fresh(name, settings=settings) as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        # After a refusal, login waits three seconds, which no test needs.
        host.machine.must("sed", "-i", "s/delay=[0-9]*/delay=0/", "/etc/pam.d/login")
        for service in services:
            offer(host, service)
        yield host, person


def asks_for_code(terminal: Terminal, person: Person) -> str:
    """Types the name at login's prompt; returns the code that is shown."""
    terminal.expect("login: ")
    terminal.type(person.login)
    terminal.expect(QUESTION)
    terminal.type("")
    return terminal.expect(CODE)[2]


def shell(terminal: Terminal, command: str) -> str:
    """Runs a command in the open shell; returns its output."""
    terminal.expect(r"\$ ")
    terminal.type(f'echo "[$((6*7)):$({command})]"')
    return terminal.expect(r"\[42:([^\]]*)\]")[1]


def refused_line(env: Environment, host: Host, person: Person, then: Callable[[str], Any], pattern: str) -> str:
    """Tries to sign in at the console, where `then` gets the code. Requires a line with `pattern` and the correlation id of the
    refusal's record; returns the reason in that record."""

    def act(terminal: Terminal) -> str:
        then(asks_for_code(terminal, person))
        line = terminal.expect(rf"[^\n]*{pattern}[^\n]*\n", limit=30)[0].strip()
        terminal.expect("Login incorrect|login: ", limit=20)
        return line

    mark = host.journal.mark()
    line = at_terminal(host.machine, LOGIN, act)
    record = host.journal.wait(mark, event="device-sign-in", user=person.login, decision="deny")
    require(record["ENTRALOGIN_CORRELATION_ID"] in line, f"the person read {line!r}, the record is {record}")
    return str(record["ENTRALOGIN_REASON"])


@case("P1", "a code typed elsewhere opens a console's login: as the person, and with sudo for an administrator, at once")
def console(env: Environment) -> str:
    with offered(env, "console", "login") as (host, person):
        env.make_administrator(person)
        host.flush()

        def act(terminal: Terminal) -> str:
            code = asks_for_code(terminal, person)
            env.azure.post("approve", user_code=code, who=env.key_of(person))
            equal(shell(terminal, "id -un"), person.login, "who it is")
            require(ADMINS in shell(terminal, "id -Gn").split(), "the administrators' group in the first session")
            equal(shell(terminal, "sudo -n id -u"), "0", "sudo")
            terminal.type("exit")
            terminal.end()
            return code

        mark = host.journal.mark()
        code = at_terminal(host.machine, LOGIN, act)
        for event in ("device-sign-in", "account", "session-opened"):
            record = host.journal.wait(mark, event=event, user=person.login, decision="allow")
            equal(record["ENTRALOGIN_SERVICE"], "login", f"the service of {event}")
        host.journal.wait(mark, event="session-closed", user=person.login)
        require(code not in host.service.output(), "the code is in the log")
    return f"code {code}; records of sign-in, account stage and session"


TOKENS = 9


def wrong_tokens(env: Environment, other: Person) -> list[tuple[dict[str, Any], str]]:
    object_id = env.testbed.directory.principals[env.key_of(other)].object_id
    return [
        ({"sign": "none"}, "identity-token"), ({"sign": "hmac"}, "identity-token"),
        ({"sign": "stranger-as-entra"}, "identity-token"), ({"claims": {"tid": contoso.OTHER_TENANT}}, "wrong-tenant"),
        ({"claims": {"aud": "c11e0000-0000-4000-8000-0000000000dd"}}, "identity-token"),
        ({"claims": {"nonce": "x"}}, "identity-token"), ({"claims": {"exp": int(time.time()) - 1}}, "identity-token"),
        ({"claims": {"oid": object_id}}, "object-id-changed"),
        ({"claims": {"preferred_username": other.login}}, "wrong-name"),
    ]


@cases("P4", "a token unsigned, signed by a secret or a stranger, of another tenant, application or person: no shell",
       range(TOKENS), every=4)
def tokens(env: Environment, numbers: Sequence[int]) -> str:
    with offered(env, "tokens", "login") as (host, person):
        other = env.newcomer()
        wrong = wrong_tokens(env, other)
        equal(len(wrong), TOKENS, "wrong tokens")
        for changes, reason in (wrong[number] for number in numbers):
            with env.azure.fault("id-token", "signin", value=changes):
                seen = refused_line(env, host, person, approving(env, person), "Correlation id")
            equal(seen, reason, f"the reason for {changes}")
    return f"{len(numbers)} wrong tokens, each refused with its reason"


def approving(env: Environment, person: Person) -> Callable[[str], Any]:
    return lambda code: env.azure.post("approve", user_code=code, who=env.key_of(person))


@case("P1", "a code that is declined, late, or approved by another person or without the role: refused, and told why")
def refusals(env: Environment) -> str:
    with offered(env, "refusals", "login") as (host, person):
        def decline(code: str) -> None:
            env.azure.post("decline", user_code=code)

        other = env.newcomer()
        seen = [refused_line(env, host, person, decline, "declined"),
                refused_line(env, host, person, approving(env, other), "another user than")]
        with env.azure.fault("code-lifetime", "signin", value=2):
            seen.append(refused_line(env, host, person, lambda code: None, "in time"))
        env.withdraw(person)
        host.flush()
        seen.append(refused_line(env, host, person, approving(env, person), contoso.USER))
        equal(seen, ["device-declined", "wrong-name", "device-expired", "role-not-assigned"], "reasons")
    return ", ".join(seen)


@case("P8", "with the daemon frozen a local user's login asks nobody, and an Entra user is refused in time", deep=True)
def frozen(env: Environment) -> str:
    with offered(env, "frozen-console", "login") as (host, person):
        def local(terminal: Terminal) -> str:
            terminal.expect("login: ")
            terminal.type("lisa")
            terminal.expect("Password: ")
            terminal.type(PASSWORD)
            equal(shell(terminal, "id -un"), "lisa", "who it is")
            return terminal.shown

        def entra(terminal: Terminal) -> str:
            terminal.expect("login: ")
            terminal.type(person.login)
            terminal.expect(QUESTION)
            terminal.type("")
            return terminal.expect(r"[^\n]*does not answer", limit=20)[0]

        host.service.freeze()
        try:
            shown = at_terminal(host.machine, LOGIN, local)
            require("Entra" not in shown, f"lisa reads of us: {shown}")
            line = at_terminal(host.machine, LOGIN, entra)
        finally:
            host.service.thaw()
    return line.strip()


def pressing_enter(host: Host, person: Person) -> str:
    """Requires that a user who answers each of sshd's questions with Enter is refused; returns the questions."""
    asked = person.folder / "asked"
    asked.unlink(missing_ok=True)
    enter = person.folder / "enter"
    enter.write_text(f"#!/bin/sh\necho \"$1\" >>{asked}\necho\n")
    enter.chmod(0o700)
    options = {"BatchMode": "no", "PreferredAuthentications": "keyboard-interactive,password",
               "PubkeyAuthentication": "no", "NumberOfPasswordPrompts": "1"}
    outcome = run(person.argv("-p", str(host.port), f"{person.login}@127.0.0.1", "id -un", options=options),
                  environment={**os.environ, "SSH_ASKPASS": str(enter), "SSH_ASKPASS_REQUIRE": "force"})
    require(not outcome.ok and outcome.out == "", f"let in: {outcome.text}")
    questions = asked.read_text() if asked.exists() else ""
    require(QUESTION not in questions, f"a code is offered: {questions}")
    return questions


@case("P8", "another way, a name never seen, no terminal, sshd: no code is offered, and Entra is not asked")
def elsewhere(env: Environment) -> str:
    with offered(env, "elsewhere", "login", "su", "sshd") as (host, person):
        stranger = env.newcomer()
        env.azure.forget_requests()

        def another_way(terminal: Terminal) -> None:
            terminal.expect("login: ")
            terminal.type(person.login)
            terminal.expect(QUESTION)
            terminal.type("hunter2")
            terminal.expect("Password: ")

        def never_seen(terminal: Terminal) -> None:
            terminal.expect("login: ")
            terminal.type(stranger.login)
            terminal.expect("Password: ")
            require(QUESTION not in terminal.shown, "offered to somebody who never signed in")

        at_terminal(host.machine, LOGIN, another_way)
        at_terminal(host.machine, LOGIN, never_seen)
        outcome = host.machine.run("su", person.login, "-c", "id -un", user="lisa")
        require(not outcome.ok and "Entra" not in outcome.text, f"su without a terminal: {outcome.text}")
        pressing_enter(host, person)
        host.hidden_sshd("AuthenticationMethods keyboard-interactive:pam", "KbdInteractiveAuthentication yes")
        require("Password" in pressing_enter(host, person), "PAM of sshd asks for nothing: this proves nothing")
        equal(host.requests("signin"), [], "the daemon's questions to Entra")
        for service in ("sshd", "polkit-1", "cron"):
            path = "/etc/entralogin/entralogin.conf.d/60-more.conf"
            host.machine.write(path, f"[DeviceSignIn]\nServices=login {service}\n")
            outcome = host.machine.run("/usr/sbin/entralogind", "--check-config")
            require(not outcome.ok and service in outcome.text, f"Services={service} is taken: {outcome.text}")
            host.machine.remove(path)
    return "Entra heard of none of them; Services=sshd, polkit-1 or cron is a mistake"


@case("P1", "su to a person, by that person's code; off without ClientID")
def su(env: Environment) -> str:
    with offered(env, "su-code", "su") as (host, person):
        def act(terminal: Terminal) -> str:
            terminal.expect(QUESTION)
            terminal.type("")
            code = terminal.expect(CODE)[2]
            env.azure.post("approve", user_code=code, who=env.key_of(person))
            return shell(terminal, "id -un")

        equal(at_terminal(host.machine, ("/bin/su", person.login), act, user="lisa"), person.login, "who it is")
        host.machine.write("/etc/entralogin/entralogin.conf.d/60-off.conf", "[DeviceSignIn]\nClientID=\n")
        host.service.restart()

        def off(terminal: Terminal) -> None:
            terminal.expect(QUESTION)
            terminal.type("")
            terminal.expect("Password: ")

        at_terminal(host.machine, ("/bin/su", person.login), off, user="lisa")
    return "in as the person; without ClientID the password is asked for"
