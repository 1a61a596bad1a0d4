"""The participant's texts in Vietnamese."""

from __future__ import annotations

from protocol.words_types import Scale, Words, YesNo

VIETNAMESE = Words(
    content_warning=(
        "Một số đoạn phim nhằm gợi cảm giác buồn, sợ hãi hoặc ghê sợ.\n"
        "Trong phim có thể có cảnh đau buồn, nguy hiểm, thương tích hoặc bạo lực.\n\n"
        "Bạn có thể nhìn đi chỗ khác hoặc dừng lại bất cứ lúc nào mà không cần nêu lý do."
    ),
    flashing=(
        "Một số đoạn phim có ánh sáng nhấp nháy.\n\n"
        "Xin bạn không tham gia nếu bạn bị động kinh, hoặc đã từng khó chịu vì ánh sáng nhấp nháy."
    ),
    welcome=(
        "Xin chào.\n\nBạn sẽ xem các đoạn phim ngắn. Sau mỗi đoạn, chúng tôi hỏi bạn đã cảm thấy thế nào.\n"
        "Hãy ngồi thoải mái, nhìn vào màn hình và giữ yên trong khi xem.\n\n"
        "Bạn có thể dừng lại bất cứ lúc nào: nhấn phím Escape."
    ),
    start="Nhấn phím cách để bắt đầu.",
    practice=(
        "Trước tiên, mời bạn làm thử.\n\nBạn sẽ xem phim và trả lời những câu hỏi giống như trong phần chính.\n"
        "Kết quả làm thử không được sử dụng. Nếu có gì chưa rõ, bạn cứ hỏi nhé."
    ),
    practice_over="Phần làm thử đã xong.\n\nMọi thứ đã rõ chưa? Nếu chưa, bạn cứ hỏi ngay bây giờ nhé.",
    baseline="Xin bạn nhìn vào dấu cộng và ngồi yên.\n\nBạn không cần nghĩ đến điều gì cụ thể.",
    eyes_closed="Khi nghe một tiếng bíp, xin bạn nhắm mắt lại và ngồi yên.\n\nKhi nghe tiếng bíp tiếp theo, bạn mở mắt ra.",
    sync_blink=(
        "Thỉnh thoảng một vòng tròn sẽ hiện ra.\n\nMỗi khi vòng tròn hiện ra, bạn hãy chớp mắt một lần.\n"
        "Xin bạn luôn nhìn vào giữa màn hình và giữ yên đầu."
    ),
    sync_flash=(
        "Màn hình sẽ sáng lên rồi tối đi vài lần.\n\nBạn không cần làm gì, chỉ cần nhìn vào giữa màn hình."
    ),
    blink="chớp mắt",
    hint="Đoạn phim tiếp theo sắp bắt đầu.",
    rest_hint="Lần này không có phim: bạn chỉ cần nhìn vào dấu cộng.",
    scale_keys="Nhấn một phím từ 1 đến 9, hoặc bấm chuột.",
    choice_keys="Nhấn số của câu trả lời, hoặc bấm chuột vào đó.",
    break_=(
        "Đã đến giờ nghỉ giải lao.\n\nBạn hãy cho mắt nghỉ ngơi, có thể cử động vai một chút.\nXin bạn đừng tháo mũ."
    ),
    go_on="Khi nào sẵn sàng tiếp tục, bạn nhấn phím cách.",
    pause="Tạm dừng một lát.\n\nXin bạn ngồi yên tại chỗ. Chúng ta sẽ tiếp tục ngay.",
    hold="Xin bạn chờ một lát.\n\nXin bạn ngồi yên tại chỗ.",
    back="Màn hình phải khởi động lại. Không có gì bị mất, và đây không phải lỗi của bạn.",
    clip_failed="Không thể chiếu đoạn phim này.\n\nĐây không phải lỗi của bạn. Chúng ta sẽ tiếp tục ngay.",
    mood_repair="Cuối cùng, mời bạn xem một đoạn phim để thư giãn.\n\nSẽ không có câu hỏi nào về đoạn phim này.",
    thanks="Xin cảm ơn.\n\nBuổi ghi đã kết thúc. Bạn vui lòng ngồi yên thêm một lát.",
    debrief=(
        "Xin chân thành cảm ơn bạn.\n\nMột số đoạn phim được chọn để gợi cảm xúc, kể cả những cảm xúc khó chịu.\n"
        "Những cảm xúc ấy thường qua đi sau vài phút.\n\n"
        "Nếu còn điều gì khiến bạn bận tâm, xin hãy nói với người đang ở đây cùng bạn."
    ),
    stopped="Buổi ghi đã dừng lại. Cảm ơn bạn đã tham gia.\n\nXin bạn ngồi yên tại chỗ, sẽ có người đến ngay.",
    stop_key="Esc: dừng lại",
    scales={
        "valence": Scale("Cảm giác của bạn dễ chịu đến mức nào?", "rất khó chịu", "bình thường", "rất dễ chịu"),
        "arousal": Scale("Bạn thấy bình thản hay phấn khích đến mức nào?", "rất bình thản", "vừa phải", "rất phấn khích"),
        "dominance": Scale("Bạn làm chủ được cảm xúc của mình đến mức nào?", "hoàn toàn không", "một phần", "hoàn toàn"),
        "liking": Scale("Bạn thích đoạn phim này đến mức nào?", "không thích chút nào", "tạm được", "rất thích"),
    },
    intensity=Scale("Cảm xúc đó mạnh đến mức nào?", "rất nhẹ", "trung bình", "rất mạnh"),
    looked_away=YesNo("Trong lúc xem, bạn có nhìn đi chỗ khác hoặc nhắm mắt không?", "có", "không"),
    familiarity=YesNo("Trước hôm nay, bạn đã từng xem đoạn phim này chưa?", "đã xem", "chưa"),
    emotion="Bạn cảm thấy điều nào rõ nhất?",
    emotions={
        "happiness": "vui", "sadness": "buồn", "fear": "sợ hãi", "neutral": "không có gì đặc biệt",
        "anger": "tức giận", "disgust": "ghê tởm", "surprise": "ngạc nhiên", "tenderness": "trìu mến",
        "amusement": "thích thú", "calm": "bình yên", "excitement": "hào hứng", "anxiety": "lo lắng", "awe": "choáng ngợp",
        "other": "điều khác",
    },
)  # fmt: skip
