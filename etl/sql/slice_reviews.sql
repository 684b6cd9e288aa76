-- Reviews of one slice's products, their photos and their ratings of characteristics.
CREATE OR REPLACE TABLE slice.reviews AS
SELECT * FROM reviews_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TABLE slice.review_photos AS
SELECT
    review_id,
    string_agg('{"id":' || id || ',"url":' || json_text(url) || '}', ',' ORDER BY pos) AS objects
FROM reviews_photos_final
WHERE product_id BETWEEN @low AND @high
GROUP BY review_id;

CREATE OR REPLACE TABLE slice.ratings AS
SELECT product_id, review_id, characteristic_id, id, value, pos
FROM characteristic_reviews_final
WHERE product_id BETWEEN @low AND @high;
