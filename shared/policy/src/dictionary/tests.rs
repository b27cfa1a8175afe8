use super::*;

mod phrases;

fn lists() -> &'static Dictionaries {
    static LISTS: std::sync::LazyLock<Dictionaries> =
        std::sync::LazyLock::new(|| Dictionaries::built_in().unwrap());
    &LISTS
}

fn list(text: &str) -> Dictionary {
    Dictionary::parse("test", text).unwrap()
}

fn found(dictionary: &Dictionary, text: &str) -> Vec<String> {
    let hits = dictionary.find(&Text::new(text));
    hits.iter()
        .map(|hit| text[hit.start..hit.end].to_owned())
        .collect()
}

fn built_in(names: &[&str], text: &str) -> Vec<String> {
    let lists = lists();
    names
        .iter()
        .flat_map(|name| found(lists.find(name).unwrap(), text))
        .collect()
}

fn profane(text: &str) -> Vec<String> {
    built_in(&["profanity-ru", "profanity-en"], text)
}

#[test]
fn an_entry_matches_its_own_form_and_a_stem_every_form() {
    let words = list("водка\nконьяк*\n*пизд*\n= Apple\n");
    assert_eq!(
        found(&words, "Водка, водкой и коньяками"),
        ["Водка", "коньяками"]
    );
    assert_eq!(found(&words, "распиздяйство"), ["распиздяйство"]);
    assert_eq!(found(&words, "Apple and an apple"), ["Apple"]);
}

#[test]
fn a_root_takes_prefixes_and_not_arbitrary_letters() {
    let words = list("+ебал*");
    assert_eq!(
        found(&words, "заебал, колебался, наебали, хлебал, подъебала").len(),
        3
    );
}

#[test]
fn an_exception_excuses_what_it_covers_and_nothing_else() {
    let words = list("dick\nхер*\n! moby dick\n! херсон*\n");
    assert_eq!(found(&words, "Moby Dick, you dick"), ["dick"]);
    assert_eq!(found(&words, "Херсонская область, херня"), ["херня"]);
}

#[test]
fn every_trick_is_seen_through() {
    let disguises = DISGUISES
        .lines()
        .flat_map(|line| line.split('|'))
        .map(str::trim);
    let lists = lists();
    let finds = |name: &str, text: &str| !found(lists.find(name).unwrap(), text).is_empty();
    let seen = |text: &str| {
        let lists = ["profanity-ru", "profanity-en", "profanity-mild"];
        lists.iter().any(|name| finds(name, text))
    };
    let missed: Vec<_> = disguises
        .filter(|text| !text.is_empty() && !seen(text))
        .collect();
    assert!(missed.is_empty(), "not seen: {missed:?}");
}

const DISGUISES: &str = "
    сука | СУКА | сууука | суука | сукааааа | с у к а | с.у.к.а | с-у-к-а | С У К А
    су-ка | cyкa | CYKA | сук@ | су\u{200b}ка | су\u{ad}ка | с\u{301}у\u{301}к\u{301}а
    с*ка | ｓｕｋａ | х0й | x*й | ху* | xyй | хуй\u{fe0f} | х у й | х_у_й
    х\u{202e}у\u{202c}й | б***ь | б**дь | бл*дь | бл#дь | 6ля | бл@ть | бляяяя | блЯяТь
    п****ц | пи$дец | п*здец | е*ать | ёб твою мать | ё*аный | ебааать | заеб@л
    пизд🍑ц | м*дак | xуйня | нахyй | на хуй | на-хуй | с'ебался | долбоёб | долбоeб
    х*иня | хуиня | 3аебал | пи3да | гоvно | жoпа | 6лядь | ебaный | f**k | f*ck | fu*k | f**king
    fuuuuck | fuuck | fuсk | f u c k | f.u.c.k | F U C K | sh!t | $hit | s#it | sh*t
    5hit | b!tch | b1tch | b*tch | @sshole | a$$hole | a**hole | pr0n | p0rn
    b00bs | d1ck | c*nt | ｆｕｃｋ | 𝖋𝖚𝖈𝖐 | ꜰᴜᴄᴋ | fück | motherf***er | mother-fucker
    fu-ck | f@ck | sh@t | с/у/к/а | f/u/c/k | motherf**er
    ";

#[test]
fn innocent_words_and_sentences_yield_nothing() {
    let lists = lists();
    let names = [
        "profanity-ru",
        "profanity-en",
        "profanity-mild",
        "insult-ru",
        "insult-en",
    ];
    let wrong: Vec<_> = INNOCENT
        .lines()
        .flat_map(|line| names.map(|name| found(lists.find(name).unwrap(), line)))
        .flatten()
        .collect();
    assert!(wrong.is_empty(), "taken for profane: {wrong:?}");
}

const INNOCENT: &str = "
    употреблять оскорблять страховать застрахуй подстрахуй перестрахуйся колебать колебаться хлебать рубля рублями корабля
    сабля дубля ансамбля мандарин команда командир мандат мандала мандолина Мандельштам скипидар класс классный барсука
    барсуку скука скуку рисунка посуда судак сукно сукцессия наука науки учебалка учеба неба хлеба потреба амеба ребёнок
    Себастьян Севастополь вебинар вебка подебажить гребля гребля и гребаный шлем грабли ослаблять углублять употребление
    истреблять истребление потреблядство-не-слово мудрый мудрец мудрость премудрый изумруд мудра педаль педагог педикюр
    пирожок ложка плохой плохую сухую глухую Хуан Хуанита Хуэйчжоу психуй эхуйский хулиган художник худой хурма хутор
    Херсон херувим херес шхеры бухгалтер пахер ссылка ссора ссадина ссыпать ссуда рассрочка россыпь срастание сразу
    страна срам срез мастурбекский срочный красный гондола гондольер пандус жопоголик-нет дрова дрожь дробь
    дерьмантин перья передел перед дипломат педантичный влагалищный-термин глагол хохот хохотать чебурашка
    залупоглавый-нет купа лупа лупить скалолаз ёлка ёж ежевика ебитда-нет кабель Кебаб дебаты жеребец
    требовать серебряный гребень теребить щебень лебедь лебедя небесный Хлебников Лебедев Рублёв стебель мебель
    Себеж бублик вобла облава область соблазн доблесть благо бляха яблоко тебя себя люблю любля грубля рубль кабаре
    манна мания манометр мандраж лимит лимон Манделштам комендант номинал бомонд
    Scunthorpe class classic assassin assassination assess assessment assume assistant associate grass glass pass mass
    bass Massachusetts compass passage embassy ambassador cassette cockpit cocktail peacock Hitchcock cockroach Hancock
    Dickens Dickinson dictionary predict addict cumulative document circumstance accumulate cucumber Cummings
    title titles tithe titan constitution substitute competition petition Titanic repetition analysis analyst canal
    analogue annals psychology therapist the rapist-free psychologist arsenal arsenic parse sparse coarse
    shitake shiitake Matsushita mishap push it wish it hits hit pitch bitcoin rabbit ambit arbiter
    hello shell whole howl Essex Sussex Middlesex Penistone Clitheroe Lightwater pen island expert exchange
    button butter Buttress pique pistol piston epistle mistress Pisa pissarro-free buckle duck luck Buck Fukuoka
    faggio fagot-free snigger niggle Niger Nigeria denigrate niggardly raccoon cocoon tycoon spice spicy Hispanic
    auspicious conspicuous despicable suspicious chinked kinked retardant-free hancock document
    swank swankier twatter-free Twitter whorl whorled sextet sixteen bassoon basement
    Он сидел на диване и читал книгу о мудром короле.
    Команда капитана отдала швартовы, и корабль вышел в море за сто рублей.
    Застрахуй квартиру, не колебайся и не употребляй просроченный хлеб.
    Мы обсуждаем класс страхования и учёбу в институте психологии.
    Оскорблять людей плохо, а хлебать суп громко невежливо.
    Я и в школе, и у нас дома, а с ними к обеду.
    и с у в к о а я
    A B C D E F G H I J K
    U S A U S S R N A S A
    2*x + 3*y = 5*z; a*b*c; f(x)*g(y)
    Samsung A55, model S3X5, room 4k55, b5 6a 0x5f3759df, 8-800-555-35-35, 100% и 5$
    Цена* действительна до 31.12.2026** *подробности у продавца
    **** 1234, И***в П. С., i***n@mail.example, user_name_test, file.name.txt, http://example.org/class_pass
    The quick brown fox jumps over the lazy dog, and the assistant passes the class.
    Mr. Dickens wrote about Massachusetts while drinking a cocktail in a cockpit with Hitchcock.
    Сухие ветки и сучки лежали у костра. Moby Dick, cum laude, pussy willow, chink in the armor.
    Что-то, кто-то, из-за, по-русски, ну-ка, на-ка, давно-давно, еле-еле, сине-зелёный, онлайн-курс
    ООО «Мандарин», АО «Рублёвка», ИП Хулиганов
    Эй, эй! Ааааа! Ооооо, ну даааа, красиииво, суууупер, классссс, ураааа, гоооол, хорошоооо
    Хочу купить хомут, хобот, хой, худи, хуже, хук, хула и холст.
    Fa-la-la, la-la-land, co-op, re-do, e-mail, x-ray, T-shirt, A-class, C-3PO, R2-D2
    ";

#[test]
fn words_of_each_subject_are_known_in_both_languages() {
    let cases = [
        ("alcohol", "Налей водки и бокал вина, a shot of vodka"),
        ("tobacco", "пачка сигарет и вейп, a pack of cigarettes"),
        ("drugs", "под кайфом от мефедрона, smoking weed"),
        ("weapons", "автомат Калашникова и АК-47, a shotgun"),
        ("brands", "новый айфон и Кока-Кола, Louis Vuitton"),
        (
            "advertising-calls",
            "промокод по ссылке в описании, sponsored by",
        ),
        ("insult-ru", "ты придурок и мразь"),
        ("insult-en", "you moron"),
        ("symbols", "свастика, a swastika"),
    ];
    for (name, text) in cases {
        assert!(!built_in(&[name], text).is_empty(), "{name}");
    }
}

#[test]
fn ordinary_homonyms_are_left_alone() {
    let cases = [
        (
            "drugs",
            "героиня романа, героини, соль, трава, план, закладка в книге, an action heroine",
        ),
        (
            "weapons",
            "автомат с водой, гранатовый сок, клеевой пистолет, a glue gun, кухонный нож",
        ),
        (
            "alcohol",
            "это моя вина, винтовая лестница, безалкогольное пиво, root beer, пивот",
        ),
        (
            "tobacco",
            "Курильские острова, Курилы, прикуриватель, no smoking",
        ),
        (
            "brands",
            "my channel, an apple and an orange, лента и магнит, a shell on the beach",
        ),
        (
            "advertising-calls",
            "код ошибки, описание, ссылка на закон, описание ссылки",
        ),
    ];
    for (name, text) in cases {
        assert_eq!(built_in(&[name], text), Vec::<String>::new(), "{name}");
    }
}

/// Lines of `LIST: text`.
fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = text.lines().filter(|line| !line.starts_with('#'));
    parts.filter_map(|line| line.split_once(": "))
}

#[test]
fn ordinary_sentences_yield_nothing() {
    let coarse = [
        "profanity-ru",
        "profanity-en",
        "profanity-mild",
        "insult-ru",
        "insult-en",
    ];
    let mut wrong = Vec::new();
    for (name, text) in lines(include_str!("tests/innocent.txt")) {
        let names = if name == "all" {
            &coarse[..]
        } else {
            &[name][..]
        };
        let hits = built_in(names, text);
        if !hits.is_empty() {
            wrong.push(format!("{name}: {hits:?}"));
        }
    }
    assert!(wrong.is_empty(), "found:\n{}", wrong.join("\n"));
}

#[test]
fn words_that_a_reader_expects_are_known() {
    let mut missed = Vec::new();
    for (name, words) in lines(include_str!("tests/known.txt")) {
        let unknown = words
            .split(" | ")
            .filter(|word| built_in(&[name], word).is_empty());
        missed.extend(unknown.map(|word| format!("{name}: {word}")));
    }
    assert!(missed.is_empty(), "not known:\n{}", missed.join("\n"));
}

#[test]
fn a_double_letter_is_a_stretched_one_in_russian_only() {
    let words = list("@masks\nсука\nshite\n");
    assert_eq!(found(&words, "суука, shiite"), ["суука"]);
    assert_eq!(found(&words, "shiiite"), ["shiiite"]);
}

#[test]
fn latin_letters_are_cyrillic_ones_only_as_capitals_and_by_shape() {
    let words = list("@masks\nсука\nхера\nебок\n");
    assert_eq!(found(&words, "CYKA, HEPA, EBOOK, cyka"), ["CYKA"]);
}

#[test]
fn a_hit_tells_how_it_was_recognised() {
    let words = list("@masks\nсука\n");
    let how = |text: &str| words.find(&Text::new(text))[0].how;
    assert_eq!(how("сука"), How::Plain);
    assert_eq!(how("сууука"), How::Disguised);
    assert_eq!(how("с*ка"), How::Masked);
    assert!(
        list("сука").find(&Text::new("с*ка")).is_empty(),
        "masks are looked through on demand"
    );
}

#[test]
fn a_bad_list_is_refused_with_line_and_reason() {
    let error = |text: &str| Dictionary::parse("mine", text).unwrap_err();
    assert_eq!((error("водка\n*").line, error("x*y").line), (2, 1));
    assert!(error("a*").reason.contains("too short"));
    assert!(
        error(&"слово ".repeat(9))
            .reason
            .contains("more than 8 words")
    );
    for gap in ["… слово", "слово …", "два … … слова"] {
        assert!(error(gap).reason.contains("between"), "{gap}");
    }
    assert!(error("два| слова").reason.contains("between"));
    assert!(error(&"а|б|в|г|д ".repeat(6)).reason.contains("phrases"));
    assert!(error(&"а".repeat(500)).reason.contains("longer"));
    assert!(error(&"слово\n".repeat(900_000)).reason.contains("bytes"));
}

#[test]
fn a_list_of_plain_words_loads() {
    let words = list("\u{feff}Бренд\r\n\r\n# remark\r\nДва слова\r\n");
    assert_eq!(words.len(), 2);
    assert_eq!(found(&words, "бренд: два слова"), ["бренд", "два слова"]);
}

#[test]
fn steps_do_not_grow_with_the_number_of_entries() {
    let entries = |count: u32| -> Dictionary {
        let word = |n: u32| {
            (0..6)
                .map(|d| char::from_u32(0x430 + (n >> (4 * d)) % 16))
                .collect::<Option<String>>()
        };
        let words: Vec<String> = (0..count).map(|n| word(n).unwrap_or_default()).collect();
        list(&words.join("\n"))
    };
    let text = Text::new(&"мама мыла раму, а папа бабаба вагон дедедед ".repeat(200));
    let (small, large) = (
        entries(500).search(&text).1,
        entries(50_000).search(&text).1,
    );
    assert!(large <= small * 4, "{small} steps, then {large}");
}

#[test]
fn steps_are_bounded_by_the_text_whatever_it_is() {
    let lists = lists();
    let hostile = [
        "б*********".repeat(500),
        "с ".repeat(5_000),
        "@$!|0134".repeat(2_000),
        "ууууу".repeat(2_000),
        "а-б-в-".repeat(2_000),
        "f*u*c*k*".repeat(1_000),
        "е".repeat(20_000),
    ];
    for text in hostile {
        let cut = Text::new(&text);
        for name in lists.names() {
            let steps = lists.find(name).unwrap().search(&cut).1;
            assert!(
                steps < 400 * text.len() + 10_000,
                "{name}: {steps} steps for {} bytes",
                text.len()
            );
        }
    }
}

#[test]
fn places_are_bytes_of_the_original_text() {
    let text = "Ого! Ты, \u{200b}С\u{301}у\u{301}ка, \u{1f600} fück";
    assert_eq!(profane(text), ["С\u{301}у\u{301}ка", "fück"]);
}

#[test]
fn user_lists_come_from_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.txt");
    std::fs::write(&path, "Ромашка\n").unwrap();
    let mut settings = shared_domain::Settings::default();
    settings.set("BRAND_DICT_PATH", path.to_str().unwrap());
    let config = PolicyConfig::read(&settings.reader());
    let lists = Dictionaries::connect(&config).unwrap();
    assert_eq!(
        found(lists.find("brands-user").unwrap(), "ромашка"),
        ["ромашка"]
    );

    settings.set("BRAND_DICT_PATH", "/nowhere/words.txt");
    let error = Dictionaries::connect(&PolicyConfig::read(&settings.reader())).unwrap_err();
    assert!(error.to_string().contains("BRAND_DICT_PATH"));
}

#[test]
fn the_built_in_lists_are_real() {
    let lists = lists();
    let total: usize = BUILT_IN
        .iter()
        .map(|(name, _)| lists.find(name).unwrap().len())
        .sum();
    assert!(total > 3_000, "{total} entries");
}
