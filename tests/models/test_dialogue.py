import gzip
import json
from pathlib import Path

from models.data.dialogue import CONVERSATIONS, read_coco_captions, read_conversations, read_photo_scenes, tidy_caption


def write(path: Path, rows: list[list[str]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


def test_conversations_are_tidied_and_talk_about_software_is_dropped(tmp_path: Path) -> None:
    for name in CONVERSATIONS:
        write(tmp_path / f"{name}.jsonl.gz", [["Hi  there", "Hello."], ["alone"], ["a" * 400, "too long"]])
    rows = [["\ufeffQuestion", "Answer"], ["Are you real?", "I'm a computer program."], ["Sing", "La la."]]
    write(tmp_path / "microsoft-personality-chat.jsonl.gz", rows)
    assert read_conversations(tmp_path) == [("Hi there", "Hello.")] * 2 + [("Sing", "La la.")]


def test_captions_read_like_the_corpus(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "coco-captions.txt.gz", "wt", encoding="utf-8") as stream:
        stream.write("A Man rides a wave .\nshort\n")
    assert read_coco_captions(tmp_path) == ["a man rides a wave"]
    assert tidy_caption(' Two "dogs"  run. ') == "two dogs run"


def test_photo_scenes_are_those_of_the_split_with_people(tmp_path: Path) -> None:
    (tmp_path / "photos.csv").write_text(
        "file,source,coco_caption,caption_a,caption_b,people,split\n"
        'a.jpg,x,,a dog runs,a brown dog runs fast,"dog, -, happy, center",train\n'
        'b.jpg,x,,a cat sits,,"cat, -, happy, center",val\n'
        "c.jpg,x,a bus,,,,train\n",
        encoding="utf-8",
    )
    scenes = read_photo_scenes(tmp_path)
    assert [scene.caption for scene in scenes] == ["a dog runs", "a brown dog runs fast"]
    assert scenes[0].people[0].who == "dog"
