-- Both bodies of a product begin alike, as far as its own line goes.
CREATE OR REPLACE TEMP TABLE slice_products AS
SELECT
    id AS product_id,
    concat(
        '{"id":', id, ',"name":', json_text(name), ',"slogan":', json_text(slogan),
        ',"description":', json_text(description), ',"category":', json_text(category),
        ',"default_price":', json_price(default_price)
    ) AS opening
FROM product_final
WHERE id BETWEEN @low AND @high;
