# SPDX-License-Identifier: Apache-2.0
"""The recording that README shows: commands on the demonstration's machine, kept as an asciinema cast (version 2).

The row compares the recording with what the same commands show now. `make demo RECORD=1` writes the recording anew;
.ci/demo-picture draws it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fixture import Fixture
from table import require, row
from testbed import Outcome
from testbed.testbed import REPOSITORY

CAST = REPOSITORY / "Documentation/pictures/demo.cast"
WIDTH, HEIGHT = 100, 24
PROMPT, COMMENT = "\x1b[32m$\x1b[0m ", "\x1b[90m{}\x1b[0m\r\n"
KEY_SECONDS, READING_SECONDS = 0.04, 1.5


@dataclass(frozen=True)
class Step:
    comment: str
    typed: str
    run: Callable[[Fixture], Outcome]


def ssh(key: str, command: str, comment: str) -> Step:
    typed = f"ssh {key}@contoso.com@contoso-vm" + (f" '{command}'" if command else "")
    return Step(comment, typed, lambda fixture: fixture.person(key).ssh(command or "true"))


def administrator(command: str, comment: str) -> Step:
    return Step(comment, f"sudo {command}", lambda fixture: fixture.vm.machine.run("sh", "-c", command))


STEPS = (
    ssh("alice", "id -un; sudo id -u", "alice has the role Virtual Machine Administrator Login, through a group in a group"),
    ssh("bob", "id -un; sudo -n true", "bob has the role Virtual Machine User Login"),
    ssh("carol", "", "carol has neither"),
    administrator("entraloginctl explain carol@contoso.com | grep -A 3 ^NO", "what an administrator of the machine reads"),
)


def run_all(fixture: Fixture) -> list[tuple[Step, Outcome]]:
    return [(step, step.run(fixture)) for step in STEPS]


def events(steps: list[tuple[Step, Outcome]]) -> Iterator[tuple[float, str]]:
    """What a terminal shows, and when: commands typed at an even pace, and their output after the time that they took."""
    now = 0.5
    for step, outcome in steps:
        yield now, COMMENT.format(f"# {step.comment}") + PROMPT
        for key in step.typed:
            now += KEY_SECONDS
            yield now, key
        now += KEY_SECONDS
        yield now, "\r\n"
        now += outcome.milliseconds / 1000
        yield now, outcome.text.replace("\r", "").replace("\n", "\r\n")
        now += READING_SECONDS
    yield now, PROMPT


def cast(steps: list[tuple[Step, Outcome]]) -> str:
    head = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": "entralogin: who gets in, and as whom",
            "license": "SPDX-License-Identifier: Apache-2.0", "env": {"TERM": "xterm-256color"}}
    lines = [head, *([round(time, 3), "o", text] for time, text in events(steps))]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def shown(text: str) -> str:
    """All that a cast shows, without what differs between runs: numbers, correlation ids, widths of columns."""
    output = "".join(json.loads(line)[2] for line in text.splitlines()[1:])
    output = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", output)
    return re.sub(r"[ \t]+", " ", re.sub(r"\d+", "N", output))


@row("the recording in README", "the same commands again")
def recording(fixture: Fixture) -> str:
    now = cast(run_all(fixture))
    if os.environ.get("RECORD") == "1":
        CAST.write_text(now)
        return f"written to {CAST.relative_to(REPOSITORY)}; .ci/demo-picture draws it"
    before, after = (shown(text).splitlines() for text in (CAST.read_text(), now))
    changed = [line for line in after if line not in before] + [line for line in before if line not in after]
    require(before == after, f"make demo RECORD=1 and .ci/demo-picture write it anew: {(changed or ['the order'])[0]}")
    return f"{len(STEPS)} commands show what is recorded"
