CREATE TABLE skus_clean AS
SELECT
    pos, lines,
    read_key(id) AS id,
    read_parent(style_id) AS style_id,
    read_text(size) AS size,
    read_quantity(quantity) AS quantity,
    flags | text_flags(size) | flag_when(read_quantity(quantity) = 0, @extreme_value) AS flags,
    CASE
        WHEN read_key(id) IS NULL THEN ['invalid_integer', 'id', id]
        WHEN read_parent(style_id) IS NULL THEN ['invalid_integer', 'styleId', style_id]
        WHEN read_quantity(quantity) IS NULL THEN ['invalid_integer', 'quantity', quantity]
    END AS fault
FROM skus_fields;
