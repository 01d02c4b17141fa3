# SPDX-License-Identifier: Apache-2.0
"""Episodes and datasets harmed at random: told in one line, never a traceback, nothing lost."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from g1_il.dataset.convert import ConvertConfig, convert
from g1_il.dataset.reader import DatasetReader
from g1_il.dataset.validate import validate
from g1_il.episodes.check_command import judge
from g1_il.episodes.report import CheckConfig
from g1_il.errors import ConfigError, G1Error


@pytest.fixture(scope='module')
def episodes(factory: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes; tests harm copies of the first."""
    root = tmp_path_factory.mktemp('episodes')
    for number in range(2):
        factory.write(root, frames=35, first=100 * number, episode_id=f'e{number}')
    return root


@pytest.fixture(scope='module')
def dataset(episodes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('converted') / 'dataset'
    convert(episodes, out, ConvertConfig(jobs=1))
    return out


def harm(file: Path, chance: random.Random) -> None:
    """Changes, cuts, blanks or shifts some bytes."""
    data = bytearray(file.read_bytes())
    place = chance.randrange(len(data))
    how = chance.choice(('change', 'change', 'cut', 'blank', 'shift'))
    if how == 'change':
        for _ in range(chance.choice((1, 5, 50, 500))):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif how == 'cut':
        del data[place:]
    elif how == 'blank':
        data[place : place + 400] = bytes(len(data[place : place + 400]))
    else:
        data[place:place] = chance.randbytes(7)
    file.write_bytes(data)


@pytest.mark.parametrize('seed', range(24))
def test_a_harmed_episode_is_judged_and_left_out(
    episodes: Path, tmp_path: Path, seed: int
) -> None:
    shutil.copytree(episodes, tmp_path / 'e')
    harmed = next((tmp_path / 'e').glob('*/e0'))
    harm(next(harmed.glob('*.mcap')), random.Random(seed))
    report = judge(harmed, CheckConfig())
    assert all('\n' not in finding.text for finding in report.findings)
    made = convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    assert made.episodes + len(made.excluded) == 2 and made.episodes >= 1
    assert validate(tmp_path / 'd') == []


@pytest.mark.parametrize(
    ('file', 'content'),
    [
        ('episode.yaml', b''),
        ('episode.yaml', b'{{'),
        ('episode.yaml', b'\xff\xfe'),
        ('episode.yaml', b'- a list'),
        ('metadata.yaml', b'a: ['),
        ('metadata.yaml', b'\xff\xfe'),
        ('metadata.yaml', None),
        ('e0_0.mcap', b''),
        ('e0_0.mcap', b'no bag'),
        ('e0_0.mcap', None),
    ],
)
def test_one_bad_episode_does_not_stop_the_others(
    episodes: Path, tmp_path: Path, file: str, content: bytes | None
) -> None:
    shutil.copytree(episodes, tmp_path / 'e')
    path = next((tmp_path / 'e').glob(f'*/e0/{file}'))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    report = judge(path.parent, CheckConfig())
    assert report.verdict == 'FAIL'
    (finding,) = report.findings
    assert 'leave' in finding.text and '\n' not in finding.text
    if path.name == 'episode.yaml' and content is None:
        return
    made = convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    assert made.episodes == 1
    assert [item.source for item in made.excluded] == ['e0']


def test_pictures_are_not_dropped_silently(
    factory: SimpleNamespace, episodes: Path, tmp_path: Path
) -> None:
    """The first episode says what rows are; one with more in it is not cut down to that."""
    import g1_il.ros.bag as bag

    shutil.copytree(episodes, tmp_path / 'e')
    source = next((tmp_path / 'e').glob('*/e0'))
    topics = {name: topic for name, topic in bag.read_bag(source).items() if 'camera' not in name}
    shutil.rmtree(source)
    writer = bag.EpisodeWriter(
        tmp_path / 'e',
        task='put the can in',
        operator='test',
        start_ns=factory.START,
        topics={name: topic.type for name, topic in topics.items()},
        episode_id='e0',
    )
    for name, topic in topics.items():
        for data, receive_ns in zip(topic.data, topic.receive_ns, strict=True):
            writer.write(name, data, int(receive_ns))
    writer.close('success', end_ns=factory.START + 1_150_000_000)
    made = convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    assert made.episodes == 1
    (left_out,) = made.excluded
    assert left_out.source == 'e1' and 'pictures of head_camera' in left_out.reason


@pytest.mark.parametrize('seed', range(16))
def test_a_harmed_dataset_is_refused_or_reported(dataset: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    shutil.copytree(dataset, tmp_path / 'd')
    harm(chance.choice(sorted(p for p in (tmp_path / 'd').rglob('*') if p.is_file())), chance)
    try:
        assert all('\n' not in problem for problem in validate(tmp_path / 'd'))
    except G1Error as error:
        assert '\n' not in str(error)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'fps': 0}, 'fps is 0'),
        ({'fps': 'fast'}, 'fast'),
        ({'features': ['a']}, 'not a complete dataset'),
        ({'codebase_version': 'v2.1'}, "'v2.1'"),
    ],
)
def test_a_wrong_description_is_named(
    dataset: Path, tmp_path: Path, change: dict, words: str
) -> None:
    import json

    shutil.copytree(dataset, tmp_path / 'd')
    path = tmp_path / 'd/meta/info.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ConfigError, match=words) as caught:
        DatasetReader(tmp_path / 'd')
    assert '\n' not in str(caught.value) and 'convert' in str(caught.value)
