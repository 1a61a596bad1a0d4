"""The texts that participants read, in English and Vietnamese. Nothing technical, no inferred emotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "vi"]


@dataclass(frozen=True)
class Scale:
    """A SAM scale: the question, and what its lowest, middle and highest value mean."""

    question: str
    low: str
    middle: str
    high: str


@dataclass(frozen=True)
class Words:
    """Every text of one language."""

    welcome: str
    start: str
    thanks: str
    scales: Mapping[str, Scale]
    emotion: str
    emotions: Mapping[str, str]

    def emotion_label(self, name: str) -> str:
        """Return how an emotion of the study file is called; one that is not known here is called by its own name."""
        return self.emotions.get(name, name.replace("_", " "))


WORDS: Mapping[Language, Words] = {
    "en": Words(
        welcome=(
            "Welcome.\n\nYou will watch short film clips. After each of them we ask how you felt.\n"
            "Please sit comfortably, look at the screen and keep still while a clip plays.\n\n"
            "You may stop at any time: press Escape."
        ),
        start="Press the space bar to begin.",
        thanks="Thank you.\n\nThe session is over. Please stay seated for a moment.",
        scales={
            "valence": Scale("How pleasant was what you felt?", "very unpleasant", "neither", "very pleasant"),
            "arousal": Scale("How excited were you?", "very calm", "in between", "very excited"),
            "dominance": Scale("How much were you in control of what you felt?", "not at all", "partly", "completely"),
        },
        emotion="Which of these did you feel most?",
        emotions={
            "happiness": "happiness", "sadness": "sadness", "fear": "fear", "neutral": "nothing in particular",
            "anger": "anger", "disgust": "disgust", "surprise": "surprise", "tenderness": "tenderness",
            "other": "something else",
        },
    ),
    "vi": Words(
        welcome=(
            "Xin chào.\n\nBạn sẽ xem các đoạn phim ngắn. Sau mỗi đoạn, chúng tôi hỏi bạn đã cảm thấy thế nào.\n"
            "Hãy ngồi thoải mái, nhìn vào màn hình và giữ yên trong khi xem.\n\n"
            "Bạn có thể dừng lại bất cứ lúc nào: nhấn phím Escape."
        ),
        start="Nhấn phím cách để bắt đầu.",
        thanks="Xin cảm ơn.\n\nBuổi ghi đã kết thúc. Bạn vui lòng ngồi yên thêm một lát.",
        scales={
            "valence": Scale("Cảm giác của bạn dễ chịu đến mức nào?", "rất khó chịu", "bình thường", "rất dễ chịu"),
            "arousal": Scale("Bạn bị kích thích đến mức nào?", "rất bình thản", "vừa phải", "rất kích thích"),
            "dominance": Scale(
                "Bạn làm chủ được cảm xúc của mình đến mức nào?", "hoàn toàn không", "một phần", "hoàn toàn"
            ),
        },
        emotion="Bạn cảm thấy điều nào rõ nhất?",
        emotions={
            "happiness": "vui", "sadness": "buồn", "fear": "sợ hãi", "neutral": "không có gì đặc biệt",
            "anger": "tức giận", "disgust": "ghê tởm", "surprise": "ngạc nhiên", "tenderness": "trìu mến",
            "other": "điều khác",
        },
    ),
}  # fmt: skip
"""The texts by the study's language."""
