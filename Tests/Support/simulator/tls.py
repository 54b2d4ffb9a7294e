# SPDX-License-Identifier: Apache-2.0
"""The simulator's own CA and server certificates for TLS, made with `openssl` at the first start in a state folder."""

from __future__ import annotations

import ssl
import subprocess
import warnings
from pathlib import Path

from .clouds import HOST_NAMES


def openssl(*arguments: str | Path, input: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=input, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


# The names and addresses by which tests outside the testbed, and clients of the proxies, reach the simulator.
_OURSELVES = ["DNS:localhost", "IP:127.0.0.1", "IP:127.20.0.8"]


class TransportIdentity:
    """A CA and one server certificate with the names of all Azure hosts. `faulty` has, by the fault's name, what a client must
    refuse: two certificates, and TLS versions that are too old."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = folder / "ca.pem"
        names = [n for hosts in HOST_NAMES.values() for n in hosts]
        self.context = self._pair(folder, "ca", "server", names)
        self.faulty = {
            "wrong-tls": self._pair(folder, "stranger", "distrusted", names),
            "wrong-host": self._pair(folder, "ca", "elsewhere", ["elsewhere.example"]),
            "old-tls": self._pair(folder, "ca", "server", names),
        }
        self.faulty["old-tls"].set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.faulty["old-tls"].minimum_version = ssl.TLSVersion.TLSv1
            self.faulty["old-tls"].maximum_version = ssl.TLSVersion.TLSv1_1

    def _pair(self, folder: Path, authority: str, server: str, names: list[str]) -> ssl.SSLContext:
        if not (folder / f"{authority}.pem").exists():
            _make_authority(folder, authority)
        if not (folder / f"{server}.pem").exists():
            _make_server(folder, authority, server, names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{server}.pem", folder / f"{server}.key")
        return context


def _make_key(path: Path) -> None:
    path.touch(mode=0o600)
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def _make_authority(folder: Path, name: str) -> None:
    _make_key(folder / f"{name}.key")
    openssl(
        "req", "-x509", "-new", "-key", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-days", "3650",
        "-subj", f"/CN=entralogin simulator {name}", "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )


def _make_server(folder: Path, authority: str, name: str, names: list[str]) -> None:
    alternatives = ",".join([f"DNS:{n}" for n in names] + _OURSELVES * (len(names) > 1))
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    _make_key(folder / f"{name}.key")
    request = openssl("req", "-new", "-key", folder / f"{name}.key", "-subj", f"/CN={names[0]}")
    certificate = openssl(
        "x509", "-req", "-CA", folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key",
        "-set_serial", "2", "-days", "3650", "-extfile", extensions, input=request,
    )
    (folder / f"{name}.pem").write_bytes(certificate)
