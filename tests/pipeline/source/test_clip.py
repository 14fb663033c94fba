"""A clip as a camera: its own pace, no seam in its times, and files that are none."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import av
import pytest

from pipeline.model import Codec
from pipeline.source import NotVideo, SourceSettings, Unreachable
from tests.support.footage import STREET, clip
from tests.support.sources import watch


def test_a_clip_plays_at_its_own_pace() -> None:
    watched = watch(SourceSettings(STREET.as_uri()), frames=75)

    assert watched.error is None
    assert watched.infos[0].video.reorder == 2
    assert 2.7 < watched.seconds < 4.5  # 75 frames at 25 fps, two of them ahead
    assert {b.dts - a.dts for a, b in itertools.pairwise(watched.video)} == {3600}


@pytest.mark.slow
def test_the_loop_has_no_seam(tmp_path: Path) -> None:
    short = tmp_path / "a clip é.mp4"
    shutil.copy(clip(size="1280x720", fps=30, bitrate="4M", seconds=4, audio="aac"), short)
    watched = watch(SourceSettings(short.as_uri()), frames=30 * 9)
    shown = sorted(p.pts for p in watched.video)

    assert watched.error is None
    assert len(watched.infos) == 1
    assert len(watched.video) == 270
    # The audio is a few milliseconds longer or shorter than the video; a loop lasts as long as the longer.
    assert all(3000 <= b - a < 3000 + 2 * 1920 for a, b in itertools.pairwise(shown))
    assert all(a.dts < b.dts for a, b in itertools.pairwise(watched.video))
    assert all(0 <= b.pts - a.pts - a.duration < 2048 for a, b in itertools.pairwise(watched.audio))
    assert [p.data for p in watched.video[120:240]] == [p.data for p in watched.video[:120]]


def test_every_picture_of_the_loop_decodes() -> None:
    watched = watch(SourceSettings(STREET.as_uri()), frames=50)
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = watched.infos[0].video.extradata
    decoder.options = {"err_detect": "explode"}

    assert (
        sum(len(decoder.decode(av.Packet(p.data))) for p in watched.video) + len(decoder.decode(None)) == 50
    )


def test_files_that_are_no_clip(tmp_path: Path) -> None:
    page = tmp_path / "page.mp4"
    page.write_text("<!DOCTYPE html><p>not a clip")
    sound = tmp_path / "sound.mp4"
    with av.open(str(clip(audio="aac"))) as source, av.open(str(sound), "w") as made:
        stream = made.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                made.mux(packet)

    assert isinstance(watch(SourceSettings(page.as_uri())).error, NotVideo)
    assert isinstance(watch(SourceSettings(sound.as_uri())).error, NotVideo)
    assert isinstance(watch(SourceSettings((tmp_path / "none.mp4").as_uri())).error, Unreachable)
    assert isinstance(watch(SourceSettings("/dev/video99")).error, Unreachable)


def test_a_playlist_opens_nothing_else(tmp_path: Path) -> None:
    """A file that names other files is no clip: FFmpeg would follow it anywhere."""
    playlist = tmp_path / "list.mp4"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{STREET.as_uri()}\n#EXT-X-ENDLIST\n"
    )

    assert isinstance(watch(SourceSettings(playlist.as_uri())).error, NotVideo)


def test_a_clip_of_another_codec_is_encoded(tmp_path: Path) -> None:
    path = tmp_path / "old.avi"
    with av.open(str(STREET)) as source, av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 272, "yuv420p"
        for frame in itertools.islice(source.decode(video=0), 50):
            frame.pict_type = av.video.frame.PictureType.NONE
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    watched = watch(SourceSettings(path.as_uri()), frames=40)

    assert watched.error is None
    assert watched.infos[0].video.codec is Codec.H264
    assert "mpeg4 640x272 encoded to H.264" in watched.infos[0].note
    assert all(a.dts < b.dts for a, b in itertools.pairwise(watched.video))
