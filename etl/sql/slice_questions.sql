-- Questions of one slice's products, their answers, and the photos of those.
CREATE OR REPLACE TEMP TABLE slice_questions AS
SELECT * FROM questions_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TEMP TABLE slice_answers AS
SELECT * FROM answers_final WHERE product_id BETWEEN @low AND @high;

CREATE OR REPLACE TEMP TABLE slice_answer_photos AS
SELECT
    answer_id,
    string_agg('{"id":' || id || ',"url":' || url || '}', ',') AS objects,
    string_agg(url, ',') AS urls
FROM (
    SELECT answer_id, id, json_text(url) AS url
    FROM answers_photos_final
    WHERE product_id BETWEEN @low AND @high
    ORDER BY pos
)
GROUP BY answer_id;
