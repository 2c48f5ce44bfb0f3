"""aiohttp_fetch.py URLS OUTPUT CONCURRENCY: bodies in the order in which they come."""

import asyncio
import sys

import aiohttp


async def work(urls, session, output):
    for url in urls:  # shared by all: an iterator
        async with session.get(url) as response:
            output.write(await response.read())


async def main(path, output_path, concurrency):
    with open(path, encoding="ascii") as lines, open(output_path, "wb") as output:
        urls = iter([line.strip() for line in lines])
        connector = aiohttp.TCPConnector(limit=concurrency)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(work(urls, session, output) for _ in range(concurrency)))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
