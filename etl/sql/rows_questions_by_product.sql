-- Questions (answer_id 0) and answers as the list of questions shows them.
SELECT
    product_id,
    id AS question_id,
    0 AS answer_id,
    concat(
        '{"question_id":', id, ',"question_body":', json_text(body),
        ',"question_date":', json_date(date_written), ',"asker_name":', json_text(asker_name),
        ',"question_helpfulness":', helpful, ',"reported":false}'
    ) AS body,
    helpful AS helpfulness,
    '[]' AS photos,
    reported,
    '{"email":' || json_text(asker_email) || '}' AS source
FROM slice_questions
UNION ALL
SELECT
    product_id,
    question_id,
    id,
    concat(
        '{"id":', id, ',"body":', json_text(body), ',"date":', json_date(date_written),
        ',"answerer_name":', json_text(answerer_name), ',"helpfulness":', helpful,
        ',"photos":[', photos.urls, ']}'
    ),
    helpful,
    '[' || coalesce(photos.objects, '') || ']',
    reported,
    '{"email":' || json_text(answerer_email) || '}'
FROM slice_answers
LEFT JOIN slice_answer_photos AS photos ON photos.answer_id = id
UNION ALL
-- What went to another product or question leaves an empty row behind, which a late load cannot fill.
SELECT product_id, question_id, id, '', 0, '[]', true, '{}'
FROM placed_questions
WHERE product_id BETWEEN @low AND @high
    AND NOT EXISTS (
        SELECT 1 FROM slice_questions AS here
        WHERE placed_questions.id = 0 AND here.id = placed_questions.question_id
            AND here.product_id = placed_questions.product_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM slice_answers AS here
        WHERE here.id = placed_questions.id AND here.question_id = placed_questions.question_id
            AND here.product_id = placed_questions.product_id
    )
