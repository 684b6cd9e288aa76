-- Notes on relations between rows of the files, once superseded rows are gone. What several rows
-- show together is counted at the file of the last of them.
INSERT INTO counts
SELECT file_of(pos), 'noted', 'self_relation', count(*)
FROM related_clean WHERE product_id = related_product_id GROUP BY ALL;
INSERT INTO counts
SELECT file, 'noted', 'duplicate_relation', sum(rows - 1)
FROM (
    SELECT file_of(max(pos)) AS file, count(*) AS rows
    FROM related_clean GROUP BY product_id, related_product_id
)
GROUP BY file;
INSERT INTO counts
SELECT file, 'noted', 'same_size', sum(rows - 1)
FROM (
    SELECT file_of(max(pos)) AS file, count(*) AS rows FROM skus_clean GROUP BY style_id, size
)
GROUP BY file;
INSERT INTO counts
SELECT file, 'noted', 'same_style_name', sum(rows - 1)
FROM (
    SELECT file_of(max(pos)) AS file, count(*) AS rows FROM styles_clean GROUP BY product_id, name
)
GROUP BY file;
INSERT INTO counts
SELECT file, 'noted', 'no_default_style', count(*)
FROM (
    SELECT file_of(max(pos)) AS file
    FROM styles_clean GROUP BY product_id HAVING NOT bool_or(default_style)
)
GROUP BY file;
INSERT INTO counts
SELECT file_of(pos), 'noted', 'childless', count(*)
FROM styles_clean AS style
WHERE NOT EXISTS (SELECT 1 FROM photos_final AS photo WHERE photo.style_id = style.id)
    AND NOT EXISTS (SELECT 1 FROM skus_final AS sku WHERE sku.style_id = style.id)
GROUP BY ALL;
INSERT INTO counts
SELECT file_of(pos), 'noted', 'childless', count(*)
FROM product_clean AS product
WHERE NOT EXISTS (SELECT 1 FROM features_final AS child WHERE child.product_id = product.id)
    AND NOT EXISTS (SELECT 1 FROM styles_final AS child WHERE child.product_id = product.id)
    AND NOT EXISTS (SELECT 1 FROM related_final AS child WHERE child.product_id = product.id)
GROUP BY ALL;
