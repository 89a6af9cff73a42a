"""Lets clients of elsewhere in to ports of this place's loopback: relay.py ADDRESS PORT..."""
import asyncio
import sys


async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def entrance(port):
    async def enter(reader, writer):
        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(carry(reader, onward_writer), carry(onward_reader, writer))
    return enter


async def main(address, *ports):
    for port in map(int, ports):
        await asyncio.start_server(entrance(port), address, port)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
