# SPDX-License-Identifier: Apache-2.0
"""ID tokens as Entra signs them (azure.md, "Sign-in with a code"), and wrong ones if a test requests them."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from .directory import Principal
from .signingkeys import SigningKeys
from .sshkeys import base64url
from .tls import openssl


def identity_token(keys: SigningKeys, person: Principal, client_id: str, tenant: str, issuer: str, now: int,
                   changes: dict[str, Any]) -> str:
    """A token that the current key signs with RS256. `changes` may have `claims` and `header` (members to replace; null: to
    leave out) and `sign`: stranger (a key that is published for another tenant), stranger-as-entra (that key, with the
    current key's id), none, or hmac (with the public key as the secret)."""
    claims = {
        "ver": "2.0", "iss": issuer, "sub": hashlib.sha256(person.object_id.encode()).hexdigest(), "aud": client_id,
        "exp": now + 3900, "iat": now - 300, "nbf": now - 300, "name": person.display_name, "oid": person.object_id,
        "preferred_username": person.sign_in_name, "tid": tenant, "uti": "simulator",
    } | changes.get("claims", {})
    how = changes.get("sign", "")
    key = keys.stranger if how.startswith("stranger") else keys.current
    name = keys.key_id(key)
    if how == "stranger-as-entra":
        name = keys.key_id(keys.current)
    algorithm = {"none": "none", "hmac": "HS256"}.get(how, "RS256")
    header = {"typ": "JWT", "alg": algorithm, "kid": name} | changes.get("header", {})
    body = ".".join(base64url(json.dumps({k: v for k, v in part.items() if v is not None}).encode())
                    for part in (header, claims))
    return f"{body}.{_signature(key, body.encode(), how)}"


def _signature(key: Path, body: bytes, how: str) -> str:
    if how == "none":
        return ""
    if how == "hmac":
        secret = openssl("pkey", "-in", key.with_name(key.name + ".pem"), "-pubout")
        return base64url(hmac.new(secret, body, hashlib.sha256).digest())
    return base64url(openssl("dgst", "-sha256", "-sign", key.with_name(key.name + ".pem"), input=body))
