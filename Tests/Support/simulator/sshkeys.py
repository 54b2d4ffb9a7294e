# SPDX-License-Identifier: Apache-2.0
"""Converts RSA keys between their forms: PEM file, OpenSSH line, JSON Web Key."""

from __future__ import annotations

import base64
import fcntl
import struct
import subprocess
from pathlib import Path


def ssh_keygen(*arguments: str | Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(["ssh-keygen", *map(str, arguments)], capture_output=True, text=True, env=environment,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ssh-keygen: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def make_key(path: Path, kind: str = "rsa", bits: int = 2048) -> Path:
    """Makes a key pair without passphrase at `path` and `path`.pub, unless it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two testbeds may share a folder of kept keys
        if not path.exists():
            size = ["-b", str(bits)] if kind == "rsa" else []
            ssh_keygen("-q", "-t", kind, *size, "-N", "", "-C", path.name, "-f", path)
    return path


def public_line(path: Path) -> str:
    return path.with_name(path.name + ".pub").read_text().strip()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwk_numbers(line: str) -> dict[str, str]:
    """The members kty, n and e of the RSA key in an OpenSSH public key line."""
    kind, exponent, modulus = _strings(base64.b64decode(line.split()[1]))
    if kind != b"ssh-rsa":
        raise ValueError("not an RSA key")
    return {"kty": "RSA", "n": base64url(modulus.lstrip(b"\0")), "e": base64url(exponent.lstrip(b"\0"))}


def line_from_jwk(jwk: dict[str, str]) -> str:
    """The OpenSSH public key line of an RSA JSON Web Key, as in the form field req_cnf."""
    if jwk.get("kty") != "RSA":
        raise ValueError("req_cnf is not an RSA key")
    exponent, modulus = (_positive(from_base64url(jwk[m])) for m in ("e", "n"))
    blob = b"".join(struct.pack(">I", len(p)) + p for p in (b"ssh-rsa", exponent, modulus))
    return "ssh-rsa " + base64.b64encode(blob).decode()


def _positive(number: bytes) -> bytes:
    return b"\0" + number if number[:1] >= b"\x80" else number


def _strings(blob: bytes) -> list[bytes]:
    found = []
    while blob:
        (length,) = struct.unpack(">I", blob[:4])
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found
