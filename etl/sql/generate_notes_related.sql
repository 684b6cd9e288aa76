SELECT 'self_relation' AS note, count(*) AS rows
FROM plan_related
WHERE loaded AND NOT superseded AND current_product_id = related_product_id
UNION ALL
SELECT 'duplicate_relation', count(*) - count(DISTINCT (current_product_id, related_product_id))
FROM plan_related WHERE loaded AND NOT superseded;
