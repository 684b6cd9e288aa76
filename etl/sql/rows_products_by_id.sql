-- One product with its styles and related products: three bodies and their entity tags. Texts are put
-- together in the order in which they come: of a sorted subquery, and by one thread (see render.py).
WITH features AS (
    SELECT product_id, string_agg(object, ',') AS objects, string_agg(id, ',') AS ids
    FROM (
        SELECT
            product_id, CAST(id AS VARCHAR) AS id,
            concat('{"feature":', json_text(feature), ',"value":', json_text(value), '}') AS object
        FROM features_final
        WHERE product_id BETWEEN @low AND @high
        ORDER BY pos
    )
    GROUP BY product_id
),
related AS (
    SELECT product_id, string_agg(related_id, ',') AS related_ids, string_agg(id, ',') AS ids
    FROM (
        SELECT
            product_id, CAST(id AS VARCHAR) AS id, CAST(related_product_id AS VARCHAR) AS related_id
        FROM related_final
        WHERE product_id BETWEEN @low AND @high
        ORDER BY pos
    )
    GROUP BY product_id
),
bodies AS (
    SELECT
        product_id,
        concat(opening, ',"features":[', features.objects, ']}') AS product,
        concat('{"product_id":"', product_id, '","results":[', styles.objects, ']}') AS styles,
        concat('[', related.related_ids, ']') AS related,
        concat(
            '{"features":[', features.ids, '],"photos":{', styles.photo_ids, '},"related":[',
            related.ids, ']}'
        ) AS source_rows
    FROM slice_products
    LEFT JOIN features USING (product_id)
    LEFT JOIN slice_styles AS styles USING (product_id)
    LEFT JOIN related USING (product_id)
)
SELECT
    product_id, product, etag_of(product) AS product_etag, related,
    etag_of(related) AS related_etag, source_rows, styles, etag_of(styles) AS styles_etag
FROM bodies
