# SPDX-License-Identifier: Apache-2.0
"""The block that configure writes into sshd_config, also after other programs wrote to that file, with every installed awk."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[4] / "packaging"
AWKS = [name for name in ("mawk", "gawk", "original-awk") if shutil.which(name)]
GUIDS = "????????-????-????-????-????????????"
MARK = "# Made by /usr/libexec/entralogin/configure"
BASE = ["UsePAM yes", "MaxStartups 200"]
THEIRS = "PasswordAuthentication yes"


def set_as_agent(lines: list[str], name: str, value: str) -> list[str]:
    """Sets a keyword as WALinuxAgent does: replaces the line that begins with it outside Match blocks. If there is none, adds
    a line before the first Match block that no "Match all" ends, or else before the last line."""
    inside, at = None, len(lines) - 1
    for at, line in enumerate(lines):
        if line.startswith(name) and inside is None:
            return [*lines[:at], f"{name} {value}", *lines[at + 1:]]
        if line.lower().startswith("match"):
            inside = None if line.lower().startswith("match all") else at if inside is None else inside
    place = at if inside is None else inside
    return [*lines[:place], f"{name} {value}", *lines[place:]]


def set_by_access(lines: list[str], name: str, value: str) -> list[str]:
    """Sets a keyword as VMAccess does: adds a line before the first Match."""
    place = next(at for at, line in enumerate(lines) if line.startswith("Match"))
    return [*lines[:place], f"{name} {value}", *lines[place:]]


class Block:
    def __init__(self, folder: Path, awk: str, has_short_names: bool) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin/awk").symlink_to(str(shutil.which(awk)))
        (folder / "sshd").mkdir()
        shutil.copy(TOP / "sshd/00-entralogin.conf", folder / "sshd")
        text = (TOP / "sshd/00-entralogin.conf").read_text().replace("@USERS@", f"*@contoso.com,{GUIDS}")
        if has_short_names:
            head, _, body = text.partition("Match User")
            text = f"{head}Match Group entra_short_names{body[body.index(chr(10)):]}Match User{body}"
        (folder / "sshd.conf").write_text(text)

    def run(self, command: str, content: str) -> str:
        config = self.folder / "sshd_config"
        config.write_bytes(content.encode())
        script = (f"MARK='{MARK}' BLOCK_END='{MARK}: end' GUIDS='{GUIDS}' SHARE={self.folder} WORK={self.folder} "
                  f"SSHD_CONFIG={config}; . {TOP}/integration/block.sh; . {TOP}/integration/reset.sh; {command}")
        done = subprocess.run(["sh", "-euc", script], capture_output=True, check=True,
                              env={"LC_ALL": "C", "PATH": f"{self.folder}/bin:/usr/bin:/bin"})
        return done.stdout.decode()

    def added(self, content: str) -> str:
        return self.run("with_block", content)

    def left(self, content: str) -> list[str]:
        return self.run("own_lines left", content).replace("\r", "").splitlines()

    def is_azures(self, content: str) -> bool:
        return self.run("if is_azures_file; then echo yes; fi", content) == "yes\n"


class SSHDBlock(unittest.TestCase):
    def each(self) -> list[Block]:
        blocks = []
        for awk in AWKS:
            for has_short_names in (False, True):
                folder = tempfile.TemporaryDirectory()
                self.addCleanup(folder.cleanup)
                blocks.append(Block(Path(folder.name), awk, has_short_names))
        return blocks

    def test_without_a_last_newline_with_crlf_and_tabs(self) -> None:
        for block in self.each():
            for content in ("\n".join(BASE), "\r\n".join(BASE), "\r\n".join([*BASE, ""]), "\tUsePAM\tyes\nMaxStartups 200\t"):
                with self.subTest(content=content):
                    added = block.added(content)
                    self.assertTrue(added.startswith(f"{content}\n" if content[-1] != "\n" else content), added)
                    self.assertEqual(block.added(added), added)
                    self.assertEqual(block.left(added), content.replace("\r", "").splitlines())
                    self.assertEqual(block.left(added.replace("\n", "\r\n")), content.replace("\r", "").splitlines())

    def test_lines_of_others_stay(self) -> None:
        for block in self.each():
            whole = block.added("\n".join([*BASE, ""])).splitlines()
            begin, end = whole.index(f"{MARK}: begin"), whole.index(f"{MARK}: end")
            without = [line for line in whole if not line.startswith("#")]
            for name, lines in {
                "between": [*whole[:begin + 1], THEIRS, *whole[begin + 1:]],
                "before the end mark": [*whole[:end], THEIRS, whole[end]],
                "behind": [*whole, THEIRS],
                "no end mark": [*whole[:end], THEIRS],
                "no begin mark": [*whole[:begin], THEIRS, *whole[begin + 1:]],
                "no marks": [*without, THEIRS],
                "VMAccess": set_by_access(whole, *THEIRS.split()),
                "WALinuxAgent": set_as_agent([*whole, ""], *THEIRS.split())[:-1],
                "WALinuxAgent, no last newline": set_as_agent(whole, *THEIRS.split()),
            }.items():
                with self.subTest(name=name):
                    text = "\n".join([*lines, ""])
                    self.assertEqual(sorted(block.left(text)), sorted([*BASE, THEIRS]), text)
                    again = block.added(text).splitlines()
                    self.assertEqual((again.count(THEIRS), sum(line.startswith("Match User") for line in again)), (1, 1), again)

    def test_what_stands_in_the_match_block_keeps_its_meaning(self) -> None:
        for block in self.each():
            whole = block.added("\n".join([*BASE, ""])).splitlines()
            at = whole.index("Match all")
            lines = "\n".join([*whole[:at], "    X11Forwarding no", *whole[at:], "Banner none", ""])
            self.assertEqual(block.left(lines), [*BASE, f"Match User *@contoso.com,{GUIDS}", "    X11Forwarding no",
                                                 "Match all", "Banner none"])
            again = block.added(lines).splitlines()
            self.assertLess(again.index("Banner none"), again.index(f"{MARK}: begin"))
            self.assertEqual(again[again.index("Match all") - 1], "    X11Forwarding no")
            # After another program's Match block, settings for all users stay settings for all users.
            other = ["Match Group sftp", "    X11Forwarding no"]
            self.assertEqual(block.left("\n".join([*other, *whole, "Banner none", ""])),
                             [*other, *BASE, "Match all", "Banner none"])
            # Another program's block for the same users is left alone.
            another = f"Match User *@contoso.com,{GUIDS}\n    X11Forwarding no\n"
            self.assertEqual(block.left(another), another.splitlines())

    def test_files_of_azures_tools_are_known_and_peoples_are_not(self) -> None:
        reset = ["Protocol 2", "SyslogFacility AUTHPRIV", "PasswordAuthentication yes", "GSSAPIAuthentication yes",
                 "GSSAPICleanupCredentials yes", "UsePAM yes", "AcceptEnv LANG", "AcceptEnv XMODIFIERS", "X11Forwarding yes",
                 "ClientAliveInterval 180", "Subsystem\tsftp\t/usr/libexec/openssh/sftp-server"]
        for block in self.each():
            self.assertTrue(block.is_azures("\n".join(reset)))
            self.assertTrue(block.is_azures("\r\n".join([*reset, "# a comment", "ChallengeResponseAuthentication no", ""])))
            self.assertTrue(block.is_azures(block.added("\n".join(reset))))
            for lines in ([*reset, "AllowGroups admins"], reset[1:], [*reset, "Match all"], [*BASE, ""], [""],
                          ["Include /etc/ssh/sshd_config.d/*.conf", *reset], list(reversed(reset))):
                self.assertFalse(block.is_azures("\n".join(lines)), lines)


if __name__ == "__main__":
    unittest.main()
