# SPDX-License-Identifier: Apache-2.0
"""The command line: `python3 -m simulator --help`, run from Tests/Support."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from . import contoso
from .azure import SimulatedAzure
from .certificates import Template, sign
from .client import CONTROL_PORT, SimulatorControl
from .faults import ENDPOINTS, FAULTS
from .signingkeys import SigningKeys
from .simulator import Addresses, Simulator


def main() -> int:
    given = _parser().parse_args()
    result = given.run(given)
    if result is not None:
        print(result if isinstance(result, str) else json.dumps(result, indent=2))
    return 0


def _serve(given: argparse.Namespace) -> None:
    azure = SimulatedAzure(given.state, given.cloud, given.numbered, given.keys)
    addresses = Addresses.anywhere() if given.anywhere else Addresses()
    simulator = Simulator(azure, addresses, given.arc_tokens)
    simulator.start()
    # A test waits for this line: it means that all endpoints listen, and names their ports.
    print(json.dumps({"ports": simulator.ports(), "authority": str(azure.transport.authority)}), flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)


def _certificate(given: argparse.Namespace) -> str:
    keys = SigningKeys(given.keys)
    person = contoso.directory(given.numbered).principals[given.who]
    template = Template.entra(person, given.tenant)
    changes: dict[str, object] = {
        "omitted": frozenset(given.omit), "extensions": dict(e.split("=", 1) for e in given.extension),
        "critical_options": dict(e.split("=", 1) for e in given.critical), "host": given.host,
    }
    if given.principal is not None:
        changes["principals"] = tuple(p for p in given.principal if p)
    if given.key_id is not None:
        changes["key_id"] = given.key_id
    template = replace(template, **changes).shifted(given.shift)  # type: ignore[arg-type]
    authority = keys.stranger if given.ca == "stranger" else keys.current
    return sign(authority, given.public_key.read_text().strip(), template)


def _control(given: argparse.Namespace) -> SimulatorControl:
    return SimulatorControl(given.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description="A simulator of Azure for entralogin.")
    parser.add_argument("--port", type=int, default=CONTROL_PORT, help="control port of the running simulator")
    verbs = parser.add_subparsers(required=True)

    serve = verbs.add_parser("serve", help="run until SIGTERM")
    serve.add_argument("--state", type=Path, required=True, help="folder for keys, certificates and the request log")
    serve.add_argument("--keys", type=Path, help="folder for the signing keys, kept between runs")
    serve.add_argument("--cloud", default="AzurePublicCloud")
    serve.add_argument("--numbered", type=int, default=0, help="so many numbered people, user0@contoso.com and on")
    serve.add_argument("--anywhere", action="store_true", help="free loopback ports instead of the true addresses")
    serve.add_argument("--arc-tokens", type=Path, help="where the Arc challenge files go")
    serve.set_defaults(run=_serve)

    make = verbs.add_parser("certificate", help="make a certificate for a person, good or bad")
    make.add_argument("who", help="alice, bob, svc, …")
    make.add_argument("--keys", type=Path, required=True, help="folder of the signing keys: STATE/keys")
    make.add_argument("--public-key", type=Path, required=True)
    make.add_argument("--numbered", type=int, default=0)
    make.add_argument("--tenant", default=contoso.TENANT)
    make.add_argument("--ca", choices=("entra", "stranger"), default="entra")
    make.add_argument("--shift", type=int, default=0, help="seconds to move the validity by; -7200 is expired")
    make.add_argument("--principal", action="append", help="instead of the person's name; may repeat; empty for none")
    make.add_argument("--key-id")
    make.add_argument("--omit", action="append", default=[], choices=("oid", "tid", "displayname"))
    make.add_argument("--extension", action="append", default=[], metavar="NAME=VALUE")
    make.add_argument("--critical", action="append", default=[], metavar="NAME=VALUE")
    make.add_argument("--host", action="store_true", help="a host certificate")
    make.set_defaults(run=_certificate)

    meanings = "; ".join(f"{name}: {meaning}" for name, meaning in FAULTS.items())
    fault = verbs.add_parser("fault", help="switch a fault on", epilog=meanings)
    fault.add_argument("name", choices=FAULTS)
    fault.add_argument("endpoint", nargs="?", default="*", choices=("*", *ENDPOINTS))
    fault.add_argument("value", nargs="?")
    fault.add_argument("--times", type=int)
    fault.set_defaults(run=lambda g: _control(g).set_fault(g.name, g.endpoint, g.value, g.times))

    for verb, run, text in (
        ("clear", lambda g: _control(g).clear_faults(), "switch all faults off"),
        ("faults", lambda g: _control(g).post("faults"), "list the active faults"),
        ("requests", lambda g: _control(g).requests(), "what was asked so far"),
        ("rotate", lambda g: _control(g).rotate_keys(), "a new signing key"),
        ("retire", lambda g: _control(g).retire_old_keys(), "publish the newest signing key only"),
    ):
        verbs.add_parser(verb, help=text).set_defaults(run=run)

    for verb in ("assign", "withdraw"):
        change = verbs.add_parser(verb, help=f"{verb} a role")
        change.add_argument("who")
        change.add_argument("role", nargs="?" if verb == "withdraw" else None)
        change.add_argument("scope", nargs="?", help=", ".join(contoso.SCOPES))
        change.set_defaults(run=lambda g, verb=verb: _control(g).post(
            verb, who=g.who, **{k: v for k, v in (("role", g.role), ("scope", g.scope)) if v}))
    return parser


if __name__ == "__main__":
    sys.exit(main())
