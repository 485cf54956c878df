"""Ways to spoil signatures, the same for every curve."""

COUNT = 1_000


def variants(rng, items, fields):
    """The items, and of each a copy with one bit of one field flipped or a field exchanged with the next item's."""
    out = []
    for i, item in enumerate(items):
        out.append(item)
        field = rng.choice(fields)
        if rng.random() < 0.75:
            out.append({**item, field: flip(rng, item[field])})
        else:
            out.append({**item, field: items[(i + 1) % len(items)][field]})
    return out


def flip(rng, data):
    """The bytes with one bit flipped."""
    if not data:
        return b"\x01"
    bit = rng.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def in_hex(items):
    """Items of bytes as the command line reads them."""
    return [{field: value.hex() for field, value in item.items()} for item in items]
