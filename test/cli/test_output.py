# SPDX-License-Identifier: Apache-2.0
"""What commands replace, and what they never touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from g1_il.dataset.layout import DATASET
from g1_il.episodes.folder import EPISODES
from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CHECKPOINT
from g1_il.output import (
    MARK,
    FolderKind,
    check_file,
    check_folder,
    emptied_folder,
    make_room,
    new_folder,
)

OURS = {
    'a dataset': (
        'meta/info.json',
        'meta/g1_il.json',
        'meta/stats.json',
        'data/chunk-000/file-000.parquet',
        'videos/observation.images.head_camera/chunk-000/file-000.mp4',
    ),
    'a checkpoint': ('config.json', 'card.json', 'model.safetensors', 'loss.png'),
    'episodes': (
        'put_in/seed1/episode.yaml',
        'put_in/seed1/metadata.yaml',
        'put_in/seed1/seed1_0.mcap',
        '.trash/put_in/seed2/episode.yaml',
        '.trash/put_in/seed2/seed2_0.mcap',
    ),
}
KINDS = {kind.name: kind for kind in (DATASET, CHECKPOINT, EPISODES)}


def fill(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(file)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


@pytest.mark.parametrize('name', KINDS)
def test_what_this_package_made_is_replaced_when_asked(tmp_path: Path, name: str) -> None:
    out = fill(tmp_path / 'out', *OURS[name])
    with pytest.raises(ConfigError, match='say --overwrite'):
        check_folder(out, KINDS[name], option='--out', overwrite=False)
    with new_folder(out, KINDS[name], overwrite=True) as folder:
        assert contents(out) == {file: file for file in OURS[name]}, 'kept until the end'
        fill(folder, 'new')
    assert contents(tmp_path) == {'out/new': 'new'}


@pytest.mark.parametrize(
    ('name', 'files'),
    [
        ('a dataset', (*OURS['a dataset'], 'thesis.doc')),
        ('a dataset', (*OURS['a dataset'], 'data/chunk-000/notes.txt')),
        ('a dataset', (*OURS['a dataset'], 'videos/holiday.mp4')),
        ('a dataset', ('meta/info.json', 'data/chunk-000/file-000.parquet')),  # somebody else's
        ('a checkpoint', (*OURS['a checkpoint'], 'thesis.doc')),
        ('a checkpoint', ('config.json', 'src/index.js')),
        ('a checkpoint', ('config.json', 'model.safetensors')),  # of any other trainer
        ('episodes', (*OURS['episodes'], 'notes.txt')),
        ('episodes', (*OURS['episodes'], 'put_in/notes.txt')),
        ('episodes', (*OURS['episodes'], 'put_in/seed1/notes.txt')),
        ('episodes', ('day1/run1/metadata.yaml', 'day1/run1/run1_0.mcap')),  # plain ROS bags
        ('episodes', ('.bashrc', 'Documents/letter.txt')),  # a home
    ],
)
def test_a_folder_with_anything_else_in_it_is_left_alone(
    tmp_path: Path, name: str, files: tuple[str, ...]
) -> None:
    out = fill(tmp_path / 'out', *files)
    for replace in (new_folder, emptied_folder):
        with (
            pytest.raises(
                ConfigError, match=f'is not overwritten.*not taken for {name} of this'
            ) as caught,
            replace(out, KINDS[name], overwrite=True),
        ):
            raise AssertionError('the work began')
        assert '\n' not in str(caught.value)
    assert contents(out) == {file: file for file in files}


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    precious = fill(tmp_path / 'precious', 'seed1/episode.yaml', 'seed1/seed1_0.mcap')
    out = fill(tmp_path / 'out', *OURS['episodes'])
    (out / 'linked').symlink_to(precious)
    with (
        pytest.raises(ConfigError, match='it holds linked'),
        emptied_folder(out, EPISODES, overwrite=True),
    ):
        pass
    assert len(contents(precious)) == 2


def test_an_unfinished_folder_of_a_stranger_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path / '.out.partial', 'thesis.doc')
    with (
        pytest.raises(ConfigError, match=r'in the way and is not removed: it holds thesis.doc'),
        new_folder(tmp_path / 'out', DATASET),
    ):
        pass
    assert contents(tmp_path) == {'.out.partial/thesis.doc': 'thesis.doc'}


def test_an_unfinished_folder_of_a_killed_command_is_cleared(tmp_path: Path) -> None:
    fill(tmp_path / '.out.partial', 'meta/info.json', 'scratch/seed1.head_camera.mp4')
    with new_folder(tmp_path / 'out', DATASET) as folder:
        assert contents(folder) == {}
        fill(folder, 'meta/info.json')
    assert contents(tmp_path) == {'out/meta/info.json': 'meta/info.json'}


@pytest.mark.parametrize('there_before', [False, True])
def test_a_failure_leaves_what_was_there(tmp_path: Path, there_before: bool) -> None:
    before = OURS['a checkpoint'] if there_before else ()
    fill(tmp_path / 'out', *before)
    with (
        pytest.raises(ZeroDivisionError),
        new_folder(tmp_path / 'out', CHECKPOINT, overwrite=True) as folder,
    ):
        fill(folder, 'config.json')
        raise ZeroDivisionError
    assert contents(tmp_path) == {f'out/{file}': file for file in before}


@pytest.mark.parametrize('makes', [(), ('put_in/seed9/episode.yaml',)])
def test_episodes_come_back_if_nothing_new_was_made(
    tmp_path: Path, makes: tuple[str, ...]
) -> None:
    out = fill(tmp_path / 'out', *OURS['episodes'])
    with pytest.raises(ZeroDivisionError), emptied_folder(out, EPISODES, overwrite=True):
        assert not out.exists()
        fill(out, *makes)
        raise ZeroDivisionError
    assert contents(tmp_path) == {f'out/{file}': file for file in makes or OURS['episodes']}


@pytest.mark.parametrize('place', ['file', 'file/below', '/proc/none', '/proc/none/below'])
def test_a_place_that_cannot_be_written_is_named_before_the_work(
    tmp_path: Path, place: str
) -> None:
    fill(tmp_path, 'file')
    with pytest.raises(ConfigError, match=r'--out .*; name a') as caught:
        check_folder(tmp_path / place, DATASET, option='--out', overwrite=True)
    assert '\n' not in str(caught.value)
    assert contents(tmp_path) == {'file': 'file'}


@pytest.mark.parametrize(
    ('place', 'overwrite', 'words'),
    [
        ('there', False, 'exists; name another file or say --overwrite'),
        ('.', True, 'is a folder; name a file'),
        ('there/below', True, 'is no folder; name another place'),
        ('/proc/report.json', True, 'cannot be written; name another place'),
    ],
)
def test_a_file_that_cannot_or_may_not_be_written_is_refused(
    tmp_path: Path, place: str, overwrite: bool, words: str
) -> None:
    fill(tmp_path, 'there')
    with pytest.raises(ConfigError, match=f'--report .*{words}'):
        check_file(tmp_path / place, option='--report', overwrite=overwrite)
    assert contents(tmp_path) == {'there': 'there'}


def test_new_places_are_good_places(tmp_path: Path) -> None:
    fill(tmp_path, 'there')
    check_file(None, option='--report', overwrite=False)
    check_file(tmp_path / 'there', option='--report', overwrite=True)
    check_file(tmp_path / 'a' / 'b' / 'report.json', option='--report', overwrite=False)
    check_folder(tmp_path / 'a' / 'b', DATASET, option='OUT', overwrite=False)


def test_the_working_folder_can_be_named_by_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    with new_folder(Path('.'), FolderKind(name='thing', files=('*',))) as folder:
        fill(folder, 'made')
    assert contents(tmp_path) == {'here/made': 'made'}


def test_room_is_made_only_where_such_a_run_was_before(tmp_path: Path) -> None:
    out = tmp_path / 'run'
    make_room(out, {'log'})
    fill(out, 'log/1.txt')
    with pytest.raises(ConfigError, match='say --overwrite'):
        make_room(out, {'log'})
    make_room(out, {'log'}, overwrite=True)
    assert contents(out) == {MARK: ''}
    fill(out, 'log/1.txt', 'thesis.doc')
    with pytest.raises(ConfigError, match='not overwritten: it holds thesis'):
        make_room(out, {'log'}, overwrite=True)
    strange = fill(tmp_path / 'strange', 'log/1.txt')
    with pytest.raises(ConfigError, match='not overwritten: it holds no'):
        make_room(strange, {'log'}, overwrite=True)
    assert len(contents(out)) == 3 and len(contents(strange)) == 1
