"""The preflight's lines in Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping

from collector.preflight.said import Said

_EMOTIV = "EmotivPRO, Settings, Lab Streaming Layer"

VIETNAMESE: Mapping[str, Said] = {
    "graphics/ok": Said("Đồ họa: {renderer}, OpenGL {version}, màn hình {width} x {height}"),
    "graphics/software": Said(
        "Đồ họa được vẽ bằng phần mềm ({renderer}): đoạn phim có thể mất khung hình",
        "Cài trình điều khiển card đồ họa và đăng nhập trực tiếp vào máy, không qua mạng; để chạy thử thì vẫn được",
    ),
    "graphics/none": Said(
        "Không mở được cửa sổ nào: {why}",
        "Đăng nhập vào desktop rồi khởi động tại đó, hoặc cài trình điều khiển đồ họa; máy không có màn hình: xvfb-run -a ..",
    ),
    "screen/size": Said(
        "Màn hình có {width} x {height} điểm ảnh, screen.size_px trong study.toml là {wanted}",
        "Đặt lại độ phân giải màn hình, hoặc size_px và width_m của nghiên cứu: góc nhìn được tính từ đó",
    ),
    "sound/ok": Said("Âm thanh: {device}, âm lượng {percent} %"),
    "sound/none": Said(
        "Không phát được âm thanh: {why}",
        'Nối loa hoặc tai nghe; nghiên cứu không cần âm thanh thì ghi screen.sound = "silent"',
    ),
    "sound/absent": Said(
        "Không có thiết bị âm thanh ({why}); nghiên cứu chạy không tiếng", "Không cần làm gì, nếu đúng ý định"
    ),
    "sound/muted": Said("Âm thanh đang bị tắt: {device}", "Bật âm thanh, ở máy tính và ở loa"),
    "sound/off": Said("Âm thanh đang bị tắt: {device}; nghiên cứu có thể chạy không tiếng", "Bật âm thanh, trừ khi cố ý"),
    "sound/quiet": Said(
        "Âm lượng của {device} là {percent} %: gần như không nghe thấy", "Tăng đến mức âm lượng của nghiên cứu"
    ),
    "sound/unknown": Said(
        "Âm thanh: {device}; trên máy này không biết được có đang tắt tiếng không ({why})",
        "Phát thử và nghe, tại chỗ ngồi của người tham gia",
    ),
    "clock/ok": Said("Đồng hồ: {wall}, được đồng bộ qua mạng; lần khởi động {boot}"),
    "clock/wrong": Said("Đồng hồ chỉ {wall}: {why}", "Chỉnh ngày giờ, và bật đồng bộ giờ qua mạng"),
    "clock/unsynced": Said("Đồng hồ: {wall}, không được đồng bộ qua mạng", "Bật bằng lệnh: timedatectl set-ntp true"),
    "clock/unknown": Said("Đồng hồ: {wall}; ở đây không biết được có đồng bộ qua mạng không", "So với một đồng hồ khác"),
    "sleep/ok": Said("Có thể giữ cho máy tính không ngủ"),
    "sleep/possible": Said(
        "Máy tính có thể ngủ giữa phiên ghi: {why}", "Tắt chế độ ngủ và bảo vệ màn hình trong phần cài đặt hệ thống"
    ),
    "sleep/lid": Said("Máy tính sẽ ngủ khi gập màn hình: {why}", "Để màn hình mở trong suốt phiên ghi"),
    "disk/ok": Said("Đĩa: còn trống {free} GiB ở {folder}, phiên ghi cần {need} GiB; đã ghi thử một tệp"),
    "disk/room": Said(
        "Đĩa: còn trống {free} GiB ở {folder}, một phiên {minutes} phút có thể cần {need} GiB",
        "Giải phóng bớt, hoặc chọn đĩa khác bằng --data",
    ),
    "disk/rights": Said("Không ghi được gì vào {folder}: {why}", "Đổi quyền của thư mục, hoặc chọn thư mục khác bằng --data"),
    "disk/encrypted": Said("Thư mục dữ liệu nằm trên đĩa được mã hóa"),
    "disk/plain": Said(
        "Thư mục dữ liệu nằm trên đĩa không mã hóa: ai lấy được đĩa sẽ đọc được khuôn mặt và EEG",
        "Chọn thư mục trên đĩa mã hóa bằng --data (LUKS, BitLocker, FileVault)",
    ),
    "disk/unknown": Said("Không biết được đĩa chứa dữ liệu có mã hóa không ({why})", "Hỏi người quản trị máy này"),
    "session/free": Said("Không có phiên ghi nào khác đang chạy ở đây"),
    "session/running": Said("Một phiên ghi khác đang chạy: {why}", "Để phiên đó kết thúc trước"),
    "study/ok": Said("Nghiên cứu: {name}, {clips} đoạn phim đúng như bảng, {trials} lượt, {minutes} phút"),
    "study/fault": Said("Không chạy được nghiên cứu: {why}{more}", "Xem tất cả bằng lệnh: emo-study check {study}"),
    "study/changed": Said("Nghiên cứu đã bị sửa sau khi kiểm tra", "Bấm Hủy buổi ghi rồi chạy lại emo-run"),
    "consent/ok": Said("Đồng thuận: phiên bản {version}, phạm vi {scopes}, tờ thông tin {sheet}"),
    "consent/no_sheet": Said(
        "Đồng thuận: phiên bản {version}, phạm vi {scopes}; nghiên cứu không nêu tờ thông tin nào",
        "Nêu tệp mà người tham gia đọc: consent.sheet trong study.toml",
    ),
    "lsl/ok": Said("LSL: tìm thấy luồng của chính mình sau {seconds} s; trên mạng có: {seen}"),
    "lsl/deaf": Said(
        "LSL không tìm thấy cả luồng của chính mình trên máy này",
        "Mở tường lửa cho chương trình này: UDP 16571 đến 16604 và multicast, TCP 16572 đến 16604; tắt VPN",
    ),
    "lsl/session": Said(
        "LSL chỉ tìm trong phiên {session!r}: không thấy được chương trình dùng cài đặt gốc của LSL",
        "Bỏ biến EMOLAB_LSL_SESSION, và bỏ SessionID trong lsl_api.cfg ({where})",
    ),
    "install/missing": Said("Chưa cài các chương trình dùng để ghi: {why}", "Cài bằng lệnh: pip install 'emolab[lab]'"),
    "stream/ok": Said("{name}: {n_channels} kênh, {rate} Hz, {form}, từ {host}"),
    "stream/absent": Said("{wanted} không có, và không bắt buộc"),
    "stream/missing": Said(
        "Không có: {wanted}; trên mạng có: {seen}{similar}",
        "Khởi động chương trình gửi luồng đó và bật LSL; nếu ở máy khác: cùng một mạng, mở tường lửa cho UDP 16571 đến 16604, "
        "multicast và TCP 16572 đến 16604; nếu luồng có tên khác, ghi tên đó vào study.toml",
    ),
    "stream/several": Said(
        "{wanted} ứng với nhiều luồng: {which}", "Tắt luồng thừa, hoặc nêu host hay source_id của luồng đúng trong study.toml"
    ),
    "stream/silent": Said("{wanted} có mặt nhưng không gửi gì", "Bật và kết nối mũ đo; khởi động lại việc gửi luồng"),
    "stream/unreachable": Said(
        "{wanted} có trong danh sách nhưng không kết nối được tới {host} ({why})",
        "Mở tường lửa của cả hai máy cho TCP 16572 đến 16604, hoặc tắt chương trình đã bỏ lại luồng này",
    ),
    "stream/no_rate": Said(
        "{name} cho biết không có tần số lấy mẫu: đó không thể là EEG", "Nêu đúng luồng EEG ở eeg.stream trong study.toml"
    ),
    "stream/sfreq": Said(
        "{name} có {nominal} Hz, eeg.sfreq trong study.toml là {wanted}",
        "Đặt mũ đo ở {wanted} Hz (EmotivPRO, cài đặt mũ đo), hoặc đổi nghiên cứu cho mọi người tham gia",
    ),
    "stream/rate": Said(
        "{name} gửi {rate} mẫu mỗi giây, trong khi khai {nominal}",
        "Đưa mũ đo lại gần bộ thu, sạc pin, đóng các chương trình khác, rồi kiểm tra lại",
    ),
    "stream/float32": Said(
        "{name} là float32, không chứa nổi {labels}: một bước là {step}",
        f"{_EMOTIV}: đặt định dạng dữ liệu là double64 (cf_double64), rồi khởi động lại việc gửi luồng",
    ),
    "stream/chunks": Said(
        "{name} đến từng đợt {n} mẫu, mỗi {seconds} s một đợt: chế độ Chunk",
        f'{_EMOTIV}: đặt Transmit là "Sample", rồi khởi động lại việc gửi luồng',
    ),
    "stream/stamps": Said(
        "{name} có nhãn thời gian không thể đúng: {why}",
        "Khởi động lại chương trình gửi luồng; để LSL đóng dấu từng mẫu khi nó sinh ra",
    ),
    "stream/no_clock": Said(
        "Không đo được đồng hồ của {host}, máy gửi {name}: thời gian của nó sẽ vô nghĩa ở đây",
        "Mở tường lửa của cả hai máy cho UDP 16572 đến 16604",
    ),
    "stream/losses": Said(
        "{name} mất {n} trong {of} mẫu trong {seconds} s", "Đưa mũ đo lại gần bộ thu, tránh xa các sóng khác; sạc pin"
    ),
    "stream/lost_some": Said("{name} mất {n} trong {of} mẫu trong {seconds} s", "Đưa mũ đo lại gần bộ thu"),
    "counter/frozen": Said(
        "{label} của {name} đứng yên ở {value}: thiết bị lặp lại chính nó, hoặc không gửi gì mới",
        "Tắt rồi bật lại mũ đo, và khởi động lại việc gửi luồng",
    ),
    "counter/missing": Said(
        "{name} không có kênh {label}: không biết được mẫu nào bị mất",
        "Bật bộ đếm trong chương trình gửi luồng, hoặc nêu đúng tên ở eeg.counter trong study.toml",
    ),
    "counter/none": Said(
        "{name} không có bộ đếm mẫu: chỉ biết mất mẫu qua thời gian", "Không cần làm gì, nếu thiết bị không có"
    ),
    "counter/odd": Said("{label} của {name} không đếm mẫu", "Nêu đúng tên ở eeg.counter trong study.toml"),
    "eeg/labels": Said(
        "{name} thiếu {n} kênh của nghiên cứu: {labels}",
        "Đặt tên cảm biến trong chương trình gửi luồng, hoặc eeg.channels trong study.toml",
    ),
    "eeg/unlabelled": Said(
        "{name} không có kênh nào mà montage {montage} biết; nó có {labels}",
        "Đặt tên cảm biến trong chương trình gửi luồng, hoặc eeg.montage và eeg.channels trong study.toml",
    ),
    "eeg/units": Said(
        "{name} không thể là EEG tính theo {units}: biên độ sẽ là {amplitude} uV, và luồng tự khai đơn vị là {said}",
        "Đặt eeg.units trong study.toml: uV hoặc V",
    ),
    "eeg/nan": Said("{name} không gửi số ở {labels}", "Nối các cảm biến này, hoặc khởi động lại chương trình gửi luồng"),
    "eeg/flat": Said(
        "{n} trong {of} cảm biến của {name} đứng yên: {labels}", "Gắn và làm ướt chúng; kiểm tra dây của mũ; rồi kiểm tra lại"
    ),
    "eeg/flat_few": Said("{n} trong {of} cảm biến của {name} đứng yên: {labels}", "Gắn và làm ướt chúng"),
    "eeg/filled": Said(
        "{percent} % số mẫu của {name} do thiết bị tự điền: sóng của nó làm mất mẫu",
        "Đưa mũ đo lại gần bộ thu, tránh xa các sóng khác; sạc pin",
    ),
    "eeg/filled_some": Said("{percent} % số mẫu của {name} do thiết bị tự điền", "Đưa mũ đo lại gần bộ thu"),
    "quality/labels": Said(
        "{name} không có kênh Overall: không xét được quy tắc tiếp xúc; nó có {labels}",
        "Bật toàn bộ luồng chất lượng trong chương trình gửi luồng",
    ),
    "quality/values": Said(
        "Overall của {name} là {value}: phải nằm trong 0 đến 100", "Khởi động lại chương trình gửi luồng; đội mũ đo"
    ),
    "quality/signal": Said("{name}: tín hiệu sóng của mũ đo là {value}", "Đưa mũ đo lại gần bộ thu"),
    "battery/ok": Said("Pin: {percent} %, khoảng {at_end} % khi hết phiên"),
    "battery/scarce": Said("Pin: {percent} %, khoảng {at_end} % khi hết phiên", "Sạc trước phiên tiếp theo"),
    "battery/short": Said("Pin: {percent} %, không đủ cho {minutes} phút", "Sạc mũ đo trước, hoặc dùng mũ khác"),
    "battery/unknown": Said("{name} không cho biết mức pin", "Xem đèn trên mũ đo"),
    "camera/ok": Said("Máy quay: {width} x {height}, {fps} khung hình mỗi giây"),
    "camera/off": Said("Không dùng máy quay: {why}"),
    "camera/none": Said(
        "Không mở được máy quay: {why}", "Nối máy quay, đóng chương trình khác đang dùng nó, hoặc đặt lại camera.source"
    ),
    "camera/silent": Said("Có máy quay nhưng không có hình", "Rút ra cắm lại; đóng các chương trình khác"),
    "camera/frozen": Said("Máy quay đưa ra mãi một hình", "Rút ra cắm lại"),
    "camera/rate": Said(
        "Máy quay cho {fps} khung hình mỗi giây, cần {wanted}",
        "Thêm ánh sáng (trong tối máy quay giảm nửa tốc độ), đổi cổng USB, hoặc giảm camera.fps hay size_px",
    ),
    "camera/size": Said(
        "Máy quay cho {width} x {height} điểm ảnh, cần {wanted}", "Đặt camera.size_px theo khả năng của máy quay"
    ),
    "camera/dark": Said("Hình quá tối (mức xám {level} trên 255)", "Thêm ánh sáng từ phía trước; mở nắp ống kính"),
    "camera/bright": Said("Hình quá sáng (mức xám {level} trên 255)", "Bớt ánh sáng, không để sáng từ phía sau; xoay máy quay"),
    "face/ok": Said("Máy quay: một khuôn mặt, {share} % chiều cao hình"),
    "face/none": Said(
        "Máy quay không thấy khuôn mặt nào", "Cho người tham gia ngồi trước máy quay, vén tóc khỏi mắt, rồi kiểm tra lại"
    ),
    "face/several": Said(
        "Máy quay thấy {n} khuôn mặt: chỉ người tham gia đồng ý được ghi hình",
        "Người khác ra khỏi khung hình; gỡ ảnh người khỏi tường",
    ),
    "participant/unknown": Said(
        "Người tham gia {participant} không có trong danh sách của nghiên cứu ({roster}){meant}",
        "Bấm Hủy buổi ghi rồi chạy lại emo-run với mã đúng; người mới thì được qua khi có lý do",
    ),
    "participant/other": Said(
        "Người tham gia {participant} ở ses-{session} run-{run} là một người khác: {differ}",
        "Bấm Hủy buổi ghi rồi chạy lại emo-run với mã đúng, hoặc với phiếu đã sửa",
    ),
    "participant/complete": Said(
        "ses-{session} của người tham gia {participant} đã hoàn tất ({ends})",
        "Xem lại mã; ghi lại sẽ thành một lượt mới, lượt cũ vẫn giữ nguyên",
    ),
    "doctor": Said("Chính việc kiểm tra trước bị lỗi: {why}", "Kiểm tra lại; nếu vẫn vậy, tự chạy emo-doctor"),
    "check/failed": Said("Không kiểm tra được {what}: {why}", "Kiểm tra lại; nếu vẫn vậy, hãy xem xét bằng tay"),
}
