CREATE TEMP TABLE raw_questions AS
WITH expanded AS (
    SELECT
        id AS product_id, loaded AS eligible, first_questions + turn_in_parent AS ordinal
    FROM (
        SELECT *, unnest(range(n_questions)) AS turn_in_parent
        FROM plan_product WHERE NOT superseded
    )
),
counted AS (
    SELECT
        *, dice(ordinal, 'question') AS roll,
        pick(answers_spread(), dice(ordinal, 'answers')) AS n_answers
    FROM expanded
)
SELECT
    spread_id(ordinal, 'questions') AS id,
    product_id,
    pick(question_texts(), roll) AS body,
    some_date(dice(ordinal, 'question date')) AS date_written,
    pick(people(), turn(roll, 1)) AS asker_name,
    asker_name || '@mail.example' AS asker_email,
    turn(roll, 2) % 30 = 0 AS reported,
    (turn(roll, 3) % 20)::BIGINT AS helpful,
    eligible, ordinal, n_answers,
    getvariable('answers_start') + sum(n_answers) OVER sofar - n_answers AS first_answers
FROM counted
WINDOW sofar AS (ORDER BY ordinal ROWS UNBOUNDED PRECEDING)
ORDER BY ordinal;
