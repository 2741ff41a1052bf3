"""Checks the vectors of this folder with Python's standard library alone: proof that they are no
language's private habit. It shares no code with any host and never writes.

    python3 second_opinion.py        prints what it checked; ends with 1 at the first difference
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

DEPTH_MAX = 64
SAFE_MAX = 2**53 - 1


class Refused(ValueError):
    """A value that no digest is made of."""


def number(value):
    """ECMAScript's Number::toString over the shortest digits, as RFC 8785 3.2.2.3 asks."""
    if isinstance(value, int):
        if abs(value) <= SAFE_MAX:
            return str(value)
        try:
            value = float(value)  # the double it rounds to
        except OverflowError:
            raise Refused("not finite") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise Refused("not finite")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, exponent = f"{abs(value)!r}".partition("e")[::2]
    whole, _, part = mantissa.partition(".")
    if part == "0":
        part = ""
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0)  # digits before the point
    if whole == "0":
        point -= len(whole) + len(part) - len(digits)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    tail = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def string(value):
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise Refused("lone surrogate")
    return json.dumps(value, ensure_ascii=False)


def canonical(value, depth=0):
    """RFC 8785 text of what json.loads has read. Raises Refused."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return string(value)
    if depth >= DEPTH_MAX:
        raise Refused("too deep")
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    if "__proto__" in value:
        raise Refused("prototype")
    keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{string(key)}:{canonical(value[key], depth + 1)}" for key in keys) + "}"


def once(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise Refused("key said twice")
    return dict(pairs)


def parse(text):
    return json.loads(text, object_pairs_hook=once)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def escape(part):
    return part.replace("%", "%25").replace("/", "%2F").replace("~", "%7E")


def child_key(parent, call, name=None):
    return f"{parent}/{escape(call)}" + ("" if name is None else f"~{escape(name)}")


def key_path(key):
    outermost, *inner = key.split("/")
    plain = outermost.replace("%7E", "~").replace("%2F", "/").replace("%25", "%")
    return [plain, *(part.replace("%2F", "/") for part in inner)]


def differences(folder):
    """Yields (what, expected, got) for each vector."""

    def read(name):
        return json.loads((folder / f"{name}.json").read_text("utf-8"))

    for vector in read("call-ids")["digests"]:
        yield f"call id {vector['id']!r}", vector["digest"], digest(vector["id"])
    for vector in read("numbers")["numbers"]:
        (value,) = struct.unpack(">d", bytes.fromhex(vector["ieee754"]))
        try:
            got = number(value)
        except Refused:
            got = None
        yield f"number {vector['ieee754']}", vector["text"], got
    for vector in read("digests")["digests"]:
        text = canonical(parse(vector["input"]))
        yield f"canonical: {vector['name']}", vector["canonical"], text
        got = digest(f'{{"input":{text},"tool":{string(vector["tool"])}}}')
        yield f"digest: {vector['name']}", vector["digest"], got
    for vector in read("digests")["refused"]:
        try:
            got = canonical(parse(vector["input"]))
        except Refused as refusal:
            got = str(refusal)
        yield f"refused: {vector['name']}", vector["because"], got
    for vector in read("idempotency-keys")["keys"]:
        parts = [vector["run"], vector["call"], vector["generation"]]
        yield f"idempotency key of {parts}", vector["key"], "hf-" + digest(canonical(parts))
    run_keys = read("run-keys")
    for vector in run_keys["runs"]:
        yield f"run key of {vector['id']!r}", vector["key"], escape(vector["id"])
        yield f"path of {vector['key']!r}", [vector["id"]], key_path(vector["key"])
    for vector in run_keys["children"]:
        got = child_key(vector["parent"], vector["call"], vector.get("name"))
        yield f"child key of {vector['call']!r}", vector["key"], got
        yield f"path of {got!r}", vector["path"], key_path(got)
    for vector in read("entries")["entries"]:
        payload = vector["row"]["payload"]
        got = None if payload is None else json.loads(payload)
        yield f"payload: {vector['name']}", vector.get("reads"), got


def main():
    checked = 0
    for what, expected, got in differences(Path(__file__).parent):
        checked += 1
        if expected != got:
            print(f"{what}\n  expected  {expected!r}\n  got       {got!r}", file=sys.stderr)
            return 1
    print(f"{checked} checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
