# SPDX-License-Identifier: Apache-2.0
"""Entra's signing keys: those that sign certificates, and the key set that Entra publishes (azure.md, "CA keys")."""

from __future__ import annotations

import base64
import hashlib
import threading
from pathlib import Path
from typing import Any

from .sshkeys import base64url, jwk_numbers, make_key, public_line, ssh_keygen
from .tls import openssl


class SigningKeys:
    """The newest key signs; older ones stay published until they are retired."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._paths = [make_key(folder / "entra-1")]

    @property
    def current(self) -> Path:
        with self._lock:
            return self._paths[-1]

    @property
    def stranger(self) -> Path:
        """A CA that the machine does not trust."""
        return make_key(self._folder / "stranger")

    def key_id(self, key: Path) -> str:
        """The `kid` under which a key is published."""
        return str(_published(key)["kid"])

    def published_stranger(self, issuer: str, instance: str) -> dict[str, Any]:
        return {**_published(self.stranger), "issuer": issuer, "cloud_instance_name": instance}

    def rotate(self) -> None:
        fresh = make_key(self._folder / f"entra-{len(self._paths) + 1}")
        with self._lock:
            self._paths.append(fresh)

    def retire_old(self) -> None:
        with self._lock:
            self._paths = self._paths[-1:]

    def restore(self) -> None:
        """Goes back to the first key alone, as at the start."""
        with self._lock:
            self._paths = [make_key(self._folder / "entra-1")]

    def lines(self) -> list[str]:
        with self._lock:
            return [public_line(p) for p in reversed(self._paths)]

    def published(self, issuer: str, instance: str, is_thin: bool = False) -> list[dict[str, Any]]:
        """Newest first. A thin set lacks the key that signs now; if that is the only key, the set has an older one instead."""
        with self._lock:
            paths = list(reversed(self._paths))
        if is_thin:
            paths = paths[1:] or [make_key(self._folder / "entra-0")]
        return [{**_published(p), "issuer": issuer, "cloud_instance_name": instance} for p in paths] + [_ELLIPTIC]


def _published(path: Path) -> dict[str, Any]:
    der_path = path.with_name(path.name + ".der")
    if not der_path.exists():
        private = path.with_name(path.name + ".pem")
        private.touch(mode=0o600)
        private.write_bytes(path.read_bytes())
        ssh_keygen("-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f", private)
        openssl("req", "-x509", "-new", "-key", private, "-days", "1825", "-outform", "DER", "-out", der_path,
                "-subj", "/CN=accounts.accesscontrol.windows.net")
    der = der_path.read_bytes()
    thumbprint = base64url(hashlib.sha1(der).digest())
    return {**jwk_numbers(public_line(path)), "use": "sig", "kid": thumbprint, "x5t": thumbprint,
            "x5c": [base64.b64encode(der).decode()]}


# A key set may hold keys of kinds that sign no certificate; a reader must skip them.
_ELLIPTIC = {
    "kty": "EC", "use": "sig", "crv": "P-256", "kid": "elliptic",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}
