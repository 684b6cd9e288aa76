-- Bodies of GET /products and GET /products/{id} of one slice.
CREATE OR REPLACE TABLE slice.features AS
SELECT
    product_id,
    string_agg(
        '{"feature":' || json_text(feature) || ',"value":' || json_text(value) || '}', ','
        ORDER BY pos
    ) AS objects,
    string_agg(CAST(id AS VARCHAR), ',' ORDER BY pos) AS ids
FROM features_final
WHERE product_id BETWEEN @low AND @high
GROUP BY product_id;

CREATE OR REPLACE TABLE slice.products AS
WITH members AS (
    SELECT
        id AS product_id,
        '{"id":' || id || ',"name":' || json_text(name) || ',"slogan":' || json_text(slogan)
            || ',"description":' || json_text(description)
            || ',"category":' || json_text(category)
            || ',"default_price":' || json_price(default_price) AS opening
    FROM product_final
    WHERE id BETWEEN @low AND @high
)
SELECT
    product_id,
    opening || '}' AS list_row,
    opening || ',"features":[' || coalesce(features.objects, '') || ']}' AS product,
    coalesce(features.ids, '') AS feature_ids
FROM members LEFT JOIN slice.features AS features USING (product_id);
