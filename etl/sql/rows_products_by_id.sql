-- One product with its styles and related products: three bodies and their entity tags.
WITH bodies AS (
    SELECT
        product_id, product,
        '{"product_id":"' || product_id || '","results":[' || coalesce(styles.objects, '') || ']}'
            AS styles,
        '[' || coalesce(related.related_ids, '') || ']' AS related,
        '{"features":[' || feature_ids || '],"photos":{' || coalesce(styles.photo_ids, '')
            || '},"related":[' || coalesce(related.ids, '') || ']}' AS source_rows
    FROM slice.products
    LEFT JOIN slice.styles AS styles USING (product_id)
    LEFT JOIN slice.related AS related USING (product_id)
)
SELECT
    product_id, product, etag_of(product) AS product_etag, related,
    etag_of(related) AS related_etag, source_rows, styles, etag_of(styles) AS styles_etag
FROM bodies
