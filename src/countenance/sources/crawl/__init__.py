"""The crawl: Scrapy in a process of its own, and the line of findings that it writes."""
