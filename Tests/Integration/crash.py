# SPDX-License-Identifier: Apache-2.0
"""P12: the daemon crashes with tokens in its memory: no part of them is left anywhere."""

from __future__ import annotations

import signal
from pathlib import Path

from case import case
from environment import Environment, Host
from testbed.checks import admitted, equal, require

PLACES = ("run", "tmp", "var", "home", "root", "etc", "dev/shm")


def held(pid: int, secrets: set[bytes]) -> int:
    """How many of the secrets are in the memory of a process."""
    found: set[bytes] = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if not mode.startswith("rw"):
                continue
            memory.seek(start)
            try:
                content = memory.read(end - start)
            except OSError:
                continue  # a page of a device, or one that has gone meanwhile
            found |= {secret for secret in secrets if secret in content}
    return len(found)


def core_limit(pid: int) -> str:
    limits = Path(f"/proc/{pid}/limits").read_text()
    return next(line for line in limits.splitlines() if "core file size" in line).split()[4]


def left_behind(host: Host, secrets: set[bytes]) -> tuple[int, list[str]]:
    """Searches every file that can have changed; returns how many there are, and those that hold a secret."""
    files = [path for place in PLACES for path in host.machine.path(f"/{place}").rglob("*")
             if path.is_file() and not path.is_symlink()]
    return len(files), [str(path) for path in files if any(secret in path.read_bytes() for secret in secrets)]


@case("P12", "the daemon crashes with tokens in its memory: no core whatever the limit, nothing in any log or file")
def crash(env: Environment) -> str:
    with env.fresh("crash") as host:
        person, known = env.newcomer(), env.azure.issued_tokens()
        for number, limited in ((signal.SIGABRT, True), (signal.SIGSEGV, False), (signal.SIGQUIT, False)):
            admitted(host.ssh(person, "true"))
            host.flush()
            admitted(host.ssh(person, "true"))  # the daemon asks Azure, so it holds a token
            pid = host.service.pid
            issued = [token for token in env.azure.issued_tokens() if token not in known]
            secrets = {part.encode() for token in issued for part in token.split(".")[1:]}
            require(held(pid, secrets) > 0, "no token is in the daemon's memory: nothing is tried")
            equal(core_limit(pid) == "0", limited, f"the unit's limit of core files: {core_limit(pid)}")
            # Not even the daemon's own user may read its memory, as that user's debugger or crash reporter would.
            peek = host.machine.run("cat", f"/proc/{pid}/environ", user="entralogin")
            require(not peek.ok and peek.out == "", "its memory is open to its own user")
            require(not host.service.crash(number), f"{number.name}: a core was written or given away")
            count, found = left_behind(host, secrets)
            equal(found, [], f"files with a token after {number.name}")
            logs = (host.journal.text() + host.service.output()).encode()
            require(not any(secret in logs for secret in secrets), f"a token in the log after {number.name}")
            cores = [p.name for p in host.machine.path("/").iterdir() if p.name.startswith("core")]
            equal(cores, [], "cores in the working directory")
            host.service.limits = {"RLIMIT_CORE": -1}  # the next crash has no such limit
            host.begin()
    return f"three signals; {len(secrets)} pieces of tokens in {count} files and the logs: none"
