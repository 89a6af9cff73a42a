"""Decodes and encodes again by Proton what comes in: one line "value HEX" or "message HEX" a request.

The answer is one line: "error TEXT", or "HEX TEXT" with what Proton encoded and what it saw.
"""
import struct
import sys

from proton import Data, Message

NAMES = {
    Data.NULL: "null", Data.BOOL: "boolean", Data.UBYTE: "ubyte", Data.USHORT: "ushort", Data.UINT: "uint",
    Data.ULONG: "ulong", Data.BYTE: "byte", Data.SHORT: "short", Data.INT: "int", Data.LONG: "long",
    Data.FLOAT: "float", Data.DOUBLE: "double", Data.DECIMAL32: "decimal32", Data.DECIMAL64: "decimal64",
    Data.DECIMAL128: "decimal128", Data.CHAR: "char", Data.TIMESTAMP: "timestamp", Data.UUID: "uuid",
    Data.BINARY: "binary", Data.STRING: "string", Data.SYMBOL: "symbol", Data.LIST: "list", Data.MAP: "map",
    Data.ARRAY: "array",
}


def real(form, number):
    return "nan" if number != number else struct.pack(form, number).hex()


def scalar(data, kind):
    if kind == Data.NULL:
        return ""
    if kind == Data.BOOL:
        return "1" if data.get_bool() else "0"
    if kind == Data.FLOAT:
        return real(">f", data.get_float())
    if kind == Data.DOUBLE:
        return real(">d", data.get_double())
    if kind == Data.DECIMAL32:
        return "%08x" % (data.get_decimal32() & 0xFFFFFFFF)
    if kind == Data.DECIMAL64:
        return "%016x" % (data.get_decimal64() & 0xFFFFFFFFFFFFFFFF)
    if kind == Data.DECIMAL128:
        return bytes(data.get_decimal128()).hex()
    if kind == Data.CHAR:
        return str(ord(data.get_char()))
    if kind == Data.UUID:
        return data.get_uuid().bytes.hex()
    if kind == Data.BINARY:
        return bytes(data.get_binary()).hex()
    if kind == Data.STRING:
        return data.get_string().encode("utf-8").hex()
    if kind == Data.SYMBOL:
        return str(data.get_symbol()).encode("ascii").hex()
    return str(int(getattr(data, "get_" + NAMES[kind])()))


def items(data):
    data.enter()
    found = []
    while data.next():
        found.append(text(data))
    data.exit()
    return found


def text(data):
    kind = data.type()
    if kind == Data.DESCRIBED:
        descriptor, value = items(data)
        return "@%s %s" % (descriptor, value)
    if kind in (Data.LIST, Data.MAP):
        return "%s[%s]" % (NAMES[kind], ",".join(items(data)))
    if kind == Data.ARRAY:
        _, described, element = data.get_array()
        found = items(data)
        head = "@%s " % found.pop(0) if described else ""
        return "array<%s%s>[%s]" % (head, NAMES[element], ",".join(found))
    return "%s:%s" % (NAMES[kind], scalar(data, kind))


def value(encoded):
    data = Data()
    if data.decode(encoded) != len(encoded):
        raise ValueError("bytes are left over")
    data.rewind()
    data.next()
    return data.encode(), text(data)


def message(encoded):
    found = Message()
    found.decode(encoded)
    seen = [
        int(found.durable), found.priority, int(round(found.ttl * 1000)), int(found.first_acquirer),
        found.delivery_count, repr(found.address), repr(found.subject), repr(found.reply_to), repr(found.group_id),
        found.group_sequence, repr(found.reply_to_group_id),
    ]
    return found.encode(), "|".join(str(item) for item in seen)


def main():
    for line in sys.stdin:
        verb, encoded = line.split(" ")
        try:
            again, seen = {"value": value, "message": message}[verb](bytes.fromhex(encoded))
            print(again.hex(), seen.encode("unicode_escape").decode("ascii"), flush=True)
        except Exception as broken:
            print("error", type(broken).__name__, str(broken).replace("\n", " "), flush=True)


main()
