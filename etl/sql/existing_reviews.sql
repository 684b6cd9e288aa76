-- Stored reviews of one page of the scan, whole partitions, as rows again: those of products that
-- this load touches.
CREATE TEMP TABLE page AS
SELECT *
FROM read_json(
    @path, format = 'newline_delimited', maximum_object_size = 134217728,
    columns = {
        'product_id': 'BIGINT',
        'reported': 'BOOLEAN',
        'review': 'STRUCT(review_id BIGINT, rating BIGINT, summary VARCHAR, recommend BOOLEAN, response VARCHAR, body VARCHAR, date VARCHAR, reviewer_name VARCHAR, helpfulness BIGINT, photos STRUCT(id BIGINT, url VARCHAR)[])',
        'source': 'STRUCT(email VARCHAR, ratings BIGINT[][])'
    }
);
CREATE TEMP TABLE page_photos AS
SELECT product_id, review.review_id AS review_id, unnest(review.photos, recursive := true),
    unnest(range(CAST(len(review.photos) AS BIGINT))) AS ordinal
FROM page;
CREATE TEMP TABLE page_ratings AS
SELECT product_id, review.review_id AS review_id, unnest(source.ratings) AS rating,
    unnest(range(CAST(len(source.ratings) AS BIGINT))) AS ordinal
FROM page;

INSERT INTO named_review_products
SELECT product_id FROM page SEMI JOIN named_reviews ON named_reviews.id = page.review.review_id
UNION SELECT product_id FROM page_photos SEMI JOIN reviews_photos_clean USING (id)
UNION SELECT product_id FROM page_ratings
    SEMI JOIN characteristic_reviews_clean ON characteristic_reviews_clean.id = page_ratings.rating[1];

INSERT INTO stored_reviews BY NAME
SELECT review.review_id AS id, product_id, review.rating, text_date(review.date) AS date,
    review.summary, review.body, review.recommend, reported, review.reviewer_name,
    source.email AS reviewer_email, review.response, review.helpfulness, -1000000000 AS pos
FROM page WHERE product_id IN (SELECT id FROM named_review_products);
INSERT INTO stored_reviews_photos BY NAME
SELECT id, review_id, url, product_id, ordinal - 1000000000 AS pos
FROM page_photos WHERE product_id IN (SELECT id FROM named_review_products);
INSERT INTO stored_characteristic_reviews BY NAME
SELECT rating[1] AS id, rating[2] AS characteristic_id, review_id, rating[3] AS value, product_id,
    ordinal - 1000000000 AS pos
FROM page_ratings WHERE product_id IN (SELECT id FROM named_review_products);
DROP TABLE page;
DROP TABLE page_photos;
DROP TABLE page_ratings;
