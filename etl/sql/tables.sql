-- What the stages share: the account, the rejects, and what is stored already.
-- `file` is the ordinal of a file, which `files` names.
CREATE TABLE files (
    ordinal INTEGER, name VARCHAR, size_bytes BIGINT, modified_ns BIGINT, digest VARCHAR
);
CREATE TABLE counts (file INTEGER, section VARCHAR, kind VARCHAR, rows BIGINT);
CREATE TABLE rejects (
    file INTEGER, line BIGINT, lines INTEGER, part TINYINT, kind VARCHAR, col VARCHAR,
    reason VARCHAR
);
CREATE TABLE flag_kinds (bit INTEGER, section VARCHAR, kind VARCHAR);

-- Products that were deleted, whose rows remain with empty bodies.
CREATE TABLE stored_deleted (id BIGINT);
-- Ids of all products that live, whether or not this load touches them.
CREATE TABLE stored_ids (id BIGINT);
-- Products whose meta is stored and whose reviews this load touches.
CREATE TABLE stored_meta (product_id BIGINT);
-- Reviews that the API wrote: each is counted by a row of its own beside the base of its product's meta.
CREATE TABLE posted_reviews (id BIGINT);
-- Where rows stood that this load may give another partition.
CREATE TABLE placed_reviews (product_id BIGINT, id BIGINT);
CREATE TABLE placed_questions (product_id BIGINT, question_id BIGINT, id BIGINT);
CREATE TABLE placed_cart (user_session BIGINT, id BIGINT);
-- What the files name, and what the scans found to be touched beside it.
CREATE TABLE named_products (id BIGINT);
CREATE TABLE named_styles (id BIGINT);
CREATE TABLE named_review_products (id BIGINT);
CREATE TABLE named_reviews (id BIGINT);
CREATE TABLE named_characteristics (id BIGINT);
CREATE TABLE named_question_products (id BIGINT);
CREATE TABLE named_questions (id BIGINT);
CREATE TABLE named_answers (id BIGINT);
