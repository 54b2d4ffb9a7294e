# SPDX-License-Identifier: Apache-2.0
"""States of the settings: each key with an invalid value, and valid values that may not fit the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from booted_environment import SETTINGS, BootedHost
from simulator.contoso import OTHER_TENANT
from state import State
from states_seen import ADMINISTRATOR
from testbed.installed import REPOSITORY

RESTARTED = "systemctl restart --no-block entralogind"
NO_ONE = "https://127.0.0.1:9"  # nothing listens there
STRANGE_ID = "deadbeef-0000-4000-8000-000000000000"
# Section, key, and values; some of them fit, and keep no user out.
UNFITTING: dict[str, dict[str, tuple[str, ...]]] = {
    "Azure": {
        "LoginEndpoint": (NO_ONE, "https://login.invalid"), "PolicyEndpoint": (NO_ONE, "https://pas.invalid"),
        "ResourceManagerEndpoint": (NO_ONE,), "GraphEndpoint": (NO_ONE,), "CheckAccountEnabled": ("yes",), "MetadataEndpoint": ("http://127.0.0.2",),
        "AccessCheckers": ("pas", "arm", "arm-roleassignments", "arm pas"), "ConfirmRefusals": ("no",),
        "TenantID": (OTHER_TENANT, STRANGE_ID), "ClientID": (STRANGE_ID,),
        "Proxy": ("http://127.0.0.1:9", "http://proxy.invalid:3128"), "NoProxy": ("contoso.com",),
        "CAFile": ("/nonexistent", "/etc/passwd", "/dev/null"),
    },
    "Keys": {
        "Sources": ("file", "imds", "imds jwks"), "File": ("/nonexistent",),
        "RevokedKeys": ("/nonexistent", "/etc/passwd", "/dev/null", "/etc"),
    },
    "Accounts": {
        "Domains": ("fabrikam.com", "contoso.com", "contoso.com fabrikam.com", "CONTOSO.COM"),
        "HomeTemplate": ("/nowhere/%n", "/proc/%n", "/home/%l", "/etc/passwd/%n", "/dev/null/%n"),
        "Shell": ("/bin/nonexistent", "/bin/false", "/usr/sbin/nologin", "/etc/passwd", "/bin/sh", "/home"),
        "UsersGroup": ("sudo", "others"), "AdministratorsGroup": ("sudo", "others"),
        "IDRange": ("1879049216-1879200000", "2000000000-2147352575"), "Enumerate": ("yes",),
        "SubordinateIDs": ("yes",), "SubordinateIDRange": ("524288-589823", "2147483648-4294901759"),
        "ProvisionalCallers": ("nothing", "sshd nscd"),
    },
    "Overrides": {
        "Home": ("*@contoso.com:/nowhere/%n", "*@contoso.com:/etc/passwd/%n", "*@contoso.com:/home/same"),
        "Shell": ("*@contoso.com:/bin/nonexistent", "*@contoso.com:/usr/sbin/nologin", "%nosuch:/bin/false"),
    },
    "SignIn": {
        "ClockSkew": ("0", "10min"), "MaxCertificateLifetime": ("5min", "7d"), "OfflineGrace": ("0",),
        "GrantLifetime": ("5min",), "MaxSignInAge": ("1h",), "EndSessions": ("yes",), "EndSessionsAfter": ("1h",),
    },
    "DeviceSignIn": {"ClientID": (STRANGE_ID,), "Services": ("sudo", "sshd"), "Limit": ("30s",)},
    "Log": {"Level": ("error", "debug"), "Audit": ("no",)},
}


def keys() -> list[tuple[str, str]]:
    """Section and key of each setting, as the packaged file lists them."""
    section, found = "", []
    for line in (REPOSITORY / "packaging/entralogin.conf").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif match := re.match(r"#(\w+)=", line):
            found.append((section, match[1]))
    return found


def _set(text: str, host: BootedHost) -> None:
    host.machine.write_file(SETTINGS, text)


def settings() -> Iterator[State]:
    sections = set()
    for section, key in keys():
        # One reader refuses all of these: one of each section runs every time, the rest with --deep.
        yield _state(f"{section}, {key}= is no value", f"[{section}]\n{key}=\"?! \\\n", deep=section in sections)
        sections.add(section)
        for value in UNFITTING.get(section, {}).get(key, ()):
            # Where Azure may give no answer, `explain` may leave the role open.
            yield State("setting", f"{section}, {key}={value}", partial(_set, f"[{section}]\n{key}={value}\n"), (SETTINGS,),
                        RESTARTED, role_is_known=section != "Azure",
                        denied=(ADMINISTRATOR,) if key == "ConfirmRefusals" else ())  # whose role comes from a group
    # The keys of this section are names that the administrator chooses.
    yield _state("Groups, a group that is no value", '[Groups]\nothers_entra="?!\n')
    yield _state("Groups, a group that is nowhere", f"[Groups]\nothers_entra={STRANGE_ID}\n")
    yield _state("code for sudo without a client id", "[DeviceSignIn]\nServices=sudo\n")
    yield _state("code for sudo with a strange client id", f"[DeviceSignIn]\nServices=sudo\nClientID={STRANGE_ID}\n")
    yield _state("an unknown key", "[Accounts]\nColour=red\n")
    yield _state("an unknown section", "[Nothing]\nNobody=1\n")
    yield _state("a file that is not text", "\0\1\2\n")
    yield State("setting", "Domains= of others, reloaded", partial(_set, "[Accounts]\nDomains=fabrikam.com\n"), (SETTINGS,),
                "systemctl reload entralogind")
    yield State("setting", "wrong settings, and the daemon runs on", partial(_set, "[Accounts]\nColour=red\n"), (SETTINGS,))


def _state(name: str, text: str, deep: bool = False) -> State:
    return State("setting", name, partial(_set, text), (SETTINGS,), RESTARTED, deep=deep)
