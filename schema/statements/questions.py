"""Questions and answers: LOCAL_QUORUM, so that what was acknowledged is in the next read."""

from typing import Final

from ring.statements import Consistency, Statement

_QUORUM: Final = Consistency.LOCAL_QUORUM

# What is never null stands together, apart from votes: cells of fixed length are read at once.
_LISTED: Final = "question_id, answer_id, helpfulness, reported, body, votes"

SELECT_QUESTIONS: Final = Statement(
    "select_questions",
    f"SELECT {_LISTED} FROM questions_by_product WHERE product_id = ? AND question_id >= 0",
    _QUORUM,
    idempotent=True,
    many_cql=f"SELECT product_id, {_LISTED} FROM questions_by_product"
    " WHERE product_id IN ? AND question_id >= 0",
)
SELECT_ANSWERS: Final = Statement(
    "select_answers",
    "SELECT answer_id, body, photos, helpfulness, votes, reported FROM questions_by_product"
    " WHERE product_id = ? AND question_id = ? AND answer_id > 0",
    _QUORUM,
    idempotent=True,
)
SELECT_QUESTION_OWNER: Final = Statement(
    "select_question_owner",
    "SELECT product_id FROM questions_by_id WHERE block = ? AND question_id = ?",
    _QUORUM,
    idempotent=True,
)
SELECT_ANSWER_OWNER: Final = Statement(
    "select_answer_owner",
    "SELECT product_id, question_id FROM answers_by_id WHERE block = ? AND answer_id = ?",
    _QUORUM,
    idempotent=True,
)
_INSERT: Final = (
    "INSERT INTO questions_by_product (product_id, question_id, answer_id, body, helpfulness,"
    " photos, reported, source) VALUES (?, ?, ?, ?, 0, ?, false, ?);"
)
# One request for two partitions.
WRITE_NEW_QUESTION: Final = Statement(
    "write_new_question",
    f"BEGIN UNLOGGED BATCH {_INSERT}"
    " INSERT INTO questions_by_id (block, question_id, product_id) VALUES (?, ?, ?);"
    " APPLY BATCH",
    _QUORUM,
    idempotent=True,
)
WRITE_NEW_ANSWER: Final = Statement(
    "write_new_answer",
    f"BEGIN UNLOGGED BATCH {_INSERT}"
    " INSERT INTO answers_by_id (block, answer_id, product_id, question_id) VALUES (?, ?, ?, ?);"
    " APPLY BATCH",
    _QUORUM,
    idempotent=True,
)
SELECT_QUESTION_VOTES: Final = Statement(
    "select_question_votes",
    "SELECT body, votes FROM questions_by_product"
    " WHERE product_id = ? AND question_id = ? AND answer_id = ?",
    _QUORUM,
    idempotent=True,
)
# The mark of a transaction stands at question -1, beside the questions and out of their reads.
SELECT_QUESTION_VOTE: Final = Statement(
    "select_question_vote",
    "SELECT question_id, votes FROM questions_by_product"
    " WHERE product_id = ? AND question_id IN (-1, ?) AND answer_id IN (?, ?)",
    Consistency.LOCAL_SERIAL,
    idempotent=True,
)
ADD_QUESTION_VOTES: Final = Statement(
    "add_question_votes",
    "BEGIN BATCH"
    " UPDATE questions_by_product SET votes = ?"
    " WHERE product_id = ? AND question_id = ? AND answer_id = ? IF votes = ?;"
    " INSERT INTO questions_by_product (product_id, question_id, answer_id, votes)"
    " VALUES (?, -1, ?, ?) IF NOT EXISTS USING TTL 86400;"
    " APPLY BATCH",
    _QUORUM,
    idempotent=False,
    serial_consistency=Consistency.LOCAL_SERIAL,
)
REPORT_QUESTION: Final = Statement(
    "report_question",
    "UPDATE questions_by_product SET reported = true"
    " WHERE product_id = ? AND question_id = ? AND answer_id = ?",
    _QUORUM,
    idempotent=True,
)

QUESTION_STATEMENTS: Final = (
    SELECT_QUESTIONS,
    SELECT_ANSWERS,
    SELECT_QUESTION_OWNER,
    SELECT_ANSWER_OWNER,
    WRITE_NEW_QUESTION,
    WRITE_NEW_ANSWER,
    SELECT_QUESTION_VOTES,
    SELECT_QUESTION_VOTE,
    ADD_QUESTION_VOTES,
    REPORT_QUESTION,
)
