-- Where the touched rows stand, and which characteristics and meta matter.
DELETE FROM stored_characteristics
WHERE product_id NOT IN (SELECT id FROM named_review_products);
DELETE FROM stored_meta WHERE product_id NOT IN (SELECT id FROM named_review_products);
INSERT INTO placed_reviews SELECT product_id, id FROM stored_reviews;
INSERT INTO placed_questions
SELECT product_id, id, 0 FROM stored_questions
UNION ALL SELECT product_id, question_id, id FROM stored_answers;
INSERT INTO placed_cart SELECT user_session, id FROM stored_cart;
INSERT INTO stored_deleted SELECT unnest(CAST(@deleted AS BIGINT[]));
