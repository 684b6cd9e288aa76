-- A sale price may be null; one that is there must be a price.
CREATE TABLE styles_clean AS
SELECT
    pos, lines,
    read_key(id) AS id,
    read_parent(product_id) AS product_id,
    read_text(name) AS name,
    read_cents(sale_price) AS sale_price,
    read_cents(original_price) AS original_price,
    read_boolean(default_style) AS default_style,
    flags | text_flags(name) | nullable_price_flags(sale_price) | price_flags(original_price)
        | boolean_flags(default_style) AS flags,
    CASE
        WHEN read_key(id) IS NULL THEN ['invalid_integer', 'id', id]
        WHEN read_parent(product_id) IS NULL THEN ['invalid_integer', 'productId', product_id]
        WHEN read_cents(sale_price) IS NULL
            AND NOT (is_null_word(sale_price) OR is_empty(sale_price))
            THEN ['invalid_price', 'sale_price', sale_price]
        WHEN read_cents(original_price) IS NULL
            THEN ['invalid_price', 'original_price', original_price]
        WHEN read_boolean(default_style) IS NULL
            THEN ['invalid_boolean', 'default_style', default_style]
    END AS fault
FROM styles_fields;
