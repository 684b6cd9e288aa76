-- What the files name, for the scans of the stored rows.
INSERT INTO named_products
SELECT id FROM product_clean
UNION SELECT product_id FROM features_clean
UNION SELECT product_id FROM styles_clean
UNION SELECT product_id FROM related_clean;
INSERT INTO named_styles
SELECT id FROM styles_clean
UNION SELECT style_id FROM photos_clean
UNION SELECT style_id FROM skus_clean;

INSERT INTO named_review_products
SELECT product_id FROM reviews_clean
UNION SELECT product_id FROM characteristics_clean;
INSERT INTO named_reviews
SELECT id FROM reviews_clean
UNION SELECT review_id FROM reviews_photos_clean
UNION SELECT review_id FROM characteristic_reviews_clean;
INSERT INTO named_characteristics
SELECT id FROM characteristics_clean
UNION SELECT characteristic_id FROM characteristic_reviews_clean;

INSERT INTO named_question_products
SELECT DISTINCT product_id FROM questions_clean;
INSERT INTO named_questions
SELECT id FROM questions_clean
UNION SELECT question_id FROM answers_clean;
INSERT INTO named_answers
SELECT id FROM answers_clean
UNION SELECT answer_id FROM answers_photos_clean;
