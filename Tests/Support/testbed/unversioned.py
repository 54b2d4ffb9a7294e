# SPDX-License-Identifier: Apache-2.0
"""Removes a library's symbol versions: some distributions build libcurl without them, but Debian does not. It removes from the
dynamic section the entries that point to the version tables (ELF gABI; the LSB's symbol versioning)."""

from __future__ import annotations

import struct

_PT_DYNAMIC = 2
_VERSION_TAGS = {0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF}  # VERSYM, VERDEF(NUM), VERNEED(NUM)


def unversioned(library: bytes) -> bytes:
    """The same 64-bit little-endian library, with every symbol under its plain name."""
    if library[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (headers,) = struct.unpack_from("<Q", library, 32)
    size, count = struct.unpack_from("<HH", library, 54)
    result = bytearray(library)
    for index in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", library, headers + index * size)
        if kind == _PT_DYNAMIC:
            entries = list(struct.iter_unpack("<qQ", library[offset:offset + length]))
            kept = [entry for entry in entries if entry[0] not in _VERSION_TAGS]
            kept += [(0, 0)] * (len(entries) - len(kept))
            result[offset:offset + length] = b"".join(struct.pack("<qQ", *entry) for entry in kept)
    return bytes(result)
