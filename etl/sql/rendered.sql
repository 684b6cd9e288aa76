-- The rows of one slice as they are stored, in the order of etl.render.RenderedRow.
WITH bodies AS (
    SELECT
        product_id, list_row, product,
        '{"product_id":"' || product_id || '","results":[' || coalesce(styles.objects, '') || ']}'
            AS styles,
        '[' || coalesce(related.related_ids, '') || ']' AS related,
        '{"features":[' || feature_ids || '],"photos":{' || coalesce(styles.photo_ids, '')
            || '},"related":[' || coalesce(related.ids, '') || ']}' AS source_rows
    FROM slice_products
    LEFT JOIN slice_styles AS styles USING (product_id)
    LEFT JOIN slice_related AS related USING (product_id)
)
SELECT
    product_id, encode(product), etag_of(product), encode(related), etag_of(related),
    encode(source_rows), encode(styles), etag_of(styles), encode(list_row)
FROM bodies;
