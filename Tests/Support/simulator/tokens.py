# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens in the form of JSON Web Tokens. The simulator checks its own seal and the claims, not the header."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from typing import Any

from .sshkeys import base64url, from_base64url


class TokenRefused(Exception):
    """Why a bearer token is not accepted; the text is the error message of the answer."""


class Tokens:
    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._issued: list[str] = []

    def issue(self, audience: str, object_id: str, tenant_id: str, issuer: str, now: int, lifetime: int,
              cloud: str) -> str:
        claims = {
            "aud": audience, "iss": issuer, "iat": now, "nbf": now, "exp": now + lifetime, "oid": object_id,
            "sub": object_id, "tid": tenant_id, "ver": "1.0", "uti": secrets.token_hex(8), "cloud": cloud,
        }
        header = {"typ": "JWT", "alg": "HS256", "kid": "simulator"}
        body = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        token = f"{body}.{self._seal(body)}"
        self._issued.append(token)
        return token

    def note(self, token: str) -> None:
        """Adds a token that was issued elsewhere."""
        self._issued.append(token)

    @property
    def issued(self) -> list[str]:
        """Every token so far. A test searches for them where no token may occur."""
        return list(self._issued)

    def claims(self, authorization: str, audiences: Collection[str], now: float, cloud: str) -> dict[str, Any]:
        scheme, _, token = authorization.partition(" ")
        body, _, seal = token.rpartition(".")
        if scheme != "Bearer" or not hmac.compare_digest(seal, self._seal(body)):
            raise TokenRefused("The access token is missing or invalid.")
        claims: dict[str, Any] = json.loads(from_base64url(body.split(".")[1]))
        if claims["aud"] not in audiences:
            raise TokenRefused(f"The access token has the wrong audience '{claims['aud']}'.")
        if claims["cloud"] != cloud:
            raise TokenRefused(f"The access token was issued in {claims['cloud']}, this is {cloud}.")
        if not claims["nbf"] - 300 <= now < claims["exp"]:
            raise TokenRefused("The access token has expired or is not yet valid.")
        return claims

    def _seal(self, body: str) -> str:
        return base64url(hmac.new(self._secret, body.encode(), hashlib.sha256).digest())
