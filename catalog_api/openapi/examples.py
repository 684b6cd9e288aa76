"""Bodies that the document shows, in the 2021 profile. Tests hold them to their shapes."""

from typing import Any, Final

LISTED_PRODUCT: Final[dict[str, Any]] = {
    "id": 1,
    "name": "Camo Onesie",
    "slogan": "Blend in to your crowd",
    "description": "Comfort and style for every forest.",
    "category": "Jackets",
    "default_price": "140.00",
}

PRODUCT: Final[dict[str, Any]] = LISTED_PRODUCT | {
    "features": [{"feature": "Fabric", "value": "Canvas"}, {"feature": "Buttons", "value": None}]
}

STYLES: Final[dict[str, Any]] = {
    "product_id": "1",
    "results": [
        {
            "style_id": 1,
            "name": "Forest Green & Black",
            "original_price": "140.00",
            "sale_price": None,
            "default?": True,
            "photos": [
                {
                    "thumbnail_url": "https://images.example/1-small.jpg",
                    "url": "https://images.example/1.jpg",
                }
            ],
            "skus": {
                "37": {"quantity": 8, "size": "XS"},
                "38": {"quantity": 16, "size": "S"},
            },
        },
        {
            "style_id": 2,
            "name": "Ocean Blue",
            "original_price": "140.00",
            "sale_price": "99.50",
            "default?": False,
            "photos": [{"thumbnail_url": None, "url": None}],
            "skus": {"null": {"quantity": None, "size": None}},
        },
    ],
}

RELATED: Final = [2, 3, 8, 7]

REVIEWS: Final[dict[str, Any]] = {
    "product": "1",
    "page": 0,
    "count": 5,
    "results": [
        {
            "review_id": 5,
            "rating": 3,
            "summary": "I am liking it",
            "recommend": True,
            "response": None,
            "body": "It does what it should.",
            "date": "2020-07-30T03:41:21.467Z",
            "reviewer_name": "jo",
            "helpfulness": 5,
            "photos": [{"id": 1, "url": "https://images.example/9.jpg"}],
        }
    ],
}

REVIEW_META: Final[dict[str, Any]] = {
    "product_id": "1",
    "ratings": {"3": "1", "5": "4"},
    "recommended": {"false": "1", "true": "4"},
    "characteristics": {
        "Fit": {"id": 5, "value": "2.8647342995169082"},
        "Length": {"id": 6, "value": None},
    },
}

NEW_REVIEW: Final[dict[str, Any]] = {
    "product_id": 1,
    "rating": 4,
    "summary": "Fine",
    "body": "It does what it should.",
    "recommend": True,
    "name": "jo",
    "email": "jo@shop.example",
    "photos": ["https://images.example/9.jpg"],
    "characteristics": {"5": 4},
}

QUESTIONS: Final[dict[str, Any]] = {
    "product_id": "1",
    "results": [
        {
            "question_id": 3,
            "question_body": "Is it warm?",
            "question_date": "2020-12-21T11:05:09.120Z",
            "asker_name": "jo",
            "question_helpfulness": 8,
            "reported": False,
            "answers": {
                "70": {
                    "id": 70,
                    "body": "Warm enough for spring.",
                    "date": "2020-12-22T08:30:00.000Z",
                    "answerer_name": "al",
                    "helpfulness": 2,
                    "photos": ["https://images.example/4.jpg"],
                }
            },
        }
    ],
}

ANSWERS: Final[dict[str, Any]] = {
    "question": "3",
    "page": 1,
    "count": "100",
    "results": [
        {
            "answer_id": 70,
            "body": "Warm enough for spring.",
            "date": "2020-12-22T08:30:00.000Z",
            "answerer_name": "al",
            "helpfulness": 2,
            "photos": [{"id": 4, "url": "https://images.example/4.jpg"}],
        }
    ],
}

NEW_QUESTION: Final[dict[str, Any]] = {
    "product_id": 1,
    "body": "Is it warm?",
    "name": "jo",
    "email": "jo@shop.example",
}

NEW_ANSWER: Final[dict[str, Any]] = {
    "body": "Warm enough for spring.",
    "name": "al",
    "email": "al@shop.example",
    "photos": ["https://images.example/4.jpg"],
}

NEW_DOCUMENT: Final[dict[str, Any]] = {
    "name": "Camo Onesie",
    "slogan": "Blend in to your crowd",
    "description": "Comfort and style for every forest.",
    "category": "Jackets",
    "default_price": "140.00",
    "features": [{"feature": "Fabric", "value": "Canvas"}],
    "styles": [
        {
            "name": "Forest Green & Black",
            "original_price": "140.00",
            "sale_price": "100.00",
            "is_default": True,
            "photos": [
                {
                    "thumbnail_url": "https://images.example/1-small.jpg",
                    "url": "https://images.example/1.jpg",
                }
            ],
            "skus": [{"size": "XS", "quantity": 8}],
        }
    ],
    "related": [2, 3],
    "properties": {"flavours": ["mint", "lime"], "organic": True, "weight_grams": 240},
}

DOCUMENT: Final[dict[str, Any]] = NEW_DOCUMENT | {
    "id": 1,
    "styles": [
        NEW_DOCUMENT["styles"][0]
        | {
            "id": 1_000_000_000_017,
            "skus": [{"id": 1_000_000_000_004, "size": "XS", "quantity": 8}],
        }
    ],
}

FOUND: Final[dict[str, Any]] = {
    "products": [
        {
            "id": 1,
            "name": "Camo Onesie",
            "slogan": "Blend in to your crowd",
            "category": "Jackets",
            "default_price": "140.00",
            "price": "100.00",
            "sale_price": "100.00",
            "on_sale": True,
            "in_stock": True,
            "thumbnail_url": "https://images.example/1-small.jpg",
        }
    ],
    "next_page_token": None,
    "count": {"estimate": 1, "exact": True},
}

ROW_OUTCOME: Final[dict[str, Any]] = {
    "line": 1,
    "id": 1_000_000_000_002,
    "status": 201,
    "etag": "0123456789abcdef",
    "replayed": False,
    "problem": None,
}

EXPORTED_CSV: Final = """\
id,name,slogan,description,category,default_price
1,"Camo Onesie","Blend in to your crowd","Comfort and style for every forest.","Jackets",140
"""
