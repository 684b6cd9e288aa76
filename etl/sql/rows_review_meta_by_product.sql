-- What the reviews of a product come to, but for those that the API wrote: they are counted beside the
-- base. Texts are put together as in rows_products_by_id.sql. A rating counts for a characteristic of the same product.
WITH counted_reviews AS (
    SELECT * FROM slice_reviews WHERE id NOT IN (SELECT id FROM posted_reviews)
),
by_rating AS (
    SELECT
        product_id,
        string_agg(concat('"', rating, '":"', reviews, '"'), ',') AS shown,
        string_agg(concat('"', rating, '":', reviews), ',') AS summed
    FROM (
        SELECT product_id, rating, count(*) AS reviews
        FROM counted_reviews GROUP BY ALL ORDER BY rating
    )
    GROUP BY product_id
),
by_recommendation AS (
    SELECT
        product_id,
        string_agg(concat('"', json_boolean(recommend), '":"', reviews, '"'), ',') AS shown,
        string_agg(concat('"', json_boolean(recommend), '":', reviews), ',') AS summed
    FROM (
        SELECT product_id, recommend, count(*) AS reviews
        FROM counted_reviews GROUP BY ALL ORDER BY recommend
    )
    GROUP BY product_id
),
rated AS (
    SELECT product_id, characteristic_id, count(*) AS reviews, CAST(sum(value) AS BIGINT) AS total
    FROM slice_ratings
    WHERE review_id NOT IN (SELECT id FROM posted_reviews)
    GROUP BY ALL
),
characteristics AS (
    SELECT
        one.product_id, one.id, one.name, one.pos, coalesce(rated.reviews, 0) AS reviews,
        coalesce(rated.total, 0) AS total,
        -- Of several with one name the last is shown; one without a name never is.
        name IS NOT NULL
            AND row_number() OVER (PARTITION BY one.product_id, name ORDER BY one.pos DESC) = 1
            AS is_shown
    FROM characteristics_final AS one
    LEFT JOIN rated ON rated.characteristic_id = one.id AND rated.product_id = one.product_id
    WHERE one.product_id BETWEEN @low AND @high
),
by_characteristic AS (
    SELECT
        product_id,
        string_agg(
            concat(json_text(name), ':{"id":', id, ',"value":', json_mean(total, reviews), '}'), ','
        ) FILTER (WHERE is_shown) AS shown,
        string_agg(
            concat('{"id":', id, ',"name":', json_text(name), ',"reviews":', reviews, ',"sum":', total, '}'),
            ','
        ) AS summed
    FROM (SELECT * FROM characteristics ORDER BY pos)
    GROUP BY product_id
),
members AS (
    SELECT product_id FROM by_rating
    UNION SELECT product_id FROM by_characteristic
    UNION SELECT product_id FROM stored_meta WHERE product_id BETWEEN @low AND @high
)
SELECT
    product_id,
    0 AS delta,
    '{"product_id":"' || product_id || '","ratings":{' || coalesce(by_rating.shown, '')
        || '},"recommended":{' || coalesce(by_recommendation.shown, '')
        || '},"characteristics":{' || coalesce(by_characteristic.shown, '') || '}}' AS meta,
    '{"ratings":{' || coalesce(by_rating.summed, '')
        || '},"recommended":{' || coalesce(by_recommendation.summed, '')
        || '},"characteristics":[' || coalesce(by_characteristic.summed, '') || ']}' AS totals
FROM members
LEFT JOIN by_rating USING (product_id)
LEFT JOIN by_recommendation USING (product_id)
LEFT JOIN by_characteristic USING (product_id)
