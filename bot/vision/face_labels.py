"""What the face reader is asked about a face: its heads, their labels and the crop it looks at.

Training and export import these; the bot reads labels from the manifest of the model it loaded.
"""

from __future__ import annotations

AGE_BANDS = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")  # FairFace's

# head -> its labels, in the order of the network's outputs
HEADS: dict[str, tuple[str, ...]] = {
    "age_band": AGE_BANDS,
    "gender": ("male", "female"),
    "expression": ("happy", "neutral", "sad", "surprised", "angry", "scared", "disgusted"),
    "glasses": ("none", "glasses", "sunglasses"),
    "strength": ("slight", "clear", "strong"),  # of the expression
    "facial_hair": ("none", "stubble", "mustache", "goatee", "beard"),
    "headwear": ("none", "hat", "cap", "scarf", "other"),
    "hair_length": ("bald", "short", "medium", "long", "covered"),
    "hair_colour": ("black", "brown", "blond", "grey", "white"),
    "eyes": ("open", "closed", "hidden"),
}

REQUIRED = ("age_band", "gender", "expression", "glasses")  # a bundle's reader may lack the other heads

CROP_SIZE = 128  # pixels
# Of the detector's box, on every side. FairFace's 128 px frames reach about 4 % beyond the box, so a
# wider crop would have been trained on black borders that no real photo shows.
CROP_MARGIN = 0.05

# A head with a threshold answers "unclear" where its best calibrated probability is below it. On training faces
# kept aside, nine answers in ten are right from there on (expression: three in four, hair colour: six in seven).
THRESHOLDS: dict[str, float] = {
    "gender": 0.7,
    "expression": 0.5,
    "strength": 0.6,
    "facial_hair": 0.7,
    "headwear": 0.6,
    "hair_length": 0.75,
    "hair_colour": 0.75,
    "eyes": 0.8,
}
