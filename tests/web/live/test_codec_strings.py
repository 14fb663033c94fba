"""Types as browsers know them."""

from __future__ import annotations

from tests.support.footage import STREET, clip
from tests.web.live.serving import messages_of
from web.live.codec_strings import mime_type


def test_h264() -> None:
    info = messages_of(STREET)[0].info
    assert mime_type(info) == f'video/mp4; codecs="avc1.{info.video.extradata[1:4].hex()}"'


def test_h264_with_aac() -> None:
    assert mime_type(messages_of(clip(audio="aac", seconds=4))[0].info).endswith(', mp4a.40.2"')


def test_h264_with_opus() -> None:
    assert mime_type(messages_of(clip(audio="opus", seconds=4))[0].info).endswith(', opus"')


def test_h265() -> None:
    # Main profile, level 3.0 (90) at 640x360 and 25 pictures a second is what x265 says of this clip.
    found = mime_type(messages_of(clip("h265", seconds=4))[0].info)
    assert found.startswith('video/mp4; codecs="hvc1.1.6.L')
    assert found.endswith('.90"')
