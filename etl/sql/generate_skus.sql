-- One style in 50 has its first size twice.
CREATE TEMP TABLE raw_skus AS
WITH expanded AS (
    SELECT
        id AS "styleId", loaded AS eligible, n_skus, first_skus + turn_in_parent AS ordinal,
        CASE WHEN ordinal % 50 = 23 AND turn_in_parent = 1 THEN 0 ELSE turn_in_parent END AS place
    FROM (
        SELECT *, unnest(range(n_skus)) AS turn_in_parent FROM plan_styles WHERE NOT superseded
    )
)
SELECT
    spread_id(ordinal, 'skus') AS id,
    "styleId",
    CASE
        WHEN n_skus = 1 THEN 'One Size'
        WHEN n_skus <= 6 THEN letter_sizes()[1 + place]
        ELSE shoe_sizes()[1 + place]
    END AS size,
    (dice(ordinal, 'quantity') % 60)::BIGINT AS quantity,
    eligible
FROM expanded;
