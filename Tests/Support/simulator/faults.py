# SPDX-License-Identifier: Apache-2.0
"""Faults by name, switched while the simulator runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

ENDPOINTS = ("imds", "token", "keys", "signin", "pas", "arm", "graph", "himds", "proxy", "dns")

# What each fault does, and what its value means.
FAULTS = {
    "latency": "answers after VALUE milliseconds (100)",
    "throttle": "429 with Retry-After: VALUE seconds (1)",
    "server-error": "status VALUE (500)",
    "status": "status VALUE (403) with an empty body",
    "cut-body": "announces the whole body, sends half of it, closes",
    "wrong-json": "200 with VALUE as the body; without a value: JSON of another shape",
    "huge-body": "200 with VALUE megabytes (8) of JSON text",
    "redirect": "302 to VALUE (http://127.0.0.1:9/)",
    "refused-identity": "VALUE (403) for our own identity",
    "refusal": "403 with VALUE as the body; without a value in the form of Azure's policy decision point",
    "silent": "accepts, reads the request, never answers",
    "refuse": "resets the connection",
    "wrong-tls": "a server certificate of a CA that nobody trusts, on new connections",
    "wrong-host": "a server certificate for another host, on new connections",
    "old-tls": "TLS 1.1 and older only, on new connections",
    "drip": "a byte of the body every VALUE milliseconds (100)",
    "metadata-limits": "the limits of one machine: 5 requests a second; identity 20 a second, 5 at once; each takes VALUE "
    "milliseconds (0) (imds)",
    "no-identity": "IMDS has no system-assigned identity (token endpoint)",
    "missing-application": "the tenant has no service principal for the PAS audience (token endpoint)",
    "token-lifetime": "managed-identity tokens live VALUE seconds (60)",
    "clock-skew": "Azure's clock is VALUE seconds (600) ahead of the machine's, for certificates, tokens and Date",
    "time-to-live": "checkaccess answers with timeToLiveInMs VALUE",
    "one-action": "checkaccess leaves the second action out of its answer",
    "twice-action": "checkaccess answers the first action twice",
    "says-no": "checkaccess answers NotAllowed to everything",
    "expired-token": "the caller's token has expired (pas, arm, graph)",
    "other-object": "the answer is about another object than the one that was asked about (graph)",
    "pages": "lists of assignments come in pages of VALUE (1) elements (arm)",
    "thin-keys": "a key document leaves out the key that signs now; VALUE: tenant or common, else both (keys)",
    "other-role-host": "the OpenID configuration names VALUE (https://pas.other.example) as the role service (keys)",
    "bad-key": "the Arc challenge's key file is wrong: VALUE is link, owner, writable, size, suffix, folder, header, "
    "absent or stale",
    "slow-down": "a code's next questions come too often (signin)",
    "code-lifetime": "codes are good for VALUE seconds (signin)",
    "id-token": "ID tokens are wrong: VALUE has claims, header, sign (signin; identitytokens.py)",
    "every-other": "each second question for the address of a name fails (dns)",
}


@dataclass
class Fault:
    name: str
    endpoint: str
    value: Any = None
    remaining: int | None = None  # requests it still applies to; None: until cleared


class Faults:
    def __init__(self) -> None:
        self._active: dict[tuple[str, str], Fault] = {}
        self._changed = threading.Condition()

    def set(self, name: str, endpoint: str = "*", value: Any = None, times: int | None = None) -> None:
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}; there are: {', '.join(FAULTS)}")
        if endpoint != "*" and endpoint not in ENDPOINTS:
            raise ValueError(f"no endpoint {endpoint!r}; there are: {', '.join(ENDPOINTS)}")
        with self._changed:
            self._active[name, endpoint] = Fault(name, endpoint, value, times)
            self._changed.notify_all()

    def clear(self, name: str | None = None, endpoint: str | None = None) -> None:
        with self._changed:
            self._active = {
                k: f
                for k, f in self._active.items()
                if (name not in (None, f.name)) or (endpoint not in (None, f.endpoint))
            }
            self._changed.notify_all()

    def _of(self, name: str, endpoint: str) -> Fault | None:
        """A fault for every endpoint does not apply to the simulator's own control endpoint."""
        return self._active.get((name, endpoint)) or (None if endpoint == "control" else self._active.get((name, "*")))

    def take(self, name: str, endpoint: str = "*") -> Fault | None:
        """The fault if it is active for the endpoint; counts one use of it."""
        with self._changed:
            fault = self._of(name, endpoint)
            if fault is not None and fault.remaining is not None:
                fault.remaining -= 1
                if fault.remaining <= 0:
                    del self._active[fault.name, fault.endpoint]
            return fault

    def value(self, name: str, default: float, endpoint: str = "*") -> float | None:
        """The value of a lasting condition (clock, token lifetime), or None when it is not active."""
        with self._changed:
            fault = self._of(name, endpoint)
            return None if fault is None else float(default if fault.value is None else fault.value)

    def named(self, name: str, endpoint: str) -> Any:
        """The value of an active fault; does not count as a use of it."""
        with self._changed:
            fault = self._of(name, endpoint)
            return None if fault is None else fault.value

    def wait_until_cleared(self, name: str, endpoint: str, limit: float = 120) -> None:
        def gone() -> bool:
            return (name, endpoint) not in self._active and (name, "*") not in self._active

        with self._changed:
            self._changed.wait_for(gone, limit)

    def listing(self) -> list[dict[str, Any]]:
        with self._changed:
            return [vars(f).copy() for f in self._active.values()]
