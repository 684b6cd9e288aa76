"""Every statement of the project with its consistency level: the one place to read them.

One module a family of tables. Two groups are what clients are opened with: `API_STATEMENTS` and
`LOAD_STATEMENTS`.
"""

from typing import Final

from schema.statements.api_keys import API_KEY_STATEMENTS
from schema.statements.carts import CART_STATEMENTS
from schema.statements.changes import CHANGE_STATEMENTS
from schema.statements.find import FIND_STATEMENTS
from schema.statements.idempotency import IDEMPOTENCY_STATEMENTS
from schema.statements.ids import ID_STATEMENTS
from schema.statements.limits import LIMIT_STATEMENTS
from schema.statements.load import LOAD_STATEMENTS
from schema.statements.products import PRODUCT_STATEMENTS
from schema.statements.questions import QUESTION_STATEMENTS
from schema.statements.reviews import REVIEW_STATEMENTS

API_STATEMENTS: Final = (
    *PRODUCT_STATEMENTS,
    *CHANGE_STATEMENTS,
    *REVIEW_STATEMENTS,
    *QUESTION_STATEMENTS,
    *ID_STATEMENTS,
    *CART_STATEMENTS,
    *LIMIT_STATEMENTS,
    *API_KEY_STATEMENTS,
    *FIND_STATEMENTS,
    *IDEMPOTENCY_STATEMENTS,
)

__all__ = ["API_STATEMENTS", "LOAD_STATEMENTS"]
