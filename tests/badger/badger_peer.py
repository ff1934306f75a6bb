"""Badger's own command, and just enough of its formats to look at what it did."""

import os
import struct
import subprocess

TOOL = "/usr/bin/badger"


def badger(*words):
    """Runs the tool; its stdout and stderr as text."""
    done = subprocess.run([TOOL, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise AssertionError(f"badger {words}: {text}")
    return text


def work(folder, seconds=1):
    """Transfers among 10,000 accounts, in transactions; makes a database."""
    badger("bank", "test", "--dir", folder, "-d", f"{seconds}s")


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a Protobuf message, in order: (number, value)."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            assert tag & 7 == 2, tag
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield tag >> 3, value


def entries(stream):
    """Of a backup stream: {(key, version): (value, user meta, expiry, meta)}."""
    found = {}
    at = 0
    while at < len(stream):
        (size,) = struct.unpack_from("<Q", stream, at)
        frame = stream[at + 8:at + 8 + size]
        assert len(frame) == size, "cut"
        at += 8 + size
        for number, kv in fields(frame):
            if number != 1:
                continue
            one = dict(fields(kv))
            # 0x02 says where the value lay, not what it is.
            meta = one.get(6, b"\0")[0] & ~0x02
            found[one[1], one.get(4, 0)] = (
                one.get(2, b""), one.get(3, b"\0"), one.get(5, 0), meta)
    return found


def message(*parts):
    """A Protobuf message of byte strings and numbers below 128."""
    out = b""
    for number, value in parts:
        if isinstance(value, int):
            out += bytes([number << 3, value])
            continue
        size, length = len(value), b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        out += bytes([number << 3 | 2]) + length + bytes([size]) + value
    return out


def frame(values):
    """A backup stream of one frame: each value at version 1."""
    kvs = message(*[(1, message((1, key), (2, value), (3, b"\0"), (4, 1),
                                (6, b"\0")))
                    for key, value in sorted(values.items())])
    return struct.pack("<Q", len(kvs)) + kvs


def backup(folder, to):
    """What the tool itself makes of a database that nobody has open."""
    badger("backup", "--dir", folder, "-f", to)
    with open(to, "rb") as file:
        return file.read()


def listing(folder):
    """What the tool says that the newest version of each live key is."""
    newest = {}
    path = folder + ".bak"
    for (key, version), rest in entries(backup(folder, path)).items():
        if key not in newest or newest[key][0] < version:
            newest[key] = (version, *rest[:3], rest[3] & 1)
    os.unlink(path)
    return {key: rest for key, rest in newest.items() if not rest[-1]}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def write_deletion(folder, key, version):
    """As Badger 2 writes one: a record at the end of its newest value log."""
    internal = key + struct.pack(">Q", 2**64 - 1 - version)
    assert len(internal) < 128
    record = bytes([1, 0, len(internal), 0, 0]) + internal
    record += struct.pack(">I", crc32c(record))
    log = max(name for name in os.listdir(folder) if name.endswith(".vlog"))
    with open(os.path.join(folder, log), "ab") as file:
        file.write(record)
