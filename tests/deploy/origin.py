#!/usr/bin/env python3
"""A web server for fleets in containers: origin.py PORT, on all addresses.

The part of tests/origin/origin.h that such tests need, which listens on loopback only:
/any/path?size=BYTES&delay=MS answers after the delay with the target and '#', repeated.
"""
import asyncio
import signal
import sys
import urllib.parse


def body_of(target):
    size = int(urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)["size"][0])
    pattern = target.encode() + b"#"
    return (pattern * (size // len(pattern) + 1))[:size]


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            target = head.split(" ", 2)[1]
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
            await asyncio.sleep(int(query.get("delay", ["0"])[0]) / 1000)
            body = body_of(target)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                         b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client is gone, as clients that are killed are
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", int(sys.argv[1]), backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # process 1 has no default for it
    asyncio.run(main())
