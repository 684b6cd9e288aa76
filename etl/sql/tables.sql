-- What the stages share: the account, the rejects, and what is stored already.
-- `file` is the ordinal of a file, which `files` names.
CREATE TABLE files (ordinal INTEGER, name VARCHAR);
CREATE TABLE counts (file INTEGER, section VARCHAR, kind VARCHAR, rows BIGINT);
CREATE TABLE rejects (
    file INTEGER, line BIGINT, lines INTEGER, part TINYINT, kind VARCHAR, col VARCHAR,
    reason VARCHAR
);
CREATE TABLE flag_kinds (bit INTEGER, section VARCHAR, kind VARCHAR);

CREATE TABLE stored_product (
    id BIGINT, name VARCHAR, slogan VARCHAR, description VARCHAR, category VARCHAR,
    default_price BIGINT
);
CREATE TABLE stored_features (
    id BIGINT, product_id BIGINT, feature VARCHAR, value VARCHAR, pos BIGINT
);
CREATE TABLE stored_styles (
    id BIGINT, product_id BIGINT, name VARCHAR, sale_price BIGINT, original_price BIGINT,
    default_style BOOLEAN, pos BIGINT
);
CREATE TABLE stored_photos (
    id BIGINT, style_id BIGINT, url VARCHAR, thumbnail_url VARCHAR, pos BIGINT
);
CREATE TABLE stored_skus (
    id BIGINT, style_id BIGINT, size VARCHAR, quantity BIGINT, pos BIGINT
);
CREATE TABLE stored_related (
    id BIGINT, product_id BIGINT, related_product_id BIGINT, pos BIGINT
);
-- Ids of all products that live, whether or not this load touches them.
CREATE TABLE stored_ids (id BIGINT);
