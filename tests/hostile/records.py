"""TFRecord files whose records claim lengths that they have not, with good checksums."""

import struct


def crc32c(data):
    """The checksum of RFC 3720, appendix B.4, bit by bit."""
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF


def with_length(record, length):
    """A TFRecord file whose first record claims ``length`` bytes."""
    head = struct.pack("<Q", length)
    checksum = crc32c(head)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) % 2**32  # as TensorFlow keeps it
    return head + struct.pack("<I", masked) + record[12:]
