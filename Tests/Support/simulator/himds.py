# SPDX-License-Identifier: Apache-2.0
"""The metadata service of Azure Arc with its challenge file (azure.md, "Azure Arc")."""

from __future__ import annotations

import base64
import os
import secrets
import uuid
from pathlib import Path

from .azure import SimulatedAzure
from .imds import compute, identity_token
from .server import Reply, Request


class ArcMetadata:
    """`named` is the folder of the key files as the machine sees it; `folder` is where the simulator writes them."""

    def __init__(self, azure: SimulatedAzure, folder: Path, named: str = "/var/opt/azcmagent/tokens") -> None:
        self._azure = azure
        self.folder = folder
        self._named = named
        self._secrets: dict[str, str] = {}  # for each secret, what is wrong with its challenge, or "sound"

    def endpoint(self, request: Request) -> str:
        return "himds"

    def answer(self, request: Request) -> Reply:
        if request.headers.get("metadata", "").lower() != "true":
            return Reply.json({"error": "Bad request. Required metadata header not specified"}, 400)
        match request.path:
            case "/metadata/instance":
                return Reply.json({"compute": compute(self._azure, self._azure.machine.arc_resource_id)})
            case "/metadata/identity/oauth2/token":
                return self._token(request)
        return Reply.json({"error": "Not found"}, 404)

    def _token(self, request: Request) -> Reply:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic" and secret in self._secrets:
            reply = identity_token(self._azure, request)
            reply.remark = self._secrets.pop(secret)
            return reply
        fault = self._azure.faults.take("bad-key", "himds")
        wrong = "" if fault is None else str(fault.value)
        secret = base64.b64encode(secrets.token_bytes(30)).decode()
        name = f"{uuid.uuid4()}{'.txt' if wrong == 'suffix' else '.key'}"
        if wrong != "stale":
            self._secrets[secret] = wrong or "sound"
        self._place(name, secret, wrong)
        form = 'Basic realm="{}"' if wrong == "header" else "Basic realm={}"
        place = "/tmp" if wrong == "folder" else self._named
        return Reply(401, headers={"Www-Authenticate": form.format(f"{place}/{name}")})

    def _place(self, name: str, secret: str, wrong: str) -> None:
        """Writes the key file, with the folder's owner and group; with a fault, one that the daemon must not trust."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        if wrong == "absent":
            return
        if wrong == "link":
            path.symlink_to(f"{name}.real")
            path = self.folder / f"{name}.real"
        path.write_text(secret + (" " * 4096 if wrong == "size" else ""))
        path.chmod(0o666 if wrong == "writable" else 0o640)
        owner = self.folder.stat()
        os.chown(path, 1234 if wrong == "owner" else owner.st_uid, owner.st_gid)
