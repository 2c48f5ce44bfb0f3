#!/usr/bin/env python3
"""An HTTP origin that counts: which task was requested how often, by whom.

    counting_origin.py ADDRESS PORT

It answers GET /?size=BYTES&delay=MS&i=INDEX like fetchline-origin (tests/origin/origin.h): the body
is the target and '#', repeated, or, with body=TEXT, that text, percent-decoded. Two parameters
more:

    first=MS    the delay of the first request of this index, instead of delay
    poison=1    never answered; "poison ADDRESS INDEX" on stdout tells who asked

On each line of stdin it prints "counts {JSON}": requests, distinct, and again (index -> requests)
for what was requested more than once. It ends with stdin.
"""
import asyncio
import collections
import json
import sys
import urllib.parse

counts = collections.Counter()


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head, self.buffer = self.buffer[:end], self.buffer[end + 4:]
            self.requested(head.split(b" ", 2)[1])

    def requested(self, target):
        query = dict(part.split(b"=") for part in target.split(b"?", 1)[1].split(b"&"))
        index = int(query[b"i"])
        counts[index] += 1
        if b"poison" in query:
            print("poison", self.transport.get_extra_info("peername")[0], index, flush=True)
            return
        delay = int(query.get(b"delay", 0))
        if counts[index] == 1:
            delay = int(query.get(b"first", delay))
        body = body_of(target, query)
        answer = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
                  % len(body) + body)
        if delay:
            asyncio.get_running_loop().call_later(delay / 1000, self.answer, answer)
        else:
            self.answer(answer)

    def answer(self, answer):
        if not self.transport.is_closing():
            self.transport.write(answer)


def body_of(target, query):
    if b"body" in query:
        return urllib.parse.unquote_to_bytes(query[b"body"])
    size = int(query[b"size"])
    pattern = target + b"#"
    return (pattern * (size // len(pattern) + 1))[:size]


def print_counts():
    again = {index: count for index, count in counts.items() if count > 1}
    print("counts", json.dumps({"requests": counts.total(), "distinct": len(counts),
                                "again": again}), flush=True)


async def main():
    loop = asyncio.get_running_loop()
    address, port = sys.argv[1], int(sys.argv[2])
    server = await loop.create_server(Connection, address, port, backlog=4096)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    while await reader.readline():
        print_counts()


if __name__ == "__main__":
    asyncio.run(main())
