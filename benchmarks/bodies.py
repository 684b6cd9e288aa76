"""Rows to measure with: bodies of realistic size and text, the same on every run.

`loadgen cql-write` makes each row from one of these templates and replaces `@@ID@@` by its id.
"""

import json
import random
from pathlib import Path
from typing import Final

TEMPLATES: Final = 4096
PRODUCT_BYTES: Final = 650
SEED: Final = 20_240
ID_MARK: Final = "@@ID@@"

_TEXT: Final = """
light warm canvas summer walk pocket stitched season leather river cotton soft trail every morning
quiet northern harbour woven broad simple lasting daily city forest buckle lining breathes rain
wind colour shade sleeve collar comfort weight travel weekend repair
"""
_WORDS: Final = tuple(_TEXT.split())
_SIZES: Final = ("XS", "S", "M", "L", "XL", "XXL")
_MATERIALS: Final = ("Canvas", "Rubber", "Cotton", "Wool", "Linen", "Suede", "Nylon")


def write_templates(path: Path, *, with_styles: bool) -> None:
    """Write `TEMPLATES` rows, one JSON object of strings a line.

    Args:
        path: the file to write.
        with_styles: styles of about 3.5 KB on average (1 to 12 styles), else a product without
            styles: the row is then little more than its 650 bytes of product.
    """
    random_source = random.Random(SEED)  # noqa: S311 -- the same rows on every run, no secrets
    lines = [json.dumps(_row(random_source, with_styles=with_styles)) for _ in range(TEMPLATES)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def product_body(product_id: int, line: str) -> bytes:
    """Return the body that `loadgen cql-write` stored for an id whose template is `line`."""
    template: dict[str, str] = json.loads(line)
    return template["product"].replace(ID_MARK, str(product_id)).encode()


def _row(source: random.Random, *, with_styles: bool) -> dict[str, str]:
    related = [source.randint(1, 200_000) for _ in range(source.randint(0, 8))]
    return {
        "product": _product(source),
        "styles": _styles(source, 0 if not with_styles else min(12, 1 + _geometric(source))),
        "related": json.dumps(related, separators=(",", ":")),
        "source_rows": _source_rows(source),
    }


def _geometric(source: random.Random) -> int:
    """Return how many more styles: 3 on average, few products with many."""
    return min(11, int(source.expovariate(1 / 3.4)))


def _text(source: random.Random, length: int) -> str:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < length:
        words.append(source.choice(_WORDS))
    return " ".join(words)[:length]


def _product(source: random.Random) -> str:
    features = [
        {"feature": source.choice(_WORDS).title(), "value": source.choice(_MATERIALS)}
        for _ in range(3)
    ]
    fields = {
        "name": _text(source, 24).title(),
        "slogan": _text(source, 60),
        "description": "",
        "category": source.choice(_WORDS).title(),
        "default_price": f"{source.randint(5, 900)}.00",
        "features": features,
    }
    bare = len(_compact(fields)) + len('"id":100000,')
    fields["description"] = _text(source, PRODUCT_BYTES - bare)
    return f'{{"id":{ID_MARK},{_compact(fields)[1:]}'


def _styles(source: random.Random, count: int) -> str:
    results = [_style(source, number) for number in range(1, count + 1)]
    return f'{{"product_id":"{ID_MARK}","results":{_compact(results)}}}'


def _style(source: random.Random, number: int) -> dict[str, object]:
    skus = {
        str(source.randint(1, 10**7)): {"quantity": source.randint(0, 60), "size": size}
        for size in _SIZES[: source.randint(2, 6)]
    }
    photos = [
        {"thumbnail_url": _url(source, 300), "url": _url(source, 1950)}
        for _ in range(source.randint(1, 4))
    ]
    return {
        "style_id": source.randint(1, 10**7),
        "name": _text(source, 18).title(),
        "original_price": f"{source.randint(5, 900)}.00",
        "sale_price": None,
        "default?": number == 1,
        "photos": photos,
        "skus": skus,
    }


def _url(source: random.Random, width: int) -> str:
    name = f"{source.getrandbits(52):013d}-{source.getrandbits(48):012x}"
    query = f"?ixlib=rb-1.2.1&auto=format&fit=crop&w={width}&q=80"
    return f"https://images.example.com/photo-{name}{query}"


def _source_rows(source: random.Random) -> str:
    rows = {
        "features": [source.randint(1, 10**7) for _ in range(3)],
        "photos": {str(source.randint(1, 10**7)): [source.randint(1, 10**8) for _ in range(3)]},
        "related": [source.randint(1, 10**8) for _ in range(4)],
    }
    return _compact(rows)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
