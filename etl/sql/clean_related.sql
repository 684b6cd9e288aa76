CREATE TABLE related_clean AS
SELECT
    pos, lines,
    read_key(id) AS id,
    read_parent(product_id) AS product_id,
    read_parent(related_product_id) AS related_product_id,
    flags,
    CASE
        WHEN read_key(id) IS NULL THEN ['invalid_integer', 'id', id]
        WHEN read_parent(product_id) IS NULL
            THEN ['invalid_integer', 'current_product_id', product_id]
        WHEN read_parent(related_product_id) IS NULL
            THEN ['invalid_integer', 'related_product_id', related_product_id]
    END AS fault
FROM related_fields;
