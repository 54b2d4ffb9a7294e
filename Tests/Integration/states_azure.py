# SPDX-License-Identifier: Apache-2.0
"""States of Azure's endpoints, and of the way to them: name resolution and CA certificates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from booted_environment import DAEMON, BootedHost
from state import State

RESTARTED = f"systemctl restart --no-block {DAEMON}"
FORMS: dict[str, tuple[str, object]] = {
    "answers 403": ("status", 403), "answers 404": ("status", 404), "answers 429": ("throttle", 60),
    "answers 500": ("server-error", 500), "is silent": ("silent", None), "answers garbage": ("wrong-json", "<html>no</html>"),
    "answers another shape": ("wrong-json", None), "resets": ("refuse", None), "is somebody else by TLS": ("wrong-tls", None),
    "cuts its answers": ("cut-body", None), "redirects": ("redirect", None),
}
PLACES = {"imds": ("imds",), "the token endpoint": ("token",), "the login host": ("keys",), "pas": ("pas",), "arm": ("arm",),
          "pas and arm": ("pas", "arm")}
OTHERS: dict[str, tuple[tuple[str, str, object], ...]] = {
    "no managed identity": (("no-identity", "token", None),),
    "no application in the tenant": (("missing-application", "token", None),),
    "pas says no": (("says-no", "pas", None),),
    "pas says no, and arm refuses our identity": (("says-no", "pas", None), ("refused-identity", "arm", 403)),
    "pas and arm refuse our identity": (("refused-identity", "pas", 403), ("refused-identity", "arm", 403)),
    "arm refuses our identity": (("refused-identity", "arm", 403),),
    "keys without the one that signs": (("thin-keys", "keys", None),),
}
# The endpoints that this machine asks. Not `signin`, from which users get their certificates on other machines.
EVERYTHING = ("imds", "token", "keys", "pas", "arm")
OTHERS |= {f"everything {how}": tuple((fault, one, value) for one in EVERYTHING) for how, (fault, value) in {
    "is silent": ("silent", None), "resets": ("refuse", None), "is intercepted": ("wrong-tls", None),
    "is slow": ("latency", 2500)}.items()}
QUICK = ("status", "server-error", "silent", "refuse")
NAMES = ("login.microsoftonline.com", "pas.windows.net", "management.azure.com")
NO_NAME = "sed -i '/{name}/d' /etc/hosts; echo 'nameserver 127.20.0.99' >/etc/resolv.conf"


def azure() -> Iterator[State]:
    """Faults of Azure that begin while the daemon runs, or before it starts."""
    cases = {f"{place} {how}": tuple((fault, one, value) for one in endpoints)
             for place, endpoints in PLACES.items() for how, (fault, value) in FORMS.items()
             if not (place in ("imds", "the token endpoint") and fault == "wrong-tls")}
    for name, faults in (cases | OTHERS).items():
        # Faults without an answer have much the same effect: those in QUICK run every time, the others only with --deep.
        yield _state(name, faults, deep=name not in OTHERS and faults[0][0] not in QUICK)
        if name in OTHERS or faults[0][0] in ("status", "silent", "refuse", "wrong-tls"):
            yield _state(f"{name}, before a start", faults, RESTARTED, deep=name not in OTHERS and faults[0][0] != "refuse")


def _state(name: str, faults: tuple[tuple[str, str, object], ...], after: str = "", deep: bool = False) -> State:
    # While Azure gives no answer, `explain` may leave the role open.
    return State("Azure", name, faults=faults, after=after, role_is_known=False, rebuild=True, deep=deep)


def _shell(script: str, host: BootedHost) -> None:
    host.machine.shell(script)


def ways() -> Iterator[State]:
    """Name resolution and CA certificates. No packet filters: they would affect the network that all machines share."""
    for name in (*NAMES, "azure.com\\|windows.net\\|microsoftonline"):
        script = NO_NAME.format(name=name)
        for after in ("", RESTARTED):
            what = name if "\\" not in name else "any of Azure"
            yield State("way", f"no address for {what}{', before a start' if after else ''}", partial(_shell, script),
                        after=after, role_is_known=False, rebuild=True)
    for path in ("/etc/hosts", "/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl"):
        yield State("way", f"{path} is missing, before a start", partial(_shell, f"umount {path} 2>/dev/null; rm -rf {path}"),
                    after=RESTARTED, role_is_known=False, rebuild=True)
        yield State("way", f"{path} is closed to the daemon, before a start", partial(_shell, f"chmod 0 {path}"),
                    after=RESTARTED, role_is_known=False, rebuild=True)
