-- Notes on relations between rows of the files, once superseded rows are gone.
INSERT INTO counts
SELECT 'related.csv', 'noted', 'self_relation', count(*)
FROM related_clean WHERE product_id = related_product_id;
INSERT INTO counts
SELECT 'related.csv', 'noted', 'duplicate_relation', coalesce(sum(rows - 1), 0)
FROM (SELECT count(*) AS rows FROM related_clean GROUP BY product_id, related_product_id);
INSERT INTO counts
SELECT 'skus.csv', 'noted', 'same_size', coalesce(sum(rows - 1), 0)
FROM (SELECT count(*) AS rows FROM skus_clean GROUP BY style_id, size);
INSERT INTO counts
SELECT 'styles.csv', 'noted', 'same_style_name', coalesce(sum(rows - 1), 0)
FROM (SELECT count(*) AS rows FROM styles_clean GROUP BY product_id, name);
INSERT INTO counts
SELECT 'styles.csv', 'noted', 'no_default_style', count(*)
FROM (SELECT product_id FROM styles_clean GROUP BY product_id HAVING NOT bool_or(default_style));
INSERT INTO counts
SELECT 'styles.csv', 'noted', 'childless', count(*)
FROM styles_clean AS style
WHERE NOT EXISTS (SELECT 1 FROM photos_final AS photo WHERE photo.style_id = style.id)
    AND NOT EXISTS (SELECT 1 FROM skus_final AS sku WHERE sku.style_id = style.id);
INSERT INTO counts
SELECT 'product.csv', 'noted', 'childless', count(*)
FROM product_clean AS product
WHERE NOT EXISTS (SELECT 1 FROM features_final AS child WHERE child.product_id = product.id)
    AND NOT EXISTS (SELECT 1 FROM styles_final AS child WHERE child.product_id = product.id)
    AND NOT EXISTS (SELECT 1 FROM related_final AS child WHERE child.product_id = product.id);
