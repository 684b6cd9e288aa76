CREATE TEMP TABLE raw_answers_photos AS
SELECT
    spread_id(first_answers_photos + turn_in_parent, 'answers_photos') AS id,
    id AS answer_id,
    photo_address(dice(first_answers_photos + turn_in_parent, 'answer photo'), '900') AS url,
    loaded AS eligible
FROM (
    SELECT *, unnest(range(n_answers_photos)) AS turn_in_parent
    FROM plan_answers WHERE NOT superseded
);
