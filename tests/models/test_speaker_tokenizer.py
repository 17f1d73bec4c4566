import pytest
from tokenizers import Tokenizer

from bot.speech.prompt import SPECIALS
from tests.tiny_speaker import tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tiny_tokenizer()


@pytest.mark.parametrize("text", [" a red coat", " Arr, 1952!", " naïve 🌊 日本", "  two  spaces", "", "<3"])
def test_every_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_digits_stand_alone(tokenizer: Tokenizer) -> None:
    assert [token for token in tokenizer.encode(" 1207").tokens if token.isdigit()] == list("1207")


def test_markers_are_one_token_each_and_come_first(tokenizer: Tokenizer) -> None:
    for number, special in enumerate(SPECIALS):
        assert tokenizer.encode(f" x{special} y").ids.count(number) == 1


def test_a_word_is_the_same_tokens_in_scene_and_reply(tokenizer: Tokenizer) -> None:
    word = tokenizer.encode(" coat").ids
    both = tokenizer.encode("<|scene|> a coat | man<|reply|> my coat.<|end|>").ids
    found = [i for i in range(len(both)) if both[i : i + len(word)] == word]
    assert len(found) == 2
