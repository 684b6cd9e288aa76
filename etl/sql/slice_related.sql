-- Bodies of GET /products/{id}/related of one slice.
CREATE OR REPLACE TABLE slice.related AS
SELECT
    product_id,
    string_agg(CAST(related_product_id AS VARCHAR), ',' ORDER BY pos) AS related_ids,
    string_agg(CAST(id AS VARCHAR), ',' ORDER BY pos) AS ids
FROM related_final
WHERE product_id BETWEEN @low AND @high
GROUP BY product_id;
