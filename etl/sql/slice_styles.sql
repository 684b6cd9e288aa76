-- Bodies of GET /products/{id}/styles of one slice.
CREATE OR REPLACE TABLE slice.style_rows AS
SELECT * FROM styles_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TABLE slice.photos AS
SELECT
    photo.style_id,
    string_agg(
        '{"thumbnail_url":' || json_text(photo.thumbnail_url)
            || ',"url":' || json_text(photo.url) || '}',
        ',' ORDER BY photo.pos
    ) AS objects,
    string_agg(CAST(photo.id AS VARCHAR), ',' ORDER BY photo.pos) AS ids
FROM photos_final AS photo JOIN slice.style_rows AS style ON style.id = photo.style_id
GROUP BY photo.style_id;

CREATE OR REPLACE TABLE slice.skus AS
SELECT
    sku.style_id,
    string_agg(
        '"' || sku.id || '":{"quantity":' || sku.quantity || ',"size":' || json_text(sku.size)
            || '}',
        ',' ORDER BY sku.pos
    ) AS members
FROM skus_final AS sku JOIN slice.style_rows AS style ON style.id = sku.style_id
GROUP BY sku.style_id;

CREATE OR REPLACE TABLE slice.styles AS
SELECT
    style.product_id,
    string_agg(
        '{"style_id":' || style.id || ',"name":' || json_text(style.name)
            || ',"original_price":' || json_price(style.original_price)
            || ',"sale_price":' || json_price(style.sale_price)
            || ',"default?":' || CASE WHEN style.default_style THEN 'true' ELSE 'false' END
            || ',"photos":[' || coalesce(photos.objects, '{"thumbnail_url":null,"url":null}')
            || '],"skus":{' || coalesce(skus.members, '"null":{"quantity":null,"size":null}')
            || '}}',
        ',' ORDER BY style.pos
    ) AS objects,
    string_agg(
        CASE WHEN photos.ids IS NOT NULL THEN '"' || style.id || '":[' || photos.ids || ']' END,
        ',' ORDER BY style.pos
    ) AS photo_ids
FROM slice.style_rows AS style
LEFT JOIN slice.photos AS photos ON photos.style_id = style.id
LEFT JOIN slice.skus AS skus ON skus.style_id = style.id
GROUP BY style.product_id;
