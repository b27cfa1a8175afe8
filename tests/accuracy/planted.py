"""What is said and shown in the clips. Written for this set: none of it is taken from the dictionaries.

A risk is marked as in `text/`: {category:words}.
"""

RUSSIAN = """
Он выпил стакан {alcohol:водки} и уснул.
Дети строили крепость из песка.
Какая же ты {profanity:сука}.
Мы купили {alcohol:пиво} на вечер.
Потребитель прочитал весь договор.
Это полный {profanity:пиздец}.
Она закурила тонкую {tobacco:сигарету}.
Застрахуй квартиру до отъезда.
Иди ты {profanity:нахуй} отсюда.
Полиция нашла у него {drugs:героин}.
Хлеб сегодня особенно вкусный.
Меня {profanity:заебали} эти звонки.
Под сиденьем лежал {weapons:пистолет}.
Капитан корабля поднялся на мостик.
Ну {profanity:блядь}, опять дождь.
Гости принесли {alcohol:коньяк} и торт.
Учёба началась первого сентября.
Ты совсем {profanity:охуел}.
Какой же ты {insult:идиот}.
В кафе подают {tobacco:кальян}.
Команда победила со счётом три два.
Вся эта {profanity:хуйня} мне надоела.
Он торговал {drugs:кокаином}.
На стене висит старое {weapons:ружьё}.
Художник рисует зимний лес.
Хватит {profanity:пиздеть}, работай.
Сосед опять пришёл {alcohol:пьяный}.
Курс рубля сегодня вырос.
Это просто {profanity:дерьмо}.
Нашли склад {weapons:оружия}.
Барсук живёт в глубокой норе.
Он настоящий {insult:придурок}.
Врач говорил о вреде {drugs:наркотиков}.
Мудрый совет дороже денег.
Он {profanity:ёбнул} кулаком по столу.
Весь подъезд в {tobacco:окурках}.
Озеро замёрзло к утру.
Сядь на {profanity:жопу} и не дёргайся.
Бокал красного {alcohol:вина}, пожалуйста.
Поезд отходит с пятого пути.
"""

ENGLISH = """
He drank a whole bottle of {alcohol:vodka}.
The children built a castle of sand.
What the {profanity:fuck} is going on here.
Two glasses of {alcohol:wine} please.
Welcome to the town of Scunthorpe.
She lit another {tobacco:cigarette}.
This movie is complete {profanity:shit}.
The class will assess the essay.
Police found {drugs:cocaine} in the car.
He pulled out a {weapons:gun} and ran.
A peacock walked across the lawn.
Stop {profanity:fucking} around with the lights.
They ordered {alcohol:beer} and pizza.
You are such an {insult:idiot}.
Charles Dickens wrote about orphans.
That {profanity:motherfucker} cut me off.
{tobacco:Smoking} is bad for your health.
The canal froze in January.
The soldier carried a {weapons:rifle}.
She is a total {profanity:bitch}.
He died of a {drugs:heroin overdose}.
Pass me the butter and the salt.
Cut the {profanity:bullshit} and answer me.
A glass of {alcohol:whiskey} by the fire.
The title of the book is long.
He is an {profanity|insult:asshole}.
They were smoking {drugs:marijuana} in the park.
Great oaks grow from little acorns.
What the {profanity:hell} is that noise.
The {weapons:bomb} was found under a bridge.
We walked along the river at noon.
You {insult:moron}, that is the wrong door.
The hotel was really {profanity:crappy}.
He sells {tobacco:cigars} and postcards.
The cockpit of the plane was dark.
That was close, {profanity:goddamn} traffic.
The train leaves at half past nine.
They got {alcohol:drunk} at the party.
He bought {weapons:ammunition} for the trip.
Analysis of the data took a week.
"""

# Shown one after another; their count and that of the lengths have no divisor in common, so that each gets several.
CARDS = """
{alcohol:ВОДКА}
{profanity:ПИЗДЕЦ}
Потребитель
{tobacco:Сигареты}
{profanity:б***ь}
{drugs:Героин}
{profanity:сууууука}
Застрахуй дом
{weapons:Пистолет}
{profanity:х*йня}
{alcohol:VODKA}
{profanity:FUCK}
Scunthorpe
{tobacco:Cigarettes}
{profanity:sh*t}
{drugs:Cocaine}
{profanity:Fuuuuck}
Class of 2024
{weapons:Weapon}
{profanity:f**k}
{alcohol:Коньяк}
{profanity:Заебись}
Рубли и корабли
{insult:ИДИОТ}
{profanity:п*здец}
{drugs:Мефедрон}
{profanity:Хуйня}
Учёба
{weapons:Граната}
{profanity:бл@дь}
{alcohol:Whisky}
{profanity:Bullshit}
Essex and Sussex
{insult:Idiot}
{profanity:motherf***er}
Добро пожаловать
Welcome home
"""

# Degree, what is said, what is shown below, what a QR code holds.
ADVERTS = (
    ("unmarked", "ru", "По промокоду лето скидка двадцать процентов, ссылка в описании.", "", ""),
    ("unmarked", "ru", "Скачайте приложение прямо сейчас и получите месяц бесплатно.", "", ""),
    ("unmarked", "ru", "Сегодня хорошая погода.", "ПРОМОКОД ЛЕТО20: СКИДКА 20%", ""),
    ("unmarked", "ru", "Мы гуляем по городу.", "Закажи сейчас по ссылке в описании", ""),
    ("unmarked", "ru", "Наведите камеру и получите скидку.", "", "https://shop.example/?promo=LETO20"),
    ("unmarked", "ru", "Спонсор выпуска подарил нам стол, ссылка в описании.", "", ""),
    ("unmarked", "en", "Use my promo code today and get a discount.", "", ""),
    ("unmarked", "en", "This video is sponsored by a tea company.", "", ""),
    ("unmarked", "en", "We are walking in the park.", "USE CODE PARK FOR 20% OFF", ""),
    ("unmarked", "en", "Here is my desk.", "Buy now, link in the description", ""),
    ("unmarked", "en", "Scan the code and claim your bonus.", "", "https://shop.example/?utm_source=video&promo=DESK"),
    ("unmarked", "en", "Download the app and start your free trial.", "", ""),
    ("partly", "ru", "По промокоду лето скидка двадцать процентов.", "Реклама", ""),
    ("partly", "ru", "Скачайте приложение по ссылке в описании.", "erid: 2VtzqwH7Qx9", ""),
    ("marked", "ru", "По промокоду лето скидка двадцать процентов.", "Реклама. ООО «Ромашка». erid: 2VtzqwH7Qx9", ""),
    ("marked", "ru", "Скачайте приложение по ссылке в описании.", "Реклама. ИП Иванов И. И. erid: 2SDnjcbs16H", ""),
    ("marked", "ru", "Реклама. Спонсор выпуска подарил нам стол.", "ООО «Стол и стул», erid: LjN8K4dZp", ""),
    ("marked", "ru", "Закажи пиццу в приложении.", "Реклама. ООО «Сыр». Промокод СЫР. erid: 2W5zFJ8kQpr", ""),
    ("none", "ru", "Подпишись на канал и поставь лайк.", "", ""),
    ("none", "ru", "Магазин на углу закрылся, там теперь библиотека.", "Городские новости", ""),
    ("none", "ru", "Дума приняла поправки к закону.", "Закон о рекламе", ""),
    ("none", "en", "Subscribe to the channel and leave a comment.", "", ""),
    ("none", "en", "The museum opens at nine.", "", "https://museum.example/hours"),
    ("none", "en", "In this lesson we learn how glass is made.", "Lesson one", ""),
)

# Spoken between the recordings of real people: nothing in them is a risk.
QUIET_SHOWN = ("Команда мандаринов", "Cocktail dress", "Хлеб, рубль, сабля", "Peacock and Hitchcock")
