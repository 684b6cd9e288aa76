-- What the files name, for the scan of the stored products.
CREATE TEMP TABLE named_products AS
SELECT id FROM product_clean
UNION SELECT product_id FROM features_clean
UNION SELECT product_id FROM styles_clean
UNION SELECT product_id FROM related_clean;
CREATE TEMP TABLE named_styles AS
SELECT id FROM styles_clean
UNION SELECT style_id FROM photos_clean
UNION SELECT style_id FROM skus_clean;
