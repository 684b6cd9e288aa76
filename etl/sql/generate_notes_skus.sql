-- A size with an escaped quote has the row's id in it, so it is like no other.
SELECT 'same_size' AS note, count(*) - count(DISTINCT ("styleId", size)) AS rows
FROM plan_skus
WHERE loaded AND NOT superseded AND plant IS DISTINCT FROM 'escaped_text.size';
