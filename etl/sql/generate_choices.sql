-- Every choice is a hash of (id, what is chosen, seed): the same for any chunk, order or thread.
CREATE MACRO dice(id, salt) AS hash(id, salt, getvariable('seed'));
CREATE MACRO pick(choices, roll) AS choices[1 + (roll % len(choices))::INTEGER];
-- Nine fresh bits a turn, so that one roll serves seven picks.
CREATE MACRO turn(roll, times) AS roll >> (9 * times);

-- Ordinal to id. Of every `gap_every` ids above 1,000 one is missing; 0: none is. Closed both ways,
-- so that any row may name any other product without a list of those that exist.
-- Without gaps the blocks are NULL rather than a division by zero.
CREATE MACRO block_ids() AS nullif(getvariable('gap_every'), 0);
CREATE MACRO block_rows() AS block_ids() - 1;
CREATE MACRO hole(block, salt) AS (dice(block, salt) % block_ids())::BIGINT;
CREATE MACRO gapped(place, salt) AS
    1001 + place + place // block_rows()
    + CASE WHEN place % block_rows() >= hole(place // block_rows(), salt) THEN 1 ELSE 0 END;
CREATE MACRO spread_id(ordinal, salt) AS CASE
    WHEN ordinal <= 1000 OR block_ids() IS NULL THEN ordinal
    ELSE gapped(ordinal - 1001, salt)
END;

-- Milliseconds since 1970, within 2018 to 2023.
CREATE MACRO some_date(roll) AS 1514764800000 + (roll % 189302400000)::BIGINT;
CREATE MACRO photo_address(roll, width) AS
    'https://images.catalog.example/photo-' || lower(to_hex(roll))
    || '?crop=entropy&fit=max&fm=jpg&q=80&w=' || width;

-- How texts stand in the files: always quoted, or as a spreadsheet leaves them.
CREATE MACRO quoted(text) AS '"' || replace(text, '"', '""') || '"';
CREATE MACRO quoted_where_needed(text) AS CASE
    WHEN contains(text, ',') OR contains(text, '"') OR text IN ('null', '') THEN quoted(text)
    ELSE text
END;
