# SPDX-License-Identifier: Apache-2.0
"""`python3 -m testbed.sign_in alice [COMMAND]`: gets a new certificate from Entra, then runs ssh, as `az ssh` does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from simulator import contoso

from .person import HOST, entra_person


def main() -> None:
    people = contoso.directory().principals
    if len(sys.argv) < 2 or sys.argv[1] not in people:
        raise SystemExit(f"usage: sign_in PERSON [COMMAND]; there are: {', '.join(people)}")
    scratch, cache = Path(os.environ["TESTBED_SCRATCH"]), Path(os.environ["TESTBED_CACHE"])
    key = sys.argv[1]
    person = entra_person(people[key], scratch / "people" / key, cache / "keys", scratch / "azure/tls/ca.pem")
    argv = person.argv(f"{person.login}@{HOST}", *sys.argv[2:])
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
