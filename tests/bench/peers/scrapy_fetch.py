"""scrapy_fetch.py URLS OUTPUT CONCURRENCY: one item a response, as JSON lines."""

import sys

import scrapy
from scrapy.crawler import CrawlerProcess


class Fetcher(scrapy.Spider):
    name = "fetcher"

    def start_requests(self):
        with open(sys.argv[1], encoding="ascii") as lines:
            for line in lines:
                yield scrapy.Request(line.strip(), dont_filter=True)

    def parse(self, response):
        yield {"url": response.url, "status": response.status, "body": response.text}


process = CrawlerProcess({
    "CONCURRENT_REQUESTS": int(sys.argv[3]),
    "CONCURRENT_REQUESTS_PER_DOMAIN": int(sys.argv[3]),
    "FEEDS": {sys.argv[2]: {"format": "jsonlines"}},
    "LOG_LEVEL": "ERROR",
    "ROBOTSTXT_OBEY": False,
    "TELNETCONSOLE_ENABLED": False,
})
process.crawl(Fetcher)
process.start()
