"""usage: login.py JSON: logs in by SASL with the mechanisms of Cyrus SASL (libsasl2), then opens an AMQP connection; prints "ok".

{"port", "ca", "mechanism", "user", "password"}. The frames around the exchange are made here, for Debian's Proton is built without
Cyrus SASL and knows no SCRAM; the exchange itself, with the check that the server knows the password too, is Cyrus's own. A
refusal is printed as "refused: ..."; the exit code is 1 then.
"""
import ctypes
import json
import socket
import ssl
import struct
import sys

SASL_OK, SASL_CONTINUE = 0, 1
CALLBACK_USER, CALLBACK_AUTHNAME, CALLBACK_PASSWORD, CALLBACK_END = 0x4001, 0x4002, 0x4004, 0
NAME = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p)
SECRET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p))


class Callback(ctypes.Structure):
    _fields_ = [("id", ctypes.c_ulong), ("procedure", ctypes.c_void_p), ("context", ctypes.c_void_p)]


class Refused(Exception):
    pass


class Cyrus:
    """The client side of one exchange."""

    def __init__(self, user, password):
        self._user = user.encode()
        secret = password.encode()
        self._secret = ctypes.create_string_buffer(struct.pack("L", len(secret)) + secret)
        self._procedures = [NAME(self._name), SECRET(self._password)]
        name, password_of = (ctypes.cast(procedure, ctypes.c_void_p).value for procedure in self._procedures)
        self._callbacks = (Callback * 4)(
            Callback(CALLBACK_USER, name), Callback(CALLBACK_AUTHNAME, name), Callback(CALLBACK_PASSWORD, password_of),
            Callback(CALLBACK_END))
        self._library = ctypes.CDLL("libsasl2.so.2")
        self._library.sasl_errdetail.restype = ctypes.c_char_p
        self._connection = ctypes.c_void_p()
        self._check(self._library.sasl_client_init(None))
        self._check(self._library.sasl_client_new(
            b"amqp", b"localhost", None, None, self._callbacks, 0, ctypes.byref(self._connection)))

    def start(self, mechanism):
        out, size, chosen = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_char_p()
        code = self._library.sasl_client_start(
            self._connection, mechanism.encode(), None, ctypes.byref(out), ctypes.byref(size), ctypes.byref(chosen))
        self._check(code)
        assert chosen.value.decode() == mechanism
        return ctypes.string_at(out, size.value) if out else b""

    def step(self, challenge):
        """The answer, and whether Cyrus is content: the server has proven itself."""
        out, size = ctypes.c_void_p(), ctypes.c_uint()
        code = self._library.sasl_client_step(
            self._connection, challenge, len(challenge), None, ctypes.byref(out), ctypes.byref(size))
        self._check(code)
        return ctypes.string_at(out, size.value) if out else b"", code == SASL_OK

    def _name(self, _context, _id, result, _length):
        result[0] = self._user
        return SASL_OK

    def _password(self, _connection, _context, _id, result):
        result[0] = ctypes.addressof(self._secret)
        return SASL_OK

    def _check(self, code):
        if code not in (SASL_OK, SASL_CONTINUE):
            detail = self._library.sasl_errdetail(self._connection) if self._connection else b""
            raise Refused(f"Cyrus SASL says {code}: {detail.decode()}")


def read(peer, count):
    data = b""
    while len(data) < count:
        piece = peer.recv(count - len(data))
        if not piece:
            raise Refused("the server closed the connection")
        data += piece
    return data


def read_frame(peer):
    """The descriptor and the encoded list of a frame."""
    size = struct.unpack(">I", read(peer, 4))[0]
    body = read(peer, size - 4)[4:]
    assert body[:2] == b"\x00\x53", body
    return body[2], body[3:]


def write_frame(peer, kind, descriptor, *fields):
    content = b"".join(fields)
    performative = b"\x00\x53" + bytes([descriptor]) + b"\xd0" + struct.pack(">II", len(content) + 4, len(fields)) + content
    peer.sendall(struct.pack(">IBBH", len(performative) + 8, 2, kind, 0) + performative)


def binary(data):
    return b"\xb0" + struct.pack(">I", len(data)) + data


def first_binary(encoded):
    """The first binary in an encoded list; none: nothing."""
    at = 3 if encoded[0] == 0xC0 else 9
    while at < len(encoded) and encoded[at] not in (0xA0, 0xB0):
        at += {0x40: 1, 0x50: 2}[encoded[at]]
    if at >= len(encoded):
        return b""
    start, size = (at + 2, encoded[at + 1]) if encoded[at] == 0xA0 else (at + 5, struct.unpack_from(">I", encoded, at + 1)[0])
    return encoded[start:start + size]


def log_in(peer, given):
    peer.sendall(b"AMQP\x03\x01\x00\x00")
    assert read(peer, 8) == b"AMQP\x03\x01\x00\x00"
    descriptor, mechanisms = read_frame(peer)
    assert descriptor == 0x40
    if given["mechanism"].encode() not in mechanisms:
        raise Refused(f"{given['mechanism']} is not offered")
    cyrus = Cyrus(given["user"], given["password"])
    mechanism = given["mechanism"].encode()
    first = cyrus.start(given["mechanism"])
    write_frame(peer, 1, 0x41, b"\xa3" + bytes([len(mechanism)]) + mechanism, binary(first))
    content = False
    while True:
        descriptor, encoded = read_frame(peer)
        data = first_binary(encoded)
        if descriptor == 0x42:
            answer, content = cyrus.step(data)
            write_frame(peer, 1, 0x43, binary(answer))
            continue
        assert descriptor == 0x44
        code = encoded[4] if encoded[3] == 0x50 else 0
        if code != 0:
            raise Refused(f"the server says {code}")
        if data:
            _, content = cyrus.step(data)
        if not content:
            raise Refused("the server did not prove itself")
        return


def main():
    given = json.loads(sys.argv[1])
    tls = ssl.create_default_context(cafile=given["ca"])
    with socket.create_connection(("127.0.0.1", given["port"]), timeout=20) as plain, \
            tls.wrap_socket(plain, server_hostname="localhost") as peer:
        log_in(peer, given)
        peer.sendall(b"AMQP\x00\x01\x00\x00")
        assert read(peer, 8) == b"AMQP\x00\x01\x00\x00"
        write_frame(peer, 0, 0x10, b"\xa1\x05cyrus")
        descriptor, _ = read_frame(peer)
        assert descriptor == 0x10, descriptor
        write_frame(peer, 0, 0x18)


try:
    main()
    print("ok", flush=True)
except Refused as refused:
    print(f"refused: {refused}", flush=True)
    sys.exit(1)
