-- Stored products of one page of the scan, as rows again: those that this load touches, which are
-- products it names, owners of styles it names, and owners of rows whose keys it brings anew.
-- Stored rows keep their order and come before those of the files: their pos is negative.
CREATE TEMP TABLE page AS
SELECT *
FROM read_json(
    @path, format = 'newline_delimited', maximum_object_size = 134217728,
    columns = {
        'product': 'STRUCT(id BIGINT, name VARCHAR, slogan VARCHAR, description VARCHAR, category VARCHAR, default_price VARCHAR, features STRUCT(feature VARCHAR, "value" VARCHAR)[])',
        'styles': 'STRUCT(results STRUCT(style_id BIGINT, name VARCHAR, original_price VARCHAR, sale_price VARCHAR, "default?" BOOLEAN, photos STRUCT(thumbnail_url VARCHAR, url VARCHAR)[], skus MAP(VARCHAR, STRUCT(quantity BIGINT, size VARCHAR)))[])',
        'related': 'BIGINT[]',
        'source_rows': 'STRUCT(features BIGINT[], photos MAP(VARCHAR, BIGINT[]), related BIGINT[])'
    }
);
INSERT INTO stored_ids SELECT product.id FROM page;

CREATE TEMP TABLE page_features AS
SELECT product.id AS product_id, unnest(source_rows.features) AS id,
    unnest(product.features, recursive := true), unnest(range(CAST(len(product.features) AS BIGINT))) AS ordinal
FROM page;
CREATE TEMP TABLE page_styles AS
SELECT product.id AS product_id, source_rows, unnest(styles.results) AS style,
    unnest(range(CAST(len(styles.results) AS BIGINT))) AS ordinal
FROM page;
-- A style without photos shows one of nulls, which has no source row.
CREATE TEMP TABLE page_photos AS
SELECT product_id, style.style_id AS style_id,
    unnest(source_rows.photos[CAST(style.style_id AS VARCHAR)]) AS id,
    unnest(style.photos) AS photo, unnest(range(CAST(len(style.photos) AS BIGINT))) AS ordinal
FROM page_styles
WHERE source_rows.photos[CAST(style.style_id AS VARCHAR)] IS NOT NULL;
CREATE TEMP TABLE page_skus AS
SELECT product_id, style.style_id AS style_id, unnest(map_keys(style.skus)) AS id,
    unnest(map_values(style.skus)) AS sku, unnest(range(CAST(cardinality(style.skus) AS BIGINT))) AS ordinal
FROM page_styles;
DELETE FROM page_skus WHERE id = 'null';
CREATE TEMP TABLE page_related AS
SELECT product.id AS product_id, unnest(source_rows.related) AS id,
    unnest(related) AS related_product_id, unnest(range(CAST(len(related) AS BIGINT))) AS ordinal
FROM page;

CREATE TEMP TABLE touched AS
SELECT product.id FROM page SEMI JOIN named_products ON named_products.id = page.product.id
UNION SELECT product_id FROM page_styles SEMI JOIN named_styles ON named_styles.id = style.style_id
UNION SELECT product_id FROM page_features SEMI JOIN features_clean USING (id)
UNION SELECT product_id FROM page_photos SEMI JOIN photos_clean USING (id)
UNION SELECT product_id FROM page_skus
    SEMI JOIN skus_clean ON skus_clean.id = CAST(page_skus.id AS BIGINT)
UNION SELECT product_id FROM page_related SEMI JOIN related_clean USING (id);

INSERT INTO stored_product BY NAME
SELECT product.id, product.name, product.slogan, product.description, product.category,
    CAST(replace(product.default_price, '.', '') AS BIGINT) AS default_price, -1000000000 AS pos
FROM page WHERE product.id IN (FROM touched);
INSERT INTO stored_features BY NAME
SELECT id, product_id, feature, value, ordinal - 1000000000 AS pos
FROM page_features WHERE product_id IN (FROM touched);
INSERT INTO stored_styles BY NAME
SELECT style.style_id AS id, product_id, style.name,
    CAST(replace(style.sale_price, '.', '') AS BIGINT) AS sale_price,
    CAST(replace(style.original_price, '.', '') AS BIGINT) AS original_price,
    style."default?" AS default_style, ordinal - 1000000000 AS pos
FROM page_styles WHERE product_id IN (FROM touched);
INSERT INTO stored_photos BY NAME
SELECT id, product_id, style_id, photo.url, photo.thumbnail_url, ordinal - 1000000000 AS pos
FROM page_photos WHERE product_id IN (FROM touched);
INSERT INTO stored_skus BY NAME
SELECT CAST(id AS BIGINT) AS id, product_id, style_id, sku.size, sku.quantity,
    ordinal - 1000000000 AS pos
FROM page_skus WHERE product_id IN (FROM touched);
INSERT INTO stored_related BY NAME
SELECT id, product_id, related_product_id, ordinal - 1000000000 AS pos
FROM page_related WHERE product_id IN (FROM touched);

DROP TABLE page;
DROP TABLE page_features;
DROP TABLE page_styles;
DROP TABLE page_photos;
DROP TABLE page_skus;
DROP TABLE page_related;
DROP TABLE touched;
