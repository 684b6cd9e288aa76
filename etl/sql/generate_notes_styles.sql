-- A name with an escaped quote has the row's id in it, so it is like no other.
WITH stored AS (
    SELECT * FROM plan_styles WHERE loaded AND NOT superseded
)
SELECT 'same_style_name' AS note, count(*) - count(DISTINCT ("productId", name)) AS rows
FROM stored WHERE plant IS DISTINCT FROM 'escaped_text.name'
UNION ALL
SELECT 'no_default_style', count(*) FROM (
    SELECT "productId" FROM stored GROUP BY "productId" HAVING NOT bool_or(default_style)
)
UNION ALL
SELECT 'childless', count(*) FROM stored
WHERE
    NOT EXISTS (
        SELECT 1 FROM plan_photos AS child
        WHERE child.loaded AND NOT child.superseded AND child."styleId" = stored.id
    )
    AND NOT EXISTS (
        SELECT 1 FROM plan_skus AS child
        WHERE child.loaded AND NOT child.superseded AND child."styleId" = stored.id
    );
