CREATE TABLE photos_clean AS
SELECT
    pos, lines,
    read_key(id) AS id,
    read_parent(style_id) AS style_id,
    read_nullable_text(url) AS url,
    read_nullable_text(thumbnail_url) AS thumbnail_url,
    flags | nullable_text_flags(url) | nullable_text_flags(thumbnail_url) AS flags,
    CASE
        WHEN read_key(id) IS NULL THEN ['invalid_integer', 'id', id]
        WHEN read_parent(style_id) IS NULL THEN ['invalid_integer', 'styleId', style_id]
    END AS fault
FROM photos_fields;
