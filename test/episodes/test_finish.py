# SPDX-License-Identifier: Apache-2.0
"""What a recorder leaves, whole or torn, becomes a complete episode; nothing readable is lost."""

from __future__ import annotations

import argparse
import struct
from pathlib import Path

import pytest
import yaml
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from g1_il.episodes import folder as folders
from g1_il.episodes.card import EpisodeCard, load_card
from g1_il.episodes.finish import finish, recover
from g1_il.episodes.mcap_file import rewrite, summarize
from g1_il.episodes.recover_command import run_recover
from g1_il.errors import ConfigError

START = 1_700_000_000_000_000_000
MS = 1_000_000
RECORD = 9 + 22 + 17 + 1000  # bytes of one message in the file
QOS = '- history: 1\n  depth: 5\n  reliability: {}\n'
DEFINITION = b'# A comment = nothing.\nuint8 KIND=1\n\nstd_msgs/Header header\nuint8[] data\n'


def make_card(episode_id: str) -> EpisodeCard:
    return EpisodeCard(
        episode_id=episode_id,
        task='put the can in',
        operator='test',
        outcome='unknown',
        recorded_at='2026-11-20T10:00:00.000+00:00',
        start_ns=START,
        end_ns=START,
        software={'g1_il': '0'},
    )


def message(stamp_ns: int, size: int) -> bytes:
    header = struct.pack('<iII', *divmod(stamp_ns, 10**9), 1) + b'\0'
    return b'\x00\x01\x00\x00' + header + bytes(size)


def make_active(
    root: Path,
    episode_id: str,
    count: int = 200,
    *,
    close: bool = True,
    qos: str = QOS.format(1),
) -> Path:
    """A recording as rosbag2's fastwrite preset leaves it: no chunks, no index."""
    active = root / 'put_the_can_in' / (episode_id + folders.ACTIVE)
    active.mkdir(parents=True)
    make_card(episode_id).save(active)
    with open(active / f'{active.name}_0.mcap', 'wb') as stream:
        writer = Writer(stream, use_chunking=False, compression=CompressionType.NONE)
        writer.start(profile='ros2')
        schema = writer.register_schema('test_msgs/msg/Stamped', 'ros2msg', DEFINITION)
        metadata = {'offered_qos_profiles': qos}
        channels = [writer.register_channel(f'/{n}', 'cdr', schema, metadata) for n in 'ab']
        for k in range(count):
            stamp = START + k * 10 * MS + (500 * MS if k >= 150 else 0)
            writer.add_message(
                channels[k % 2], stamp + 3 * MS, message(stamp, 1000), stamp + 3 * MS, sequence=k
            )
        if close:
            writer.finish()
    return active


def tear(active: Path, lost: int) -> None:
    (file,) = active.glob('*.mcap')
    with open(file, 'rb+') as stream:
        stream.truncate(file.stat().st_size - lost)


def read(folder: Path) -> list[tuple[str, int, bytes]]:
    """Messages through mcap's seeking reader, which needs an index."""
    (file,) = folder.glob('*.mcap')
    with open(file, 'rb') as stream:
        reader = make_reader(stream)
        summary = reader.get_summary()
        assert summary is not None and summary.chunk_indexes, 'chunked and indexed'
        return [(c.topic, m.log_time, m.data) for _, c, m in reader.iter_messages()]


def test_finish_completes_folder_file_metadata_and_card(tmp_path: Path) -> None:
    active = make_active(tmp_path, 'e1')
    complete, card = finish(active, make_card('e1'), dropped={'/a': 3})
    assert complete == tmp_path / 'put_the_can_in' / 'e1'
    assert not active.exists()
    assert sorted(file.name for file in complete.iterdir()) == [
        'e1_0.mcap',
        'episode.yaml',
        'metadata.yaml',
    ]
    messages = read(complete)
    assert len(messages) == 200
    assert messages[7] == ('/b', START + 73 * MS, message(START + 70 * MS, 1000))
    assert load_card(complete) == card
    assert card.topics['/a'].dropped == 3
    assert card.topics['/a'].messages == 100
    assert card.topics['/a'].gaps == 1, 'by the headers'
    assert card.topics['/a'].longest_gap_s == pytest.approx(0.52)
    text = (complete / 'metadata.yaml').read_text()
    assert '&' not in text and '*' not in text, 'plain YAML, without aliases'
    info = yaml.safe_load(text)['rosbag2_bagfile_information']
    assert info['relative_file_paths'] == ['e1_0.mcap']
    assert info['message_count'] == 200
    assert info['version'] == 5
    topic = info['topics_with_message_count'][0]['topic_metadata']
    assert topic['offered_qos_profiles'] == QOS.format(1)


@pytest.mark.parametrize('qos', ['', '[]\n', QOS.format('reliable'), 'history: 1', '{'])
def test_qos_in_the_words_of_later_versions_is_not_in_version_5(tmp_path: Path, qos: str) -> None:
    complete, _ = finish(make_active(tmp_path, 'e1', qos=qos), make_card('e1'))
    info = yaml.safe_load((complete / 'metadata.yaml').read_text())
    topics = info['rosbag2_bagfile_information']['topics_with_message_count']
    written = topics[0]['topic_metadata']['offered_qos_profiles']
    assert isinstance(written, str), 'text up to version 8, a list since then'
    assert not yaml.safe_load(written or '[]')
    with open(complete / 'e1_0.mcap', 'rb') as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    assert {c.metadata['offered_qos_profiles'] for c in summary.channels.values()} == {qos}


def test_rosbag2s_own_metadata_is_kept(tmp_path: Path) -> None:
    active = make_active(tmp_path, 'e1')
    (active / 'metadata.yaml').write_text('path: e1.active_0.mcap\nown: 1\n')
    complete, _ = finish(active, make_card('e1'))
    assert (complete / 'metadata.yaml').read_text() == 'path: e1_0.mcap\nown: 1\n'


@pytest.mark.parametrize('lost', [1, 9, 500, 1500, 100_000])
def test_torn_file_is_recovered_up_to_the_tear(tmp_path: Path, lost: int) -> None:
    active = make_active(tmp_path, 'e1', close=False)
    whole = read_all(active)
    tear(active, lost)
    (recovery,) = recover(tmp_path)
    assert recovery.kept is not None
    messages = read(recovery.kept)
    assert len(messages) == recovery.messages
    assert messages == whole[: len(messages)]
    assert len(whole) - len(messages) == -(-lost // RECORD), 'only messages the tear touches'
    card = load_card(recovery.kept)
    assert card.recovered and card.outcome == 'unknown'
    assert 'the recorder was killed' in card.warnings
    assert card.end_ns == messages[-1][1]


def read_all(active: Path) -> list[tuple[str, int, bytes]]:
    (file,) = active.glob('*.mcap')
    copy = active.parent / 'copy'
    copy.mkdir()
    rewrite(file, copy / 'copy.mcap')
    messages = read(copy)
    (copy / 'copy.mcap').unlink()
    copy.rmdir()
    assert len(messages) == 200
    return messages


def test_tail_of_zeros_after_a_power_cut(tmp_path: Path) -> None:
    active = make_active(tmp_path, 'e1', close=False)
    (file,) = active.glob('*.mcap')
    with open(file, 'ab') as stream:
        stream.write(bytes(100_003))
    (recovery,) = recover(tmp_path)
    assert recovery.kept is not None
    assert len(read(recovery.kept)) == 200


def test_garbage_in_the_middle_keeps_what_is_before(tmp_path: Path) -> None:
    active = make_active(tmp_path, 'e1', close=False)
    (file,) = active.glob('*.mcap')
    data = bytearray(file.read_bytes())
    half = len(data) // 2
    data[half:] = b'\xff' * (len(data) - half)
    file.write_bytes(data)
    (recovery,) = recover(tmp_path)
    assert recovery.kept is not None
    assert 90 <= len(read(recovery.kept)) <= 101


def test_recording_in_progress_is_left_alone(tmp_path: Path) -> None:
    active = make_active(tmp_path, 'e1')
    lock = folders.FolderLock(active)
    (recovery,) = recover(tmp_path)
    assert recovery.kept is None and recovery.note == 'is being recorded'
    assert active.exists()
    lock.release()
    (recovery,) = recover(tmp_path)
    assert recovery.kept == tmp_path / 'put_the_can_in' / 'e1'
    assert recover(tmp_path) == []


def test_empty_recording_goes_to_the_trash(tmp_path: Path) -> None:
    make_active(tmp_path, 'e1', count=0, close=False)
    (recovery,) = recover(tmp_path)
    assert recovery.kept == tmp_path / '.trash' / 'put_the_can_in' / 'e1'
    with pytest.raises(ConfigError, match='holds no complete episode'):
        folders.find_episodes(tmp_path)


def test_crash_between_copy_and_rename_loses_nothing(tmp_path: Path) -> None:
    active = make_active(tmp_path, 'e1')
    source = active / 'e1.active_0.mcap'
    rewrite(source, active / 'e1_0.mcap')
    source.unlink()
    (recovery,) = recover(tmp_path)
    assert recovery.kept is not None
    assert len(read(recovery.kept)) == 200


def test_full_disk_keeps_the_file_as_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = make_active(tmp_path, 'e1')

    def full(self: Writer) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Writer, 'finish', full)
    complete, card = finish(active, make_card('e1'))
    assert [file.name for file in complete.glob('*.mcap*')] == ['e1_0.mcap']
    assert summarize(complete / 'e1_0.mcap').messages == 200
    assert 'disk was too full' in card.warnings[0]
    assert card.topics['/b'].messages == 100


def test_recover_command_says_what_became_of_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_active(tmp_path, 'e1', close=False)
    assert run_recover(argparse.Namespace(folder=tmp_path)) == 0
    assert 'e1: 200 messages; the recorder was killed' in capsys.readouterr().out
    assert run_recover(argparse.Namespace(folder=tmp_path)) == 0
    assert 'nothing to recover' in capsys.readouterr().out
    with pytest.raises(ConfigError, match='is not a folder'):
        run_recover(argparse.Namespace(folder=tmp_path / 'none'))
