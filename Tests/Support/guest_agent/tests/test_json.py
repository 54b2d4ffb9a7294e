# SPDX-License-Identifier: Apache-2.0
"""Compares the extension's JSON reader, in every awk that is installed, with Python's."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import unittest
from pathlib import Path
from typing import Any

READER = Path(__file__).resolve().parents[4] / "packaging/extension/lib/json.awk"
AWKS = [words for words in (["mawk"], ["gawk", "--posix"], ["gawk"], ["busybox", "awk"]) if shutil.which(words[0])]
DOCUMENT = ('{"runtimeSettings": [{"handlerSettings": {"publicSettings": {"SignIn": {"OfflineGrace": "2h", '
            '"StrictExtensionOrder": false}, "x": [1, -2.5e3, null, "a\\"\\\\\\/\\u0041", [], {}]}, '
            '"protectedSettings": null}}]}')


def read(awk: list[str], text: bytes, *options: str) -> tuple[int, list[str]]:
    done = subprocess.run([*awk, *options, "-f", str(READER)], input=text, capture_output=True,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, check=False)
    return done.returncode, done.stdout.decode("latin-1").split("\n")[:-1]


class Number(str):
    """A number as the document spells it."""


def lines(value: Any, path: str = "") -> list[str]:
    """What the reader must print."""
    if isinstance(value, dict):
        return [line for key, inner in value.items() for line in lines(inner, f"{path}/{key}" if path else key)]
    if isinstance(value, list):
        return [line for at, inner in enumerate(value) for line in lines(inner, f"{path}/{at}" if path else str(at))]
    if value is None or isinstance(value, bool):
        return [f"{json.dumps(value)}\t{path}\t"]
    return [f"{'number' if isinstance(value, Number) else 'string'}\t{path}\t{value}"]


class JSONReader(unittest.TestCase):
    def each(self, text: bytes, expected: list[str] | None) -> None:
        for awk in AWKS:
            status, printed = read(awk, text)
            if expected is None:
                self.assertEqual((status != 0, printed), (True, []), f"{awk} on {text!r}")
            else:
                self.assertEqual((status, printed), (0, expected), f"{awk} on {text!r}")

    def test_there_is_an_awk(self) -> None:
        self.assertTrue(AWKS)

    def test_what_it_takes(self) -> None:
        self.each(DOCUMENT.encode(), lines(json.loads(DOCUMENT, parse_float=Number, parse_int=Number)))
        self.each(b" [ ] ", [])
        self.each(b'"a"', ["string\t\ta"])
        self.each("\"caf\u00e9\"".encode(), ["string\t\tcaf\u00c3\u00a9"])

    def test_what_it_refuses(self) -> None:
        for text in ("", "{", "[1,]", "[1 2]", "[1] []", '{"a":1,}', '{"a" 1}', "{a:1}", "01", "+1", "1.", ".5", "1e", "tru",
                     "truex", "nul", "'a'", '"a', '"\\x"', '"\\u00e9"', '"\\u12"', '"\\u000a"', '"\\n"', '"a\nb"', '"a\tb"',
                     '{"a":1,"a":2}', '{"a b":1}', '{"":1}', '{"a/b":1}', '{"a":{"b":1},"a":{"c":1}}', "[" * 17 + "]" * 17,
                     '"' + "a" * 70000 + '"', '"a\x00b"', '"a\x7fb"', "\ufeff[]", "NaN", "Infinity", "// c\n1"):
            self.each(text.encode(), None)

    def test_blanks_for_control_characters(self) -> None:
        for awk in AWKS:
            self.assertEqual(read(awk, b'"a\\n\\u0007b"', "-v", "blank=1"), (0, ["string\t\ta  b"]))

    def test_every_truncation(self) -> None:
        for end in range(len(DOCUMENT)):
            status, printed = read(AWKS[0], DOCUMENT[:end].encode())
            self.assertEqual((status != 0, printed), (True, []), DOCUMENT[:end])

    def test_flipped_bytes(self) -> None:
        """The reader refuses what Python refuses, and reads the same values as Python. It may be stricter."""
        chance = random.Random(7)
        for _ in range(150):
            broken = bytearray(DOCUMENT.encode())
            broken[chance.randrange(len(broken))] = chance.randrange(1, 128)
            status, printed = read(AWKS[0], bytes(broken))
            try:
                known = json.loads(broken.decode(), parse_float=Number, parse_int=Number)
            except ValueError:
                self.assertEqual((status != 0, printed), (True, []), broken)
                continue
            if status == 0:
                self.assertEqual([line.split("\t")[1] for line in printed], [line.split("\t")[1] for line in lines(known)],
                                 broken)
            else:
                self.assertEqual(printed, [], broken)


if __name__ == "__main__":
    unittest.main()
