CREATE TABLE product_clean AS
SELECT
    pos, lines,
    read_key(id) AS id,
    read_text(name) AS name,
    read_text(slogan) AS slogan,
    read_text(description) AS description,
    read_text(category) AS category,
    read_cents(default_price) AS default_price,
    flags | text_flags(name) | text_flags(slogan) | text_flags(description)
        | text_flags(category) | price_flags(default_price) AS flags,
    CASE
        WHEN read_key(id) IS NULL THEN ['invalid_integer', 'id', id]
        WHEN read_cents(default_price) IS NULL
            THEN ['invalid_price', 'default_price', default_price]
    END AS fault
FROM product_fields;
