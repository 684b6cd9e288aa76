-- Stored cart rows of one page of the scan: those that this load brings anew, perhaps elsewhere.
INSERT INTO stored_cart BY NAME
SELECT cart_id AS id, user_session, product_id, active, -1000000000 AS pos
FROM read_json(
    @path, format = 'newline_delimited',
    columns = {
        'user_session': 'BIGINT', 'cart_id': 'BIGINT', 'active': 'BOOLEAN', 'product_id': 'BIGINT'
    }
)
SEMI JOIN cart_clean ON cart_clean.id = cart_id;
