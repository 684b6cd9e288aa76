-- Stored questions and answers of one page of the scan, whole partitions, as rows again: those of
-- products that this load touches.
CREATE TEMP TABLE page AS
SELECT *
FROM read_json(
    @path, format = 'newline_delimited', maximum_object_size = 134217728,
    columns = {
        'product_id': 'BIGINT',
        'question_id': 'BIGINT',
        'answer_id': 'BIGINT',
        'reported': 'BOOLEAN',
        'body': 'STRUCT(question_body VARCHAR, question_date VARCHAR, asker_name VARCHAR, question_helpfulness BIGINT, body VARCHAR, date VARCHAR, answerer_name VARCHAR, helpfulness BIGINT)',
        'photos': 'STRUCT(id BIGINT, url VARCHAR)[]',
        'source': 'STRUCT(email VARCHAR)'
    }
);
CREATE TEMP TABLE page_photos AS
SELECT product_id, answer_id, unnest(photos, recursive := true),
    unnest(range(CAST(len(photos) AS BIGINT))) AS ordinal
FROM page;

INSERT INTO named_question_products
SELECT product_id FROM page SEMI JOIN named_questions ON named_questions.id = page.question_id
UNION SELECT product_id FROM page SEMI JOIN named_answers ON named_answers.id = page.answer_id
UNION SELECT product_id FROM page_photos SEMI JOIN answers_photos_clean USING (id);

INSERT INTO stored_questions BY NAME
SELECT question_id AS id, product_id, body.question_body AS body,
    text_date(body.question_date) AS date_written, body.asker_name, source.email AS asker_email,
    reported, body.question_helpfulness AS helpful, -1000000000 AS pos
FROM page
WHERE answer_id = 0 AND product_id IN (SELECT id FROM named_question_products);
INSERT INTO stored_answers BY NAME
SELECT answer_id AS id, question_id, body.body AS body, text_date(body.date) AS date_written,
    body.answerer_name, source.email AS answerer_email, reported, body.helpfulness AS helpful,
    product_id, -1000000000 AS pos
FROM page
WHERE answer_id <> 0 AND product_id IN (SELECT id FROM named_question_products);
INSERT INTO stored_answers_photos BY NAME
SELECT id, answer_id, url, product_id, ordinal - 1000000000 AS pos
FROM page_photos WHERE product_id IN (SELECT id FROM named_question_products);
DROP TABLE page;
DROP TABLE page_photos;
