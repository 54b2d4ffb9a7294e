# SPDX-License-Identifier: Apache-2.0
"""Runs the table. `demo` calls this inside the testbed's namespaces. An argument selects rows by a part of their text."""

from __future__ import annotations

import os
import subprocess
import sys
import time

# The order of these imports is the order of the table.
# isort: off
import rows_people  # noqa: F401
import rows_local  # noqa: F401
import rows_integration  # noqa: F401
import recorded  # noqa: F401
# isort: on
from fixture import Fixture
from table import run_table
from testbed import Testbed
from testbed.testbed import REPOSITORY

LOGS = REPOSITORY / ".testbed" / "last-demo"

SHELL = r"""
PS1='(demo) \w # '
vm() {{ nsenter --target={holder} --mount --root --wd /usr/bin/env -i HOME=/root TERM="$TERM" PATH="$PATH" \
        "${{@:-/bin/bash}}"; }}
as() {{ python3 -m testbed.sign_in "$@"; }}
azure() {{ python3 -m simulator "$@"; }}
echo
echo 'You are outside the machine, beside it. To look around:'
echo '  as alice                      sign in as alice, bob, carol, svc, … (or: as alice id)'
echo '  vm                            a root shell on the machine (or: vm entraloginctl doctor)'
echo '  azure withdraw bob            change roles (alice has hers through the group platform)'
echo '  azure fault throttle pas      faults by name; also: azure requests, azure clear, azure --help'
echo '  less {log}'
echo 'Leaving this shell ends everything.'
"""


def main() -> int:
    began = time.monotonic()
    print("preparing: keys, the simulator, a machine without us, one with us", flush=True)
    with Testbed() as testbed:
        try:
            fixture = Fixture(testbed)
        except (RuntimeError, TimeoutError, OSError) as error:
            print(f"FAILED  preparation: {error}")
            return 1
        print(f"prepared in {time.monotonic() - began:.1f} s\n", flush=True)
        failed = run_table(fixture, sys.argv[1] if len(sys.argv) > 1 else "")
        fixture.keep_logs(LOGS)
        records(fixture)
        where_next(failed, time.monotonic() - began)
        if os.environ.get("KEEP") == "1":
            keep(fixture)
    return 1 if failed else 0


def records(fixture: Fixture) -> None:
    """Prints the daemon's records, which it writes to standard error on a machine without a journal."""
    print("\nThe daemon's records on the machine (the last 40):")
    for line in fixture.vm.service.output().splitlines()[-40:]:
        print(f"  {line[:400]}")


def where_next(failed: int, seconds: float) -> None:
    print(f"\n{'every row holds' if not failed else f'{failed} rows FAILED'}; {seconds:.0f} s")
    print(f"logs of sshd, of the daemon and of the simulator: {LOGS.relative_to(REPOSITORY)}/")
    print("a shell inside: sudo make demo KEEP=1; how it decides: ARCHITECTURE.md; on a real VM: README.md", flush=True)


def keep(fixture: Fixture) -> None:
    script = fixture.testbed.scratch / "shellrc"
    script.write_text(SHELL.format(holder=fixture.vm.machine.holder, log=fixture.vm.service.log))
    subprocess.run(["bash", "--rcfile", str(script), "-i"], check=False)


if __name__ == "__main__":
    sys.exit(main())
