-- Our own words. Nothing here comes from the legacy files.
CREATE MACRO qualities() AS [
    'Meadow', 'Harbour', 'Cinder', 'Alder', 'Quiet', 'Lantern', 'Granite', 'Saltmarsh', 'Copper',
    'Juniper', 'Foxglove', 'Northbound', 'Tidal', 'Bramble', 'Paper Moon', 'Orchard', 'Slate',
    'Wren''s', 'Ember', 'Thistle', 'Longshore', 'Ochre', 'Rye', 'Featherlight', 'Sundial', 'Moss',
    'Kestrel', 'Driftwood', 'Almanac', 'Café', 'Ferryman''s', 'Winter Wheat', 'Cobble', 'Pilgrim'
];
-- Four nouns a category, in the order of categories().
CREATE MACRO nouns() AS [
    'Windbreaker', 'Parka', 'Field Coat', 'Bomber', 'Chinos', 'Track Trousers', 'Cords', 'Jeans',
    'Tee', 'Henley', 'Polo', 'Rugby Shirt', 'Pullover', 'Cardigan', 'Hoodie', 'Fleece',
    'Trail Shoes', 'Plimsolls', 'Court Shoes', 'Runners', 'Ankle Boots', 'Rain Boots', 'Clogs',
    'Hikers', 'Wrap Dress', 'Pinafore', 'Sundress', 'Tunic', 'Beanie', 'Bucket Hat', 'Cap',
    'Headband', 'Satchel', 'Tote', 'Rucksack', 'Belt Bag', 'Scarf', 'Gloves', 'Mittens', 'Belt',
    'Swim Shorts', 'Board Shorts', 'Running Shorts', 'Bermudas', 'Socks', 'Base Layer', 'Leggings',
    'Sleep Set', 'Reading Glasses', 'Sun Visor', 'Sports Shades', 'Umbrella'
];
CREATE MACRO categories() AS [
    'Outerwear', 'Trousers', 'Shirts', 'Knitwear', 'Sneakers', 'Boots', 'Dresses', 'Headwear',
    'Bags', 'Small Goods', 'Shorts', 'Basics', 'Eyewear & Rain'
];
CREATE MACRO slogan_starts() AS [
    'Made for', 'Ready for', 'A friend to', 'Built around', 'At home in', 'Never late for',
    'Kind to', 'Quietly good at', 'Half the weight of', 'Second to none at', 'Packed for',
    'Mended once, worn through'
];
CREATE MACRO slogan_ends() AS [
    'slow mornings', 'the long way round', 'wet platforms', 'open windows', 'other people''s dogs',
    'a week without plans', 'the last tram, always', 'stairs, ladders and ledges', 'borrowed bikes',
    'weather that cannot decide', 'the back row', 'market days', 'small hours and early trains'
];
CREATE MACRO openings() AS [
    'Drawn on a kitchen table and tested on three coasts, it asks for very little of you.',
    'We wore the first one for a year before we let anybody buy the second.',
    'There is nothing clever about it, which took our cutters nine attempts.',
    'It began as a favour to a lighthouse keeper who was tired of cold elbows.',
    'Somewhere between a uniform and a good excuse, it goes where you were going anyway.',
    'Our oldest pattern, with two seams fewer and a pocket that finally fits a notebook.',
    'The shop calls it "the dependable one", and the returns desk has little to add.',
    'Take it out of the box, shake it once, and it looks as if it had always been yours.'
];
CREATE MACRO parts() AS [
    'The cloth', 'Each seam', 'The lining', 'Its collar', 'The hem', 'Every fastening', 'The weave',
    'A hidden pocket', 'The outer layer', 'The edge', 'The dye', 'The padding', 'Its second layer'
];
CREATE MACRO doings() AS [
    'is brushed twice', 'lies flat', 'can be replaced in an evening', 'keeps its shape',
    'stops the wind', 'turns drizzle away', 'bends where you bend', 'was cut on the bias',
    'softens with each wash', 'is bound by hand', 'dries on a chair overnight', 'holds its colour'
];
CREATE MACRO reasons() AS [
    'so it warms without weight', 'and nothing scratches', 'even after a hundred washes',
    'because somebody insisted', 'and the inner one breathes', 'which you notice on day two',
    'as the old ones did', 'so you can forget about it;  we did', 'and that is all we''ll say',
    'with thread doubled throughout', 'for walks that become longer', 'in any sensible weather'
];
CREATE MACRO sentence(roll) AS
    pick(parts(), roll) || ' ' || pick(doings(), turn(roll, 1)) || ', '
    || pick(reasons(), turn(roll, 2)) || '.';
CREATE MACRO closings() AS [
    'Cold wash, hang dry, forget the iron.', 'Runs a little wide: take your usual size.',
    'Repairs are on us for as long as we are here.', 'Spare buttons are sewn inside the hem.',
    'Sold singly, loved in pairs.', 'Folds into its own pocket, if you insist.',
    'Comes in a paper bag, leaves in good company.', 'It''s better in the second season.'
];
CREATE MACRO feature_names() AS [
    'Shell', 'Lining', 'Closure', 'Weave', 'Origin', 'Sole Unit', 'Pockets', 'Care', 'Weight Class'
];
CREATE MACRO feature_values() AS [
    'Waxed Linen', 'Boiled Wool', 'Horn Toggle', 'Herringbone', 'Recycled Nylon', 'Crepe, 9 mm',
    'Two and a Hidden One', 'Hand Wash', 'Middling', 'Brass Zip', 'Cupro', 'Hemp 60% Cotton 40%'
];
CREATE MACRO tones() AS [
    'Peat', 'Chalk', 'Lichen', 'Rust', 'Ink', 'Oat', 'Plum', 'Teal', 'Brick', 'Smoke', 'Saffron',
    'Pine', 'Heather', 'Bone', 'Cobalt', 'Clay'
];
CREATE MACRO letter_sizes() AS ['XS', 'S', 'M', 'L', 'XL', 'XXL'];
CREATE MACRO shoe_sizes() AS [
    '6', '6.5', '7', '7.5', '8', '8.5', '9', '9.5', '10', '10.5', '11', '12'
];
CREATE MACRO characteristic_names() AS ['Size', 'Width', 'Length', 'Fit', 'Comfort', 'Quality'];
CREATE MACRO verdicts() AS [
    'Better than the picture', 'Went back the same day', 'My third, and not my last',
    'Does what it should', 'Too warm for May', 'A little long in the arm', 'Worth the wait',
    'Fine, nothing more', 'The colour surprised me', 'Stitching came loose', 'Exactly my size'
];
CREATE MACRO remarks() AS [
    'I have worn it on the ferry every morning since and it still looks new.',
    'My sister tried it on and I have not seen it since, so I ordered another.',
    'The shoulders are generous but the waist is not, so measure before you choose.',
    'After one wash the hem curled, and the shop replaced it without a word.',
    'It is heavier than I thought, which in this wind is a good thing.',
    'Packaging was plain, delivery took four days, and nothing was missing.',
    'People ask me where it is from, and I tell them it is "from the internet".',
    'For the price I can''t complain; for twice the price I would.'
];
CREATE MACRO replies() AS [
    'Thank you, that made our week!', 'Please write to our repair desk, we will see to it.',
    'We have passed this on to the cutters.', 'Sorry to hear it, a new one is on its way.'
];
CREATE MACRO question_texts() AS [
    'Does the lining come out for washing?', 'Is the smaller pocket deep enough for a phone?',
    'How warm is it on a bicycle, honestly?', 'Will the peat colour be back this year?',
    'Is it cut for long arms, short arms, or somebody in between?',
    'Has anyone had the zip replaced?', 'Can I iron it?', 'Do the half sizes run narrow?'
];
CREATE MACRO answer_texts() AS [
    'Yes, with two snaps at the collar.', 'Mine did after a summer, no trouble since.',
    'No', 'I would take one size up.', 'The shop says yes, my tailor says no',
    'Warm enough down to about five degrees, then add a jumper.', 'Ask again in October!',
    'It fits, but only without a case'
];
CREATE MACRO people() AS [
    'tram_nine', 'oddsock', 'marlow', 'quillpig', 'ferrywake', 'b_sharp', 'nettle', 'halfpint',
    'lodestar', 'umbra7', 'paperboat', 'Seller', 'okapi', 'twelvetone', 'søren', 'kitebag'
];
