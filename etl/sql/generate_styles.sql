-- One style in 97 is bare (no photos, no skus), one in 61 repeats its neighbour's name; one product
-- in 40 has no default style.
CREATE TEMP TABLE raw_styles AS
WITH expanded AS (
    SELECT *, unnest(range(n_styles)) AS turn_in_parent
    FROM plan_product WHERE NOT superseded
),
rolled AS (
    SELECT
        *, first_styles + turn_in_parent AS style_ordinal,
        dice(first_styles + turn_in_parent, 'style') AS roll,
        dice(ordinal, 'style names') AS names_roll
    FROM expanded
),
counted AS (
    SELECT
        * EXCLUDE (name),
        CASE WHEN style_ordinal % 97 = 41 THEN 0 ELSE pick(photos_spread(), roll) END AS n_photos,
        CASE WHEN style_ordinal % 97 = 41 THEN 0
            ELSE pick(skus_spread(), turn(roll, 1)) END AS n_skus,
        CASE WHEN style_ordinal % 61 = 17 THEN 0 ELSE turn_in_parent END AS name_turn
    FROM rolled
)
SELECT
    spread_id(style_ordinal, 'styles') AS id,
    id AS "productId",
    pick(tones(), turn(names_roll, 1) + 3 * name_turn) || CASE
        WHEN name_turn % 2 = 1 THEN ' & ' || pick(tones(), turn(names_roll, 2)) ELSE ''
    END AS name,
    CASE WHEN turn(roll, 2) % 10 < 3 THEN default_price - 1 - (turn(roll, 3) % 10)::BIGINT END
        AS sale_price,
    default_price AS original_price,
    turn_in_parent = names_roll % n_styles AND ordinal % 40 <> 11 AS default_style,
    loaded AS eligible,
    style_ordinal AS ordinal, n_photos, n_skus,
    getvariable('photos_start') + sum(n_photos) OVER sofar - n_photos AS first_photos,
    getvariable('skus_start') + sum(n_skus) OVER sofar - n_skus AS first_skus
FROM counted
WINDOW sofar AS (ORDER BY style_ordinal ROWS UNBOUNDED PRECEDING)
ORDER BY style_ordinal;
