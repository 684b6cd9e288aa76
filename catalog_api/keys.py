"""Every key under which the application holds a part of itself."""

from typing import Final

from aiohttp import web

from catalog_api.edge import Edge
from catalog_api.lane import FastLane
from catalog_api.publication import Publication
from catalog_api.reception import Reception
from catalog_api.repositories.directory import DirectoryCache
from catalog_api.repositories.rows import RowSource
from catalog_api.services.intents import IntentSweeper
from catalog_api.services.product_changes import ProductChanges
from catalog_api.services.review_orders import ReviewOrders

RING: Final = web.AppKey("ring", RowSource)
DIRECTORY: Final = web.AppKey("directory", DirectoryCache)
CHANGES: Final = web.AppKey("changes", ProductChanges)
SWEEPER: Final = web.AppKey("sweeper", IntentSweeper)
RECEPTION: Final = web.AppKey("reception", Reception)
PUBLICATION: Final = web.AppKey("publication", Publication)
REVIEW_ORDERS: Final = web.AppKey("review_orders", ReviewOrders)
WORKER_NAME: Final = web.AppKey("worker_name", str)
EDGE: Final = web.AppKey("edge", Edge)
LANE: Final = web.AppKey("lane", FastLane)
