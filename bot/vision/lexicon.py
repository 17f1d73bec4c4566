"""The words a caption uses for people and animals, and for how they are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.domain import Age, Expression, Who

Gender = Literal["male", "female"]


@dataclass(frozen=True)
class Noun:
    """What one noun tells: kind, age, how many, whether that is exact, whether they stand far away."""

    who: Who
    age: Age
    count: int = 1
    exact: bool = False
    far: bool = False


def _read(who: Who, age: Age, singular: str, plural: str = "") -> dict[str, Noun]:
    """Read two lists of words; a plural without a number stands for two."""
    ones = {word: Noun(who, age) for word in singular.split()}
    return ones | {word: Noun(who, age, count=2) for word in plural.split()}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROLES = """adult person human rider skier surfer skateboarder snowboarder player batter catcher umpire pitcher hitter
fielder outfielder infielder referee goalkeeper goalie runner jockey officer chef baker worker student teacher
soldier firefighter passenger pedestrian friend teammate opponent cyclist biker motorcyclist bicyclist driver
swimmer athlete performer singer musician guitarist dancer doctor nurse judge guest customer tourist hiker
climber fisher farmer keeper vendor waiter shopper photographer baseman golfer boxer gamer teammate visitor
spectator competitor racer parent owner drummer barista clown wakeboarder diver trainer skater cadet adult
lifeguard knight"""
_ROLE_PLURALS = " ".join(f"{role}s" for role in _ROLES.split() if role not in {"person", "baseman", "figure"})
_ANIMALS = """animal horse pony foal elephant giraffe zebra bear cow bull calf lamb goat pig bird duck seagull gull
pigeon parrot owl eagle hawk swan rooster hen rabbit bunny hamster squirrel monkey gorilla lion tiger
leopard cheetah wolf fox deer camel llama alpaca donkey kangaroo turtle tortoise lizard frog penguin
dolphin whale seal panda koala hippo rhino rhinoceros antelope gazelle peacock chick ostrich raccoon
hedgehog goldfish ram ox moose elk heron stork finch goldfinch mallard hummingbird woodpecker crow
sparrow bee butterfly insect"""
_ANIMAL_PLURALS = "ponies bunnies monkeys calves wolves foxes oxen sheep cattle geese buffalo buffaloes bison chickens"

NOUNS: Mapping[str, Noun] = {
    **_read(
        "man",
        "adult",
        """man guy gentleman dude groom father dad husband boyfriend businessman policeman fireman fisherman cowboy
        king male""",
        "men guys gentlemen dudes fathers dads grooms businessmen policemen firemen fishermen cowboys males",
    ),
    **_read(
        "woman",
        "adult",
        "woman lady bride mother mom mum wife girlfriend businesswoman ballerina waitress female",
        "women ladies brides mothers moms bridesmaids females",
    ),
    **_read("man", "senior", "grandfather grandpa", "grandfathers"),
    **_read("woman", "senior", "grandmother grandma", "grandmothers"),
    **_read("boy", "child", "boy son", "boys sons"),
    **_read("girl", "child", "girl daughter", "girls daughters"),
    **_read("baby", "baby", "baby infant newborn toddler", "babies infants toddlers twins"),
    **_read("person", "child", "child kid schoolchild", "children kids schoolchildren"),
    **_read("person", "teen", "teenager teen", "teenagers teens"),
    **_read("person", "adult", f"{_ROLES} someone somebody figure pianist", f"{_ROLE_PLURALS} people persons"),
    **_read(
        "dog", "-", "dog puppy pup poodle pug terrier retriever spaniel dachshund", "dogs puppies terriers poodles"
    ),
    **_read("cat", "-", "cat kitten kitty tabby", "cats kittens kitties"),
    **_read("animal", "-", _ANIMALS, _ANIMAL_PLURALS + " " + " ".join(f"{word}s" for word in _ANIMALS.split())),
    "couple": Noun("person", "adult", count=2, exact=True),
    "family": Noun("person", "adult", count=3),
    "team": Noun("person", "adult", count=3),
    "herd": Noun("animal", "-", count=3),
    "flock": Noun("animal", "-", count=3),
    "crowd": Noun("person", "adult", far=True),
    "audience": Noun("person", "adult", far=True),
    "spectators": Noun("person", "adult", far=True),
    "fans": Noun("person", "adult", far=True),
    "onlookers": Noun("person", "adult", far=True),
}

NUMBER_WORDS = "two three four five six seven eight nine ten"
NUMBERS: Mapping[str, int] = {
    **{word: n for n, word in enumerate(NUMBER_WORDS.split(), 2)},
    **{str(n): n for n in range(2, 11)},
    "both": 2,
}
MANY_WORDS = _words("group several some many few bunch crowd herd flock team line row gang pack various")
COLLECTIVES = MANY_WORDS | {"couple", "pair"}  # "a couple of men"
DETERMINERS = _words("a an the his her their its another one this that each every") | MANY_WORDS
# Words that end the phrase before them, so what stands before cannot describe the noun after.
BREAKS = _words(
    """
    and or with in on at by near next to from for as while who that which is are was beside behind under over
    into wearing holding watching riding before between through around against after along past above below
    during holds rides watches walks sits stands plays feeds pets hugs carries wears throws hits pushes pulls
    leads helps
    """
)
# Nouns that also describe: "a baby girl", "a male player", "a teen boy".
MODIFIERS = _words("baby infant male female teen adult newborn toddler group herd flock crowd team couple")
# A noun before one of these only describes a thing: "a dog bed", "a horse statue".
COMPOUNDS = _words(
    """
    bed beds house houses food bowl bowls toy toys collar carrier crate cage statue statues sculpture figurine
    figurines figure figures doll painting pattern print costume mask crossing carriage cart trailer barn stall
    seat seats stroller shirt clothes show park sign signs food ears ear feeder feeders bath chops meat pen hair
    room train trains plane planes jet jets car cars bus ferry shaped print treats decoration decorations cake
    skin rug symbol patterned printed airplane airplanes airliner traffic balloon kite kites cages sculptures
    monument pillow pillows boat boats signal slide signs lights
    """
)
# Words in the phrase that make it a likeness or a thing.
LIKENESSES = _words(
    """
    teddy toy stuffed plush wooden stone bronze ceramic carved plastic metal inflatable rubber fake painted
    cartoon porcelain marble paper lego action animated statue sculpture figurine model decorative sculpted
    cutout inflated glass
    """
)
# Followed by "of", these turn all that comes next into a likeness.
LIKENESSES_OF = _words(
    """
    statue statues sculpture sculptures figurine figurines painting paintings drawing drawings mural poster
    posters model models
    """
)
HOMONYMS = frozenset(
    {
        ("hot", "dog"), ("hot", "dogs"), ("corn", "dog"), ("chili", "dog"), ("chili", "dogs"), ("ceiling", "fans"),
        ("pitcher", "of"), ("pitchers", "of"), ("record", "player"), ("dvd", "player"), ("cd", "player"),
        ("music", "player"), ("media", "player"), ("table", "runner"), ("rice", "cooker"), ("no", "people"),
        ("no", "one"), ("no", "person"), ("slow", "cook"), ("to", "seal"), ("gummy", "bear"), ("gummy", "bears"),
        ("tennis", "court"), ("to", "bear"), ("train", "coach"), ("to", "duck"), ("electric", "fans"),
        ("video", "player"),
        ("ducks", "back"), ("ducks", "under"), ("ducks", "down"), ("ducks", "behind"), ("ducks", "away"),
        ("crowd", "of"), ("team", "of"), ("herd", "of"), ("flock", "of"), ("couple", "of"), ("family", "of"),
        ("its", "mother"), ("its", "father"), ("its", "parent"), ("their", "mother"), ("robot", "dogs"),
        ("robot", "dog"),
    }
)  # fmt: skip

# What is worn above the waist, where a torso shows its colour.
UPPER_GARMENTS = _words(
    """
    shirt shirts t-shirt t-shirts tee top tops polo blouse sweater sweaters sweatshirt hoodie cardigan jumper pullover
    turtleneck vest vests jersey jerseys uniform uniforms dress dresses gown robe kimono tunic jacket jackets coat
    coats raincoat overcoat parka windbreaker blazer suit suits tuxedo wetsuit wetsuits jumpsuit tracksuit onesie
    apron outfit outfits costume costumes clothes clothing
    """
)
GARMENTS = UPPER_GARMENTS | _words(
    """
    shorts pants trousers jeans skirt leggings tights socks stockings shoes sneakers boots sandals heels gloves mittens
    hat hats cap caps helmet helmets beanie hood headband bandana scarf tie bow glasses sunglasses goggles swimsuit
    bikini trunks gear belt veil headphones earrings necklace mask pajamas overalls
    """
)
WORN = _words("in wearing wears wear wore")  # what comes next is worn
# After a bare colour these tell that no noun follows: "a player in white serves".
DEEDS = _words(
    """
    swings hits serves waits stretches stands throws jumps watches runs plays dribbles sits prepares holds rides
    slides kicks walks looks leans poses smiles chases catches reaches bends crouches dives blocks passes heads
    celebrates skis surfs skates waves carries talks eats drinks reads lies sleeps lunges follows faces tries pitches
    stand sit wait play run compete walk pose watch chase fight battle ride
    """
)

# The colours that pixels are named by, in the words of our captions.
BASIC_COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
# What a caption's colour word may mean of them. A shade alone ("a dark shirt") is a colour, too.
COLOURS: Mapping[str, frozenset[str]] = {
    **{word: frozenset({word}) for word in BASIC_COLOURS},
    **{
        word: _words(meant)
        for word, meant in {
            "gray": "grey", "navy": "blue black", "teal": "green blue", "turquoise": "green blue", "cyan": "blue",
            "maroon": "red brown purple", "burgundy": "red brown purple",
            "gold": "yellow orange", "golden": "yellow orange",
            "cream": "white yellow", "beige": "white brown", "tan": "brown", "khaki": "brown green grey",
            "olive": "green", "lavender": "purple pink", "violet": "purple", "magenta": "pink purple red",
            "peach": "pink orange", "lime": "green yellow", "silver": "grey white", "black-and-white": "black white",
            "dark": "black blue grey brown green purple red", "light": "white grey blue pink yellow green brown",
            "pale": "white grey blue pink yellow green brown purple",
            "bright": "red orange yellow green blue pink purple white",
        }.items()
    },
}  # fmt: skip
SHADES = _words("dark light pale bright")
PATTERNS = _words(
    """striped plaid checkered checked patterned floral flowered spotted dotted colorful colourful tie-dye dye matching
    rainbow multicolored"""
)

GENDERED: Mapping[str, Gender] = {"male": "male", "bearded": "male", "female": "female"}
PRONOUNS: Mapping[str, Gender] = {
    **dict.fromkeys(("he", "his", "him", "himself"), "male"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "female"),
}  # type: ignore[dict-item]
AGED: Mapping[str, Age] = {
    **dict.fromkeys(("old", "older", "elderly", "senior", "aged"), "senior"),
    **dict.fromkeys(("teen", "teenage", "teenaged"), "teen"),
    **dict.fromkeys(("baby", "infant", "newborn", "toddler"), "baby"),
}  # type: ignore[dict-item]


def _moods(**words: str) -> dict[str, Expression]:
    return {word: mood for mood, several in words.items() for word in several.split()}  # type: ignore[misc]


EXPRESSIONS: Mapping[str, Expression] = _moods(
    happy="smile smiles smiling laugh laughs laughing grin grins grinning happy happily cheerful joyful cheers",
    sad="sad sadly cries crying frowns frowning upset unhappy",
    angry="angry angrily growls growling snarls snarling scowls scowling glares furious",
    surprised="surprised shocked startled amazed astonished",
    scared="scared frightened afraid terrified",
    disgusted="disgusted",
)


def gender_of(who: Who) -> Gender | None:
    """Return the gender a kind of person implies."""
    return "male" if who in {"man", "boy"} else "female" if who in {"woman", "girl"} else None


def gendered(who: Who, age: Age, gender: Gender) -> Who:
    """Return man, woman, boy or girl for an age and a gender; a baby stays a baby."""
    if who == "baby" or age == "baby":
        return "baby"
    if age in {"child", "teen"}:
        return "boy" if gender == "male" else "girl"
    return "man" if gender == "male" else "woman"
