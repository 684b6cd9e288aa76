CREATE TEMP TABLE raw_answers AS
WITH expanded AS (
    SELECT
        id AS question_id, loaded AS eligible, first_answers + turn_in_parent AS ordinal
    FROM (
        SELECT *, unnest(range(n_answers)) AS turn_in_parent
        FROM plan_questions WHERE NOT superseded
    )
),
counted AS (
    SELECT
        *, dice(ordinal, 'answer') AS roll,
        pick(answers_photos_spread(), dice(ordinal, 'answer photos')) AS n_answers_photos
    FROM expanded
)
SELECT
    spread_id(ordinal, 'answers') AS id,
    question_id,
    pick(answer_texts(), roll) AS body,
    some_date(dice(ordinal, 'answer date')) AS date_written,
    pick(people(), turn(roll, 1)) AS answerer_name,
    answerer_name || '@mail.example' AS answerer_email,
    turn(roll, 2) % 30 = 0 AS reported,
    (turn(roll, 3) % 20)::BIGINT AS helpful,
    eligible, n_answers_photos,
    getvariable('answers_photos_start') + sum(n_answers_photos) OVER sofar - n_answers_photos
        AS first_answers_photos
FROM counted
WINDOW sofar AS (ORDER BY ordinal ROWS UNBOUNDED PRECEDING)
ORDER BY ordinal;
