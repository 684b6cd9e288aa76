-- Parents that exist: loaded by these files, or stored.
CREATE VIEW product_ids AS
SELECT id FROM product_clean UNION ALL SELECT id FROM stored_ids;
CREATE VIEW style_ids AS
SELECT id FROM styles_clean UNION ALL SELECT id FROM stored_styles;
