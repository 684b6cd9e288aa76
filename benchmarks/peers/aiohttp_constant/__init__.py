"""aiohttp on uvloop with a constant body: the floor."""
