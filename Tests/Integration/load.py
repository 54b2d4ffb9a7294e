# SPDX-License-Identifier: Apache-2.0
"""Runs many ssh clients at once (`storms.py` calls this): a JSON list of command lines on standard input, a JSON list
of [status, output, errors, milliseconds] on standard output.

Runs as a process in a session of its own: the kernel divides processor time by sessions (sched_autogroup). In reality the
clients run on their own machines, so here all of them together compete with sshd and the daemon as one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

TIME_LIMIT_S = 120


def client(argv: list[str], home: str, start: threading.Barrier, answers: list[object], index: int) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8"}
    start.wait()
    began = time.monotonic()
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              env=environment, timeout=TIME_LIMIT_S, check=False)
        answer = [done.returncode, done.stdout, done.stderr]
    except subprocess.TimeoutExpired:
        answer = [124, "", f"no end within {TIME_LIMIT_S} s"]
    answers[index] = [*answer, (time.monotonic() - began) * 1000]


def main() -> None:
    asked: list[tuple[list[str], str]] = json.load(sys.stdin)
    answers: list[object] = [None] * len(asked)
    start = threading.Barrier(len(asked))
    threads = [threading.Thread(target=client, args=(argv, home, start, answers, index))
               for index, (argv, home) in enumerate(asked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
