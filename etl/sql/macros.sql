-- How a field is read and how a value is written, for every stage.
--
-- A field is the text between two commas of a row, its quotes included. Readers answer NULL for what
-- they refuse. The bits that are named are those of `flags` (see etl/stages.py).

-- pos, the order of a row among all rows of its table: the file's ordinal, the line (of Parquet, the
-- row from 1) and, for the second of two rows on a line, part 1. Stored rows, whose pos is negative,
-- come before all files.
CREATE MACRO pos_of(file, line, part) AS (CAST(file AS BIGINT) << 42) + line * 2 + part;
CREATE MACRO file_of(pos) AS CAST(CAST(pos AS BIGINT) >> 42 AS INTEGER);
CREATE MACRO line_of(pos) AS (pos & 4398046511103) >> 1;
CREATE MACRO part_of(pos) AS CAST(pos & 1 AS TINYINT);

-- The way back from lines.encode_lines, for files that had to be copied.
CREATE MACRO decoded_line(line) AS
    CASE WHEN NOT contains(line, chr(30)) THEN line
    WHEN starts_with(line, chr(30) || 'X') THEN NULL
    ELSE replace(replace(replace(
        CASE WHEN ends_with(line, chr(30) || 'R') THEN left(line, length(line) - 2) ELSE line END,
        chr(30) || 'B', ''), chr(30) || 'R', chr(13)), chr(30) || 'E', chr(30))
    END;
CREATE MACRO ends_in_return(line) AS ends_with(line, chr(30) || 'R');

-- A place counted from the end costs eight times as much as one that the bytes tell, as of ASCII.
CREATE MACRO between_quotes(field) AS
    CASE WHEN length(field) = strlen(field) THEN substr(field, 2, strlen(field) - 2)
        ELSE field[2:-2] END;
CREATE MACRO unquoted(field) AS
    CASE WHEN starts_with(field, '"') THEN replace(between_quotes(field), '""', '"')
        ELSE field END;
CREATE MACRO bare(field) AS trim(unquoted(field), ' ' || chr(9));

-- Free text is null only as the exact unquoted word; where null is meant, blanks and case forgive.
CREATE MACRO is_null_text(field) AS field = 'null';
-- What begins with neither a blank nor an N is told by that, which is cheap.
CREATE MACRO may_mean_null(field) AS
    strlen(field) < 12
    AND (field < '!' OR field BETWEEN 'n' AND 'o' OR field BETWEEN 'N' AND 'O');
CREATE MACRO is_null_word(field) AS
    CASE WHEN may_mean_null(field) THEN lower(trim(field, ' ' || chr(9))) = 'null' ELSE false END;
CREATE MACRO is_empty(field) AS
    CASE WHEN may_mean_null(field) THEN trim(field, ' ' || chr(9)) = '' ELSE false END;
CREATE MACRO means_null(field) AS
    CASE WHEN may_mean_null(field) THEN lower(trim(field, ' ' || chr(9))) IN ('', 'null')
        ELSE false END;

CREATE MACRO read_text(field) AS
    CASE WHEN is_null_text(field) THEN NULL ELSE unquoted(field) END;
CREATE MACRO read_nullable_text(field) AS
    CASE WHEN means_null(field) THEN NULL ELSE unquoted(field) END;

-- A number as DuckDB itself would write it is one: far cheaper to see than by a pattern, which is
-- left for the quoted, the padded and the wrong.
CREATE MACRO is_plain_integer(field) AS
    strlen(field) <= 16 AND CAST(TRY_CAST(field AS BIGINT) AS VARCHAR) = field;
CREATE MACRO is_digits(field) AS
    CASE WHEN is_plain_integer(field) THEN NOT starts_with(field, '-')
        ELSE regexp_full_match(bare(field), '[0-9]+') END;
CREATE MACRO whole_number(digits) AS
    CASE WHEN regexp_full_match(digits, '0*[0-9]{1,16}') THEN TRY_CAST(digits AS BIGINT) END;
CREATE MACRO within(number, low, high) AS
    CASE WHEN number BETWEEN low AND high THEN number END;
CREATE MACRO read_natural(field) AS
    CASE WHEN is_plain_integer(field) THEN CAST(field AS BIGINT)
        ELSE whole_number(bare(field)) END;
CREATE MACRO read_integer(field) AS
    CASE WHEN is_plain_integer(field) THEN CAST(field AS BIGINT)
        WHEN starts_with(bare(field), '-') THEN -whole_number(bare(field)[2:])
        ELSE whole_number(bare(field)) END;
CREATE MACRO read_key(field) AS within(read_natural(field), 1, @max_id);
CREATE MACRO read_parent(field) AS within(read_natural(field), 0, @max_id);
CREATE MACRO read_count(field) AS within(read_natural(field), 0, 2147483647);
CREATE MACRO read_quantity(field) AS within(read_integer(field), -@max_id, @max_id);

-- Whole units or two decimals, in cents; up to 13 digits, so that cents stay below 2^53. A sign of
-- currency and thousands separators are repaired, and only where the separators stand in threes.
CREATE MACRO plain_cents(price) AS
    CASE WHEN regexp_full_match(price, '[0-9]{1,13}') THEN CAST(price AS BIGINT) * 100
        WHEN regexp_full_match(price, '[0-9]{1,13}\.[0-9]{2}')
            THEN CAST(replace(price, '.', '') AS BIGINT)
    END;
CREATE MACRO is_formatted_price(price) AS
    regexp_full_match(
        price,
        '(?:[$€£¥] ?)?(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,13})(?:\.[0-9]{2})?(?: ?[$€£¥])?'
    );
CREATE MACRO read_cents(field) AS
    coalesce(
        plain_cents(bare(field)),
        CASE WHEN is_formatted_price(bare(field))
            THEN plain_cents(regexp_replace(bare(field), '[^0-9.]', '', 'g')) END
    );
CREATE MACRO read_boolean(field) AS
    CASE WHEN lower(bare(field)) IN ('1', 'true', 't') THEN true
        WHEN lower(bare(field)) IN ('0', 'false', 'f') THEN false END;

-- Milliseconds since 1970, up to the end of the year 9999. Digits are milliseconds; ten or fewer
-- could be seconds, which nobody should guess. A date without a zone is UTC.
CREATE MACRO is_rounded_date(date) AS
    regexp_full_match(date, '[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}');
CREATE MACRO text_date(date) AS
    CASE WHEN regexp_full_match(
        date,
        '[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?: ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?)?'
    ) THEN epoch_ms(TRY_CAST(date AS TIMESTAMPTZ)) END;
CREATE MACRO read_date(field) AS
    within(
        CASE WHEN means_null(field) THEN 0
            WHEN regexp_full_match(bare(field), '0|[1-9][0-9]{10,14}')
                THEN CAST(bare(field) AS BIGINT)
            WHEN is_rounded_date(bare(field))
                THEN TRY_CAST(CAST(bare(field) AS DOUBLE) AS BIGINT)
            ELSE text_date(bare(field)) END,
        0, 253402300799999
    );

CREATE MACRO flag_when(condition, bit) AS CASE WHEN condition THEN bit ELSE 0 END;
CREATE MACRO text_flags(field) AS
    flag_when(is_null_text(field), @null_word)
    | flag_when(contains(field, '""') AND field <> '""', @escaped_text);
CREATE MACRO nullable_flags(field) AS
    CASE WHEN is_null_word(field) THEN @null_word WHEN is_empty(field) THEN @empty_null ELSE 0 END;
CREATE MACRO nullable_text_flags(field) AS
    nullable_flags(field)
    | flag_when(contains(field, '""') AND field <> '""', @escaped_text);
CREATE MACRO price_flags(field) AS
    flag_when(plain_cents(bare(field)) IS NULL, @formatted_price)
    | flag_when(read_cents(field) >= 500000000, @extreme_value);
CREATE MACRO nullable_price_flags(field) AS
    CASE WHEN means_null(field) THEN nullable_flags(field)
        ELSE price_flags(field) END;
CREATE MACRO quantity_flags(field) AS flag_when(read_quantity(field) = 0, @extreme_value);
CREATE MACRO boolean_flags(field, usual) AS
    flag_when(NOT list_contains(usual, bare(field)), @boolean_word);
CREATE MACRO date_flags(field) AS
    CASE WHEN regexp_full_match(bare(field), '[0-9]+') THEN 0
        WHEN means_null(field) THEN @null_date
        WHEN is_rounded_date(bare(field)) THEN @rounded_date
        ELSE @text_date END;

-- JSON text exactly as schema/documents.py writes it. DuckDB writes some control characters with
-- capital digits, so texts with an escape of that kind take the long way. Looking for it in what
-- DuckDB wrote takes a third of the time of looking for the characters in the text.
CREATE MACRO long_json_text(text) AS
    '"' || @long_escapes || '"';
CREATE MACRO json_text(text) AS
    CASE WHEN text IS NULL THEN 'null'
        WHEN contains(CAST(to_json(text) AS VARCHAR), '\u00') THEN long_json_text(text)
        ELSE CAST(to_json(text) AS VARCHAR) END;
CREATE MACRO price_text(cents) AS
    CAST(cents // 100 AS VARCHAR) || '.' || lpad(CAST(cents % 100 AS VARCHAR), 2, '0');
CREATE MACRO json_price(cents) AS
    CASE WHEN cents IS NULL THEN 'null' ELSE '"' || price_text(cents) || '"' END;
CREATE MACRO json_boolean(flag) AS CASE WHEN flag THEN 'true' ELSE 'false' END;
CREATE MACRO json_date(milliseconds) AS
    '"' || strftime(make_timestamp_ms(milliseconds), '%Y-%m-%dT%H:%M:%S.%gZ') || '"';
-- Exactly rounded to 16 decimals, as the contract's answers are.
CREATE MACRO sixteen_decimals(units) AS
    CAST(units // 10000000000000000 AS VARCHAR) || '.'
    || lpad(CAST(units % 10000000000000000 AS VARCHAR), 16, '0');
CREATE MACRO json_mean(total, rows) AS
    CASE WHEN rows = 0 THEN 'null'
        ELSE '"' || sixteen_decimals(
            (CAST(total AS HUGEINT) * 20000000000000000 + rows) // (2 * rows)
        ) || '"' END;
CREATE MACRO etag_of(body) AS left(md5(body), 16);
