"""The HTTP face of the catalog: aiohttp on uvloop, bodies straight from the stored row."""
