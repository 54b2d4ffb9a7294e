# SPDX-License-Identifier: Apache-2.0
"""The certificate factory: makes certificates like Entra's (azure.md, "The certificate") with `ssh-keygen`. A test can
replace any field."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from .directory import Principal
from .sshkeys import ssh_keygen

MINUTE = 60
_SUFFIX = "@sshservice.azure.net"
_PERMITS = ("X11-forwarding", "agent-forwarding", "port-forwarding", "pty", "user-rc")


@dataclass(frozen=True)
class Template:
    """The fields of a certificate. Tests make invalid ones with `dataclasses.replace`."""

    object_id: str
    tenant_id: str
    display_name: str
    principals: tuple[str, ...]
    not_before: int
    not_after: int
    key_id: str | None = None
    serial: int = 0
    omitted: frozenset[str] = frozenset()  # of "oid", "tid", "displayname"
    permits: tuple[str, ...] = _PERMITS
    extensions: dict[str, str] = field(default_factory=dict)
    critical_options: dict[str, str] = field(default_factory=dict)
    host: bool = False
    signature: str = "rsa-sha2-256"

    @staticmethod
    def entra(person: Principal, tenant_id: str, now: float | None = None) -> Template:
        """What Entra issues: valid from five minutes ago for 65 minutes, one principal, serial 0, no critical option."""
        start = int(time.time() if now is None else now)
        return Template(person.object_id, tenant_id, person.display_name, (person.sign_in_name,),
                        start - 5 * MINUTE, start + 60 * MINUTE)

    def shifted(self, seconds: int) -> Template:
        return replace(self, not_before=self.not_before + seconds, not_after=self.not_after + seconds)


def sign(authority: Path, public_key: str, template: Template) -> str:
    """The certificate line for an OpenSSH public key line, signed by the private key file `authority`."""
    with tempfile.TemporaryDirectory(prefix="certificate-") as folder:
        subject = Path(folder, "subject.pub")
        subject.write_text(public_key + "\n")
        kind = ["-t", template.signature] if template.signature else []
        ssh_keygen("-q", "-s", authority, *kind, *_options(template), subject,
                   environment={**os.environ, "TZ": "UTC"})
        return Path(folder, "subject-cert.pub").read_text().strip()


def _options(template: Template) -> list[str]:
    identity = {"oid": template.object_id, "tid": template.tenant_id, "displayname": template.display_name}
    extensions = {n + _SUFFIX: v for n, v in identity.items() if n not in template.omitted} | template.extensions
    key_id = template.key_id if template.key_id is not None else f"{template.object_id}@{template.tenant_id}"
    options = ["-I", key_id, "-z", str(template.serial)]
    options += ["-V", f"{_moment(template.not_before)}:{_moment(template.not_after)}"]
    if template.principals:
        options += ["-n", ",".join(template.principals)]
    if template.host:
        return [*options, "-h"]
    options += ["-O", "clear"]
    options += [part for permit in template.permits for part in ("-O", f"permit-{permit}")]
    options += [part for n, v in extensions.items() for part in ("-O", f"extension:{n}={v}")]
    options += [part for n, v in template.critical_options.items() for part in ("-O", f"critical:{n}={v}")]
    return options


def _moment(seconds: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))
