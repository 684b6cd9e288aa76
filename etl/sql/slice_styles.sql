-- Bodies of GET /products/{id}/styles of one slice. Photos and skus stand by style, styles by product.
CREATE OR REPLACE TEMP TABLE slice_styles AS
WITH photos AS (
    SELECT style_id, string_agg(object, ',') AS objects, string_agg(id, ',') AS ids
    FROM (
        SELECT
            style_id, CAST(id AS VARCHAR) AS id,
            concat(
                '{"thumbnail_url":', json_text(thumbnail_url), ',"url":', json_text(url), '}'
            ) AS object
        FROM photos_final
        WHERE product_id BETWEEN @low AND @high
        ORDER BY pos
    )
    GROUP BY style_id
),
skus AS (
    SELECT style_id, string_agg(member, ',') AS members
    FROM (
        SELECT
            style_id,
            concat('"', id, '":{"quantity":', quantity, ',"size":', json_text(size), '}') AS member
        FROM skus_final
        WHERE product_id BETWEEN @low AND @high
        ORDER BY pos
    )
    GROUP BY style_id
),
styles AS (
    SELECT
        style.product_id,
        concat(
            '{"style_id":', style.id, ',"name":', json_text(style.name),
            ',"original_price":', json_price(style.original_price),
            ',"sale_price":', json_price(style.sale_price),
            ',"default?":', json_boolean(style.default_style),
            ',"photos":[', coalesce(photos.objects, '{"thumbnail_url":null,"url":null}'),
            '],"skus":{', coalesce(skus.members, '"null":{"quantity":null,"size":null}'), '}}'
        ) AS object,
        '"' || style.id || '":[' || photos.ids || ']' AS photo_ids
    FROM styles_final AS style
    LEFT JOIN photos ON photos.style_id = style.id
    LEFT JOIN skus ON skus.style_id = style.id
    WHERE style.product_id BETWEEN @low AND @high
    ORDER BY style.pos
)
SELECT product_id, string_agg(object, ',') AS objects, string_agg(photo_ids, ',') AS photo_ids
FROM styles
GROUP BY product_id;
