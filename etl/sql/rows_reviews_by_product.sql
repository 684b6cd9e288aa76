-- One review as the list shows it, and what the load needs to render it again.
WITH ratings AS (
    SELECT
        review_id,
        string_agg(triple, ',') AS triples
    FROM (
        SELECT
            review_id,
            concat('[', coalesce(CAST(id AS VARCHAR), 'null'), ',', characteristic_id, ',', value, ']')
                AS triple
        FROM slice_ratings
        ORDER BY pos
    )
    GROUP BY review_id
)
SELECT
    product_id,
    0 AS section,
    id AS item,
    helpfulness,
    reported,
    concat(
        '{"review_id":', id, ',"rating":', rating, ',"summary":', json_text(summary),
        ',"recommend":', json_boolean(recommend), ',"response":', json_text(response),
        ',"body":', json_text(body), ',"date":', json_date(date),
        ',"reviewer_name":', json_text(reviewer_name), ',"helpfulness":', helpfulness,
        ',"photos":[', photos.objects, ']}'
    ) AS review,
    concat('{"email":', json_text(reviewer_email), ',"ratings":[', triples, ']}') AS source,
    date AS written_at
FROM slice_reviews
LEFT JOIN slice_review_photos AS photos ON photos.review_id = id
LEFT JOIN ratings ON ratings.review_id = id
UNION ALL
-- A review that went to another product leaves an empty row behind, which a late load cannot fill.
SELECT product_id, 0, id, 0, true, '', '{}', 0
FROM placed_reviews
WHERE product_id BETWEEN @low AND @high
    AND NOT EXISTS (
        SELECT 1 FROM slice_reviews AS here
        WHERE here.id = placed_reviews.id AND here.product_id = placed_reviews.product_id
    )
