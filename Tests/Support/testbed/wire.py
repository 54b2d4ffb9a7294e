# SPDX-License-Identifier: Apache-2.0
"""Handmade frames of the protocol (Sources/Core/CWire/include/entralogin_wire.h), some of which no client of it sends."""

from __future__ import annotations

import re
import socket
import struct
from pathlib import Path

HEADER = Path(__file__).resolve().parents[3] / "Sources/Core/CWire/include/entralogin_wire.h"
CONTROL, PRINCIPALS = "/run/entralogin/control.sock", "/run/entralogin/principals.sock"


def _constants() -> dict[str, int]:
    found = re.findall(r"^#define ENTRALOGIN_([A-Z_]+) (0x[0-9a-f]+|[0-9]+)u\b", HEADER.read_text(), re.MULTILINE)
    return {name: int(value, 0) for name, value in found}


NUMBERS = _constants()
MAGIC, VERSION = NUMBERS["MAGIC"], NUMBERS["VERSION"]
STATUS = {value: name.removeprefix("STATUS_") for name, value in NUMBERS.items()
          if name.startswith("STATUS_") and value < 0x100}
_NO_ID = 0xFFFFFFFF


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def frame(opcode: int, payload: bytes, magic: int = MAGIC, version: int = VERSION, length: int | None = None) -> bytes:
    return struct.pack(">IHHI", magic, version, opcode, len(payload) if length is None else length) + payload


def requests(name: str = "alice@contoso.com") -> dict[str, bytes]:
    """A well-formed request of every verb, about `name`; ADD is about a name that cannot be an Entra account."""
    uid, home = struct.pack(">I", 1_900_000_000), string(f"/home/{name}")
    nobody, none16 = struct.pack(">I", _NO_ID), struct.pack(">H", 0)
    payloads = {
        "LOOK_UP_NAME": string(name) + string("sshd"),
        "CHECK_CERTIFICATE": string(name) + uid + home + string("ssh-rsa-cert-v01@openssh.com") + string("AAAA")
        + struct.pack(">I", 1),
        "AUTHORIZE": string("sudo") + string(name) + uid + home + string("") + nobody + none16 + string("")
        + string(""),
        "OPEN_SESSION": string("sshd") + string(name) + uid + uid + home + none16 + nobody + string("publickey x")
        + string("127.0.0.1"),
        "CLOSE_SESSION": string(name) + uid,
        "STATUS_REPORT": b"", "USERS": string(""), "EXPLAIN": string(name),
        "TEST_CERTIFICATE": string(name) + string("ssh-rsa-cert-v01@openssh.com AAAA"),
        "FLUSH": b"", "RETIRE": string(name), "SHOW_USER": string(name),
        "REBIND": string(name) + string("0b1ec700-0000-4000-8000-00000000dead"),
        "RENAME": string(name) + string(f"other-{name}"),
        "CHECK": string(name) + string(""), "SESSIONS": b"", "KEYS": b"",
        "SET_SHELL": string(name) + string("/bin/bash"), "SET_HOME": string(name) + string("/home/other"),
        "ADD": string("root") + string("0b1ec700-0000-4000-8000-00000000dead") + string(""),
    }
    return {verb: frame(NUMBERS[verb], payload) for verb, payload in payloads.items()}


def ask(path: str, data: bytes, limit: float = 5) -> str:
    """The name of the reply's status; "N bytes" if the reply is too short, "closed" or "silent" if there is none, or the
    class of the socket's error."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(limit)
        try:
            client.connect(path)
            client.send(data)
            reply = client.recv(1 << 17) or client.recv(1 << 17)  # recv may report the end too early: see receive_by
        except TimeoutError:
            return "silent"
        except OSError as error:
            return type(error).__name__
    if len(reply) < 14:
        return "closed" if not reply else f"{len(reply)} bytes"
    return STATUS.get(struct.unpack(">H", reply[12:14])[0], "unknown status")


def ask_all(path: str, name: str = "alice@contoso.com") -> dict[str, str]:
    """The reply to this process (`ask`) for every verb."""
    return {verb: ask(path, data) for verb, data in requests(name).items()}
