CREATE TABLE features_clean AS
SELECT
    pos, lines,
    read_key(id) AS id,
    read_parent(product_id) AS product_id,
    read_text(feature) AS feature,
    read_nullable_text(value) AS value,
    flags | text_flags(feature) | nullable_text_flags(value) AS flags,
    CASE
        WHEN read_key(id) IS NULL THEN ['invalid_integer', 'id', id]
        WHEN read_parent(product_id) IS NULL THEN ['invalid_integer', 'product_id', product_id]
    END AS fault
FROM features_fields;
