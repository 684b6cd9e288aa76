-- Questions of one slice's products, their answers, and the photos of those.
CREATE OR REPLACE TABLE slice.questions AS
SELECT * FROM questions_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TABLE slice.answers AS
SELECT * FROM answers_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TABLE slice.answer_photos AS
SELECT
    answer_id,
    string_agg('{"id":' || id || ',"url":' || json_text(url) || '}', ',' ORDER BY pos) AS objects,
    string_agg(json_text(url), ',' ORDER BY pos) AS urls
FROM answers_photos_final
WHERE product_id BETWEEN @low AND @high
GROUP BY answer_id;
