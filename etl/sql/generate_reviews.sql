CREATE TEMP TABLE raw_reviews AS
WITH expanded AS (
    SELECT
        id AS product_id, loaded AS eligible, n_characteristics, first_characteristics,
        first_reviews + turn_in_parent AS ordinal
    FROM (
        SELECT *, unnest(range(n_reviews)) AS turn_in_parent FROM plan_product WHERE NOT superseded
    )
),
counted AS (
    SELECT
        *, dice(ordinal, 'review') AS roll, dice(ordinal, 'review text') AS text_roll,
        pick(reviews_photos_spread(), dice(ordinal, 'review photos')) AS n_reviews_photos
    FROM expanded
)
SELECT
    spread_id(ordinal, 'reviews') AS id,
    product_id,
    pick([5, 4, 3, 4, 5, 2, 5, 1, 4, 5, 3], roll) AS rating,
    some_date(dice(ordinal, 'review date')) AS date,
    pick(verdicts(), text_roll) AS summary,
    pick(remarks(), turn(text_roll, 1)) || ' ' || pick(remarks(), turn(text_roll, 1) + 3) AS body,
    rating > 2 AS recommend,
    turn(roll, 1) % 40 = 0 AS reported,
    pick(people(), turn(roll, 2)) AS reviewer_name,
    reviewer_name || '@mail.example' AS reviewer_email,
    CASE WHEN turn(roll, 3) % 8 = 0 THEN pick(replies(), turn(roll, 4)) END AS response,
    (turn(roll, 5) % 30)::BIGINT AS helpfulness,
    eligible, ordinal, n_reviews_photos, n_characteristics, first_characteristics,
    getvariable('reviews_photos_start') + sum(n_reviews_photos) OVER sofar - n_reviews_photos
        AS first_reviews_photos,
    getvariable('characteristic_reviews_start')
        + sum(n_characteristics) OVER sofar - n_characteristics AS first_characteristic_reviews
FROM counted
WINDOW sofar AS (ORDER BY ordinal ROWS UNBOUNDED PRECEDING)
ORDER BY ordinal;
