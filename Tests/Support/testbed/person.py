# SPDX-License-Identifier: Apache-2.0
"""A person with the stock ssh client, a key of their own and, for an Entra account, a certificate as `az ssh` gets it."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from simulator import contoso
from simulator.certificates import Template, sign
from simulator.clouds import PUBLIC, Cloud
from simulator.directory import Kind, Principal
from simulator.sshkeys import jwk_numbers, make_key, public_line

from .machine import Outcome, run

HOST = "127.0.0.1"
# The default key exchange of OpenSSH 9.2 costs 200 ms and would hide what is measured.
_OPTIONS = {
    "KexAlgorithms": "curve25519-sha256", "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes", "ConnectTimeout": "30",
}
_NOISE = "Warning: Permanently added"


@dataclass(frozen=True)
class Person:
    """`login` is the name given to ssh; `folder` is the client's home and holds the certificate and copied files. The key
    `identity` is elsewhere, because it is kept between runs."""

    login: str
    folder: Path
    identity: Path
    certificate: Path | None = None
    password: str | None = None

    def ssh(self, *command: str, port: int = 22, options: dict[str, str] | None = None, tty: bool = False,
            input: str | None = None, timeout: float = 60, flags: Sequence[str] = ()) -> Outcome:
        """`ssh login@host command`; the outcome's text also contains banners and messages. `flags` go before the host."""
        terminal = ["-tt"] if tty else []
        argv = self.argv("-p", str(port), *terminal, *flags, f"{self.login}@{HOST}", *command, options=options)
        return self._run(argv, input, timeout)

    def argv(self, *arguments: str, options: dict[str, str] | None = None) -> list[str]:
        """The stock client with this person's key and certificate, and no configuration file."""
        return ["ssh", *self._options(options), *arguments]

    def scp(self, source: str, target: str, port: int = 22) -> Outcome:
        """A path on the machine begins with a colon."""
        ends = [f"{self.login}@{HOST}{end}" if end.startswith(":") else end for end in (source, target)]
        return self._run(["scp", *self._options(None), "-P", str(port), *ends])

    def sftp(self, batch: str, port: int = 22) -> Outcome:
        return self._run(["sftp", *self._options(None), "-P", str(port), "-b", "-", f"{self.login}@{HOST}"], batch)

    def with_password(self, *command: str, port: int = 22) -> Outcome:
        """Signs in with only the password, which an askpass program types."""
        ask = self.folder / "askpass"
        ask.write_text(f"#!/bin/sh\necho '{self.password}'\n")
        ask.chmod(0o700)
        options = {"BatchMode": "no", "PreferredAuthentications": "password", "PubkeyAuthentication": "no",
                   "NumberOfPasswordPrompts": "1"}
        return self._run(["ssh", *self._options(options), "-p", str(port), f"{self.login}@{HOST}", *command],
                         environment={"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"})

    def holding(self, certificate: str, name: str = "other") -> Person:
        """The same person with another certificate."""
        path = self.folder / f"{name}-cert.pub"
        path.write_text(certificate + "\n")
        return replace(self, certificate=path)

    def _options(self, more: dict[str, str] | None) -> list[str]:
        chosen = _OPTIONS | {"BatchMode": "yes", "IdentityFile": str(self.identity)}
        if self.certificate is not None:
            chosen["CertificateFile"] = str(self.certificate)
        return ["-F", "none", *(p for n, v in (chosen | (more or {})).items() for p in ("-o", f"{n}={v}"))]

    def _run(self, argv: list[str], input: str | None = None, timeout: float = 60,
             environment: dict[str, str] | None = None) -> Outcome:
        clean = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "xterm"}
        outcome = run(argv, input, timeout, clean | (environment or {}))
        lines = [line for line in outcome.err.splitlines(keepends=True) if not line.startswith(_NOISE)]
        return replace(outcome, err="".join(lines))


def local_person(name: str, folder: Path, keys: Path, password: str) -> Person:
    identity = make_key(keys / f"local-{name}", "ed25519")
    folder.mkdir(parents=True, exist_ok=True)
    return Person(name, folder, identity, password=password)


def entra_person(who: Principal, folder: Path, keys: Path, authority: Path) -> Person:
    """Signs in to Entra as `az ssh cert` does, and keeps the certificate it gets."""
    identity = make_key(keys / ("numbered" if who.key.startswith("user") else f"person-{who.key}"))
    folder.mkdir(parents=True, exist_ok=True)
    person = Person(who.login, folder, identity)
    body = ask_entra(who, public_line(identity), authority)
    return person.holding(f"ssh-rsa-cert-v01@openssh.com {body} {who.login}", "entra")


def ask_entra(who: Principal, public_key: str, authority: Path, cloud: Cloud = PUBLIC) -> str:
    """The certificate's base64 body from the token endpoint; the kind of principal determines the grant type."""
    form: dict[str, str] = {
        "scope": f"{cloud.sign_in_scope}/.default", "token_type": "ssh-cert", "key_id": "testbed",
        "req_cnf": json.dumps({**jwk_numbers(public_key), "kid": "testbed"}),
    }
    if who.kind in (Kind.USER, Kind.GUEST):
        form |= {"grant_type": "refresh_token", "refresh_token": f"refresh.{who.key}", "client_id": "azure-cli"}
    else:
        form |= {"grant_type": "client_credentials", "client_id": who.client_id, "client_secret": who.client_secret}
    context = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection(cloud.login, timeout=30, context=context)
    connection.request("POST", f"/{contoso.TENANT}/oauth2/v2.0/token", urlencode(form),
                       {"Content-Type": "application/x-www-form-urlencoded"})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    if answer.get("token_type") != "ssh-cert":
        raise RuntimeError(f"Entra refuses {who.key} a certificate: {answer}")
    return str(answer["access_token"])


def forged(who: Principal, authority: Path, public_key: str, **changes: Any) -> str:
    """A person's certificate with some fields changed: expired, from another tenant, signed by another CA."""
    shift = int(changes.pop("shift", 0))
    template = replace(Template.entra(who, contoso.TENANT), **changes).shifted(shift)
    return sign(authority, public_key, template)
