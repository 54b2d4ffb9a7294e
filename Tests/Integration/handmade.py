# SPDX-License-Identifier: Apache-2.0
"""P4 and P13: certificates that Entra's own key has signed, but that OpenSSH's tools would not make."""

from __future__ import annotations

import base64
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from case import cases
from environment import Environment
from simulator import contoso
from simulator.directory import Principal
from simulator.sshkeys import public_line, ssh_keygen
from testbed.checks import equal, require

SUFFIX = "@sshservice.azure.net"
OTHER_TENANT = "11111111-1111-4111-8111-111111111111"
OTHER_OBJECT = "0b1ec700-0000-4000-8000-000000000001"
HOUR, MARK = 3600, "it-is-in"
Option = tuple[str, "str | bytes | None"]  # a str is encoded as a string inside the value; bytes are the whole value


def string(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(data)) + data


def options(pairs: Sequence[Option]) -> bytes:
    return b"".join(string(name) + string(b"" if value is None else value if isinstance(value, bytes) else string(value))
                    for name, value in pairs)


@dataclass
class Made:
    """The fields of a certificate (PROTOCOL.certkeys), with the values that Entra writes until a case changes them."""

    who: Principal
    public: str
    kind: str = "ssh-rsa-cert-v01@openssh.com"
    serial: int = 0
    type: int = 1
    nonce: bytes = b"n" * 32
    key_id: str = ""
    principals: list[str | bytes] = field(default_factory=list)
    begins: int = 0
    ends: int = 0
    critical: list[Option] = field(default_factory=list)
    extensions: list[Option] = field(default_factory=list)
    behind_extensions: bytes = b""
    reserved: bytes = b""
    signature: str = "rsa-sha2-256"
    authority: str = "entra-1"
    names_authority: str = "entra-1"
    tail: bytes = b""

    def __post_init__(self) -> None:
        now = int(time.time())
        self.key_id = f"{self.who.object_id}@{contoso.TENANT}"
        self.principals = [self.who.sign_in_name]
        self.begins, self.ends = now - 300, now + HOUR
        permits: list[Option] = [(f"permit-{name}", None) for name in ("agent-forwarding", "port-forwarding", "pty", "user-rc")]
        self.extensions = [("displayname" + SUFFIX, self.who.display_name), ("oid" + SUFFIX, self.who.object_id), *permits,
                           ("tid" + SUFFIX, contoso.TENANT)]

    def changed(self, name: str, value: str | bytes) -> None:
        """Gives the extension oid, tid or displayname another value."""
        self.extensions = [(n, value if n == name + SUFFIX else v) for n, v in self.extensions]

    def line(self, keys: Path, scratch: Path) -> str:
        blob = base64.b64decode(self.public.split()[1])
        numbers = blob[4 + len("ssh-rsa"):]
        body = string(self.kind) + string(self.nonce) + numbers + struct.pack(">QI", self.serial, self.type)
        body += string(self.key_id) + string(b"".join(string(p) for p in self.principals))
        body += struct.pack(">QQ", self.begins % 2**64, self.ends % 2**64) + string(options(self.critical))
        body += string(options(self.extensions) + self.behind_extensions) + string(self.reserved)
        body += string(base64.b64decode(public_line(keys / self.names_authority).split()[1]))
        digest = {"rsa-sha2-256": "-sha256", "rsa-sha2-512": "-sha512", "ssh-rsa": "-sha1"}[self.signature]
        key = pem(keys / self.authority, scratch)
        signed = subprocess.run(["openssl", "dgst", digest, "-sign", key], input=body, capture_output=True, check=True).stdout
        return f"{self.kind} {base64.b64encode(body + string(string(self.signature) + string(signed)) + self.tail).decode()} x"


def pem(key: Path, scratch: Path) -> Path:
    """A copy of the private key in PEM, which openssl reads."""
    copy = scratch / f"{key.name}.pem"
    if not copy.exists():
        shutil.copy(key, copy)
        os.chmod(copy, 0o600)
        ssh_keygen("-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f", copy)
    return copy


def put(**changes: object) -> Callable[[Made], None]:
    """Changes fields; a callable value is called with the certificate."""
    def act(made: Made) -> None:
        for name, value in changes.items():
            setattr(made, name, value(made) if callable(value) else value)
    return act


def value(name: str, new: Callable[[str], str | bytes]) -> Callable[[Made], None]:
    return lambda made: made.changed(name, new(made.who.object_id if name == "oid" else contoso.TENANT))


def name(new: Callable[[str], list[str | bytes]]) -> Callable[[Made], None]:
    return put(principals=lambda made: new(made.who.sign_in_name))


def more(*pairs: Option, first: bool = False) -> Callable[[Made], None]:
    return put(extensions=lambda made: [*pairs, *made.extensions] if first else [*made.extensions, *pairs])


def now(seconds: int) -> int:
    return int(time.time()) + seconds


# The controls: changes that sshd and the daemon accept, because the identity stays the same.
TAKEN: dict[str, Callable[[Made], None]] = {
    "as Entra's": put(), "SHA-512": put(signature="rsa-sha2-512"), "a serial": put(serial=2**64 - 1),
    "reserved bytes": put(reserved=b"x"), "no nonce": put(nonce=b""), "the name in capitals": name(lambda n: [n.upper()]),
    "an extension that nobody knows": more(("a@b", None)), "the object id in capitals": value("oid", str.upper),
    "a source address that fits": put(critical=[("source-address", "127.0.0.0/8")]),
}
REFUSED: dict[str, Callable[[Made], None]] = {
    "another source address": put(critical=[("source-address", "10.0.0.0/8")]),
    "a critical option that nobody knows": put(critical=[("x@y", None)]),
    "two object ids, the same": lambda m: more(("oid" + SUFFIX, m.who.object_id))(m),
    "two object ids, another first": more(("oid" + SUFFIX, OTHER_OBJECT), first=True),
    "two object ids, another last": more(("oid" + SUFFIX, OTHER_OBJECT)),
    "two tenants": more(("tid" + SUFFIX, contoso.TENANT)), "pty twice": more(("permit-pty", None)),
    "no extensions": put(extensions=[]), "bytes behind the extensions": put(behind_extensions=b"\0\0"),
    "2,000 extensions": more(*[(f"z{i:05d}@b", None) for i in range(2000)]),
    "the object id bare": value("oid", str.encode), "the object id and a space": value("oid", lambda v: v + " "),
    "the object id and a NUL": value("oid", lambda v: v + "\0"), "the object id in braces": value("oid", "{{{}}}".format),
    "the object id and a second text": value("oid", lambda v: string(v) + string("x")),
    "OID for oid": put(extensions=lambda m: [(n.replace("oid@", "OID@"), v) for n, v in m.extensions]),
    "another tenant": lambda m: m.changed("tid", OTHER_TENANT),
    "another tenant in the key id": put(key_id=lambda m: f"{m.who.object_id}@{OTHER_TENANT}"),
    "another object in the key id": put(key_id=f"{OTHER_OBJECT}@{contoso.TENANT}"), "no key id": put(key_id=""),
    "a key id with escapes": put(key_id="a\nb\x1b[2J"),
    "a comma in the name": name(lambda n: [n + ",alice@contoso.com"]), "a dot behind the name": name(lambda n: [n + "."]),
    "a space before the name": name(lambda n: [" " + n]), "a NUL in the name": name(lambda n: [n + "\0x"]),
    "a second line in the name": name(lambda n: [n + "\nroot"]), "an empty name beside it": name(lambda n: ["", n]),
    "*": name(lambda n: ["*"]), "*@contoso.com": name(lambda n: ["*@contoso.com"]), "no name": name(lambda n: []),
    "a wide @": name(lambda n: [n.replace("@", "\uff20")]), "a Cyrillic o": name(lambda n: [n.replace("o", "\u043e")]),
    "a joiner behind the name": name(lambda n: [n + "\u200d"]), "a name that is no UTF-8": name(lambda n: [n.encode() + b"\xff"]),
    "for ever": put(begins=0, ends=-1), "from 1970": put(begins=0), "until the sign bit": put(ends=2**63),
    "for a month": put(ends=lambda _: now(30 * 24 * HOUR)), "for 25 hours": put(ends=lambda _: now(25 * HOUR)),
    "the end before the beginning": put(begins=lambda _: now(HOUR), ends=lambda _: now(-HOUR)),
    "from an hour on": put(begins=lambda _: now(HOUR)),
    "over since a second": put(ends=lambda _: now(-1)), "of no length": put(begins=lambda _: now(0), ends=lambda _: now(0)),
    "a host's": put(type=2), "of type 0": put(type=0), "of type 3": put(type=3), "a nonce of 4 KiB": put(nonce=b"n" * 4096),
    "SHA-1": put(signature="ssh-rsa"), "bytes behind the signature": put(tail=b"\0\0\0\1x"),
    "another name of the format": put(kind="rsa-sha2-256-cert-v01@openssh.com"),
    "a stranger's CA": put(authority="stranger", names_authority="stranger"),
    "a stranger's signature under Entra's key": put(authority="stranger"),
}


MADE = tuple((expected, label, change) for expected, table in ((True, TAKEN), (False, REFUSED))
             for label, change in table.items())


@cases("P4", "certificates made by hand and signed by Entra's key: names, times, options, extensions, formats",
       MADE, every=4, attack="S28")
def handmade(env: Environment, made_by_hand: Sequence[tuple[bool, str, Callable[[Made], None]]]) -> str:
    host, scratch, keys = env.vm, env.testbed.scratch, env.testbed.keys / "entra"
    seen: dict[bool, list[str]] = {True: [], False: []}
    for expected, label, change in made_by_hand:
        person = env.newcomer()
        made = Made(env.testbed.directory.principals[env.key_of(person)], public_line(person.identity))
        change(made)
        outcome = host.ssh(person.holding(made.line(keys, scratch), "handmade"), f"echo {MARK}")
        seen[expected] += [] if (MARK in outcome.out) == expected else [f"{label}: {outcome.text.strip()[:120]}"]
        require(expected or not host.enrolled(person.login), f"{label}: enrolled")
    equal(seen[False], [], "certificates that sign in, and should not")
    equal(seen[True], [], "certificates that should sign in")
    taken = sum(expected for expected, _, _ in made_by_hand)
    return f"{len(made_by_hand) - taken} refused, {taken} that change nothing of who it is taken"
