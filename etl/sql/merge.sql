-- The files' rows win by primary key over stored ones; the union of both is what is rendered.
DELETE FROM stored_product WHERE id IN (SELECT id FROM product_clean);
DELETE FROM stored_features WHERE id IN (SELECT id FROM features_clean);
DELETE FROM stored_styles WHERE id IN (SELECT id FROM styles_clean);
DELETE FROM stored_photos WHERE id IN (SELECT id FROM photos_clean);
DELETE FROM stored_skus WHERE id IN (SELECT id FROM skus_clean);
DELETE FROM stored_related WHERE id IN (SELECT id FROM related_clean);

CREATE VIEW product_final AS
SELECT id, name, slogan, description, category, default_price FROM product_clean
UNION ALL FROM stored_product;
CREATE VIEW features_final AS
SELECT id, product_id, feature, value, pos FROM features_clean
UNION ALL FROM stored_features;
CREATE VIEW styles_final AS
SELECT id, product_id, name, sale_price, original_price, default_style, pos FROM styles_clean
UNION ALL FROM stored_styles;
CREATE VIEW photos_final AS
SELECT id, style_id, url, thumbnail_url, pos FROM photos_clean
UNION ALL FROM stored_photos;
CREATE VIEW skus_final AS
SELECT id, style_id, size, quantity, pos FROM skus_clean
UNION ALL FROM stored_skus;
CREATE VIEW related_final AS
SELECT id, product_id, related_product_id, pos FROM related_clean
UNION ALL FROM stored_related;

-- Slices of products, rendered one after the other so that memory holds one of them.
CREATE TABLE slices AS
SELECT min(id) AS low, max(id) AS high, count(*) AS products
FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) // @slice_products AS slice FROM product_final
)
GROUP BY slice
ORDER BY low;
