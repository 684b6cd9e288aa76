CREATE TEMP TABLE raw_reviews_photos AS
SELECT
    spread_id(first_reviews_photos + turn_in_parent, 'reviews_photos') AS id,
    id AS review_id,
    photo_address(dice(first_reviews_photos + turn_in_parent, 'review photo'), '900') AS url,
    loaded AS eligible
FROM (
    SELECT *, unnest(range(n_reviews_photos)) AS turn_in_parent
    FROM plan_reviews WHERE NOT superseded
);
