-- One chunk of products, with how many children each has and where the children's ordinals start.
-- One product in 200 is bare: no features, no styles, no related rows.
CREATE TEMP TABLE raw_product AS
WITH rolled AS (
    SELECT
        spread_id(ordinal, 'product') AS id, ordinal,
        dice(ordinal, 'product name') AS roll, dice(ordinal, 'description') AS text_roll,
        dice(ordinal, 'children') AS child_roll,
        ordinal % 200 = 133 AS bare
    FROM range(getvariable('from_ordinal'), getvariable('to_ordinal')) AS _(ordinal)
),
counted AS (
    SELECT
        *, (roll % len(nouns()))::INTEGER AS noun,
        CASE WHEN bare THEN 0 ELSE pick(features_spread(), child_roll) END AS n_features,
        CASE WHEN bare THEN 0 ELSE pick(styles_spread(), turn(child_roll, 1)) END AS n_styles,
        CASE WHEN bare THEN 0 ELSE pick(related_spread(), turn(child_roll, 2)) END AS n_related,
        pick(cart_spread(), turn(child_roll, 3)) AS n_cart,
        pick(reviews_spread(), turn(child_roll, 4)) AS n_reviews,
        pick(characteristics_spread(), turn(child_roll, 5)) AS n_characteristics,
        pick(questions_spread(), dice(ordinal, 'questions')) AS n_questions
    FROM rolled
)
SELECT
    id, pick(qualities(), turn(roll, 2)) || ' ' || nouns()[1 + noun] AS name,
    pick(slogan_starts(), turn(roll, 3)) || ' ' || pick(slogan_ends(), turn(roll, 4)) AS slogan,
    concat_ws(
        ' ', pick(openings(), text_roll), sentence(turn(text_roll, 1)),
        sentence(turn(text_roll, 4)),
        CASE WHEN text_roll % 100 < 95 THEN sentence(dice(ordinal, 'more')) END,
        CASE WHEN text_roll % 100 < 80 THEN sentence(turn(dice(ordinal, 'more'), 3)) END,
        pick(closings(), turn(text_roll, 2))
    ) AS description,
    categories()[1 + noun // 4] AS category,
    12 + (turn(roll, 5) % 240)::BIGINT AS default_price,
    TRUE AS eligible, ordinal,
    n_features, n_styles, n_related, n_cart, n_reviews, n_characteristics, n_questions,
    getvariable('features_start') + sum(n_features) OVER sofar - n_features AS first_features,
    getvariable('styles_start') + sum(n_styles) OVER sofar - n_styles AS first_styles,
    getvariable('related_start') + sum(n_related) OVER sofar - n_related AS first_related,
    getvariable('cart_start') + sum(n_cart) OVER sofar - n_cart AS first_cart,
    getvariable('reviews_start') + sum(n_reviews) OVER sofar - n_reviews AS first_reviews,
    getvariable('characteristics_start') + sum(n_characteristics) OVER sofar - n_characteristics
        AS first_characteristics,
    getvariable('questions_start') + sum(n_questions) OVER sofar - n_questions AS first_questions
FROM counted
WINDOW sofar AS (ORDER BY ordinal ROWS UNBOUNDED PRECEDING)
ORDER BY ordinal;
