-- Reviews of one slice's products, their photos and their ratings of characteristics.
CREATE OR REPLACE TEMP TABLE slice_reviews AS
SELECT * FROM reviews_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TEMP TABLE slice_review_photos AS
SELECT
    review_id,
    string_agg(object, ',') AS objects
FROM (
    SELECT review_id, '{"id":' || id || ',"url":' || json_text(url) || '}' AS object
    FROM reviews_photos_final
    WHERE product_id BETWEEN @low AND @high
    ORDER BY pos
)
GROUP BY review_id;

CREATE OR REPLACE TEMP TABLE slice_ratings AS
SELECT product_id, review_id, characteristic_id, id, value, pos
FROM characteristic_reviews_final
WHERE product_id BETWEEN @low AND @high;
