"""A program that logs clients in for a router, written from the protocol: PLAIN, one connection for each login; its
open says who the client is and which addresses it may use."""
import socket
import struct
import threading

from proton import Data, symbol, ulong

HEADERS = {name: b"AMQP" + bytes([number, 1, 0, 0]) for name, number in (("sasl", 3), ("amqp", 0))}


def encoded(code, *puts):
    """A described list."""
    data = Data()
    data.put_described()
    data.enter()
    data.put_ulong(ulong(code))
    data.put_list()
    data.enter()
    for put in puts:
        put(data)
    data.exit()
    data.exit()
    return data.encode()


def frame(kind, body):
    return struct.pack(">IBBH", len(body) + 8, 2, kind, 0) + body


def null(data):
    data.put_null()


class Service:
    """Knows users by name: password, and for each address what may be done."""

    def __init__(self, port, users):
        self.users, self.realms = users, []
        self.server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self.answer, args=(client.makefile("rwb"),), daemon=True).start()

    def answer(self, stream):
        try:
            self.log_in(stream)
        except (OSError, struct.error):
            pass  # The client went away before it had logged in.

    def log_in(self, stream):
        assert stream.read(8) == HEADERS["sasl"]

        def plain(data):
            data.put_array(False, Data.SYMBOL)
            data.enter()
            # The first would be by the router's own certificate, the second is no login.
            for mechanism in ("EXTERNAL", "ANONYMOUS", "PLAIN"):
                data.put_symbol(symbol(mechanism))
            data.exit()

        stream.write(HEADERS["sasl"] + frame(1, encoded(0x40, plain)))
        stream.flush()
        mechanism, response, realm = self.read(stream, 0x41)[:3]
        assert mechanism == "PLAIN", mechanism
        self.realms.append(realm)
        _, name, password = bytes(response).decode().split("\0")
        known = self.users.get(name)
        good = known is not None and known[0] == password
        stream.write(frame(1, encoded(0x44, lambda data: data.put_ubyte(0 if good else 1))))
        stream.flush()
        if good:
            self.tell(stream, name, known[1])

    def tell(self, stream, name, rights):
        assert stream.read(8) == HEADERS["amqp"]
        opened = self.read(stream, 0x10)
        assert "ADDRESS-AUTHZ" in str(opened[8]), opened

        def properties(data):
            data.put_object({
                symbol("authenticated-identity"): {"sub": name, "preferred_username": name},
                symbol("address-authz"): rights,
            })

        body = encoded(0x10, lambda data: data.put_string("logins"), *[null] * 8, properties)
        stream.write(HEADERS["amqp"] + frame(0, body))
        stream.flush()
        stream.read()

    @staticmethod
    def read(stream, code):
        """The fields of the next frame."""
        size = struct.unpack(">I", stream.read(4))[0]
        data = Data()
        data.decode(stream.read(size - 4)[4:])
        data.rewind()
        data.next()
        described = data.get_py_described()
        assert described.descriptor == code, described
        return list(described.value) + [None] * 10
