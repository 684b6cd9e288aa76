-- Stored characteristics of one page of the scan, all of them: they are small, and only the scan of
-- the reviews after this one tells which products are touched. Those whose characteristics this load
-- changes are.
CREATE TEMP TABLE page AS
SELECT *
FROM read_json(
    @path, format = 'newline_delimited', maximum_object_size = 134217728,
    columns = {
        'product_id': 'BIGINT',
        'review': 'BIGINT',
        'totals': 'STRUCT(characteristics STRUCT(id BIGINT, name VARCHAR)[])'
    }
);
INSERT INTO posted_reviews SELECT review FROM page WHERE review IS NOT NULL;
INSERT INTO stored_meta SELECT product_id FROM page WHERE review IS NULL;
CREATE TEMP TABLE page_characteristics AS
SELECT product_id, unnest(totals.characteristics, recursive := true),
    unnest(range(CAST(len(totals.characteristics) AS BIGINT))) AS ordinal
FROM page;
INSERT INTO stored_characteristics BY NAME
SELECT id, product_id, name, ordinal - 1000000000 AS pos FROM page_characteristics;
INSERT INTO named_review_products
SELECT DISTINCT product_id FROM page_characteristics SEMI JOIN named_characteristics USING (id);
DROP TABLE page;
DROP TABLE page_characteristics;
