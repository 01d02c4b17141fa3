# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes become a LeRobotDataset v3.0, the same every time.

Episodes are worked on in parallel and joined in the order of their ids. What is converted and
what is not, and why, goes into meta/g1_il.json.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from g1_il.dataset import layout
from g1_il.dataset.episode_rows import (
    Assembled,
    CameraPlan,
    Plan,
    assemble,
    encode_camera,
    row_columns,
)
from g1_il.dataset.video import JpegDecoder
from g1_il.dataset.writer import DatasetWriter, EpisodeRows
from g1_il.episodes.card import EpisodeCard, load_card, software_version
from g1_il.episodes.folder import find_episodes
from g1_il.episodes.report import WARN, CheckConfig, check_episode
from g1_il.errors import ConfigError, G1Error
from g1_il.output import check_folder, new_folder
from g1_il.robot.joints import COMMAND_JOINTS

RULE = (
    'one row per sample of the reference stream; every other stream gives its last sample not '
    'later than that; the action is the executed command in force at that instant'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertConfig:
    """What to convert, and how.

    Attributes:
        fps: Declared rate of the cameras, and of the rows.
        outcomes: Outcomes of the episodes to take.
        reference: Camera whose frames make the rows; the first by name when empty.
        trim_idle: Leave out the stand-still at both ends.
        jobs: Processes.
        overwrite: Replace an existing dataset.
    """

    fps: int = 30
    outcomes: tuple[str, ...] = ('success',)
    reference: str = ''
    trim_idle: bool = False
    jobs: int = 2
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """An episode that is not in the dataset, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What was made.

    Attributes:
        root: The dataset.
        episodes: Number of episodes in it.
        rows: Rows of all of them.
        warned: Episodes in it that check warns of.
        excluded: Episodes that are not in it.
    """

    root: Path
    episodes: int
    rows: int
    warned: int
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    folder: Path
    card: EpisodeCard
    plan: Plan
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    rows: EpisodeRows
    record: dict[str, Any]


def convert(
    folder: Path,
    out: Path,
    config: ConvertConfig,
    on_episode: Callable[[int, int, int], None] = lambda done, total, rows: None,
) -> Conversion:
    """Converts the episodes below a folder.

    Args:
        folder: Folder of the recorded episodes.
        out: Folder of the dataset; it appears when it is complete.
        config: What to convert, and how.
        on_episode: Told after each episode: done, of how many, rows so far.

    Raises:
        ConfigError: Nothing can be converted, or `out` exists.
    """
    check_folder(out, layout.DATASET, option='OUT', overwrite=config.overwrite)
    wanted, excluded = _choose(find_episodes(folder), config)
    if not wanted:
        raise ConfigError(
            f'{folder} has {len(excluded)} episodes, none of outcome '
            f'{" or ".join(config.outcomes)}; give --outcome to take others; the first: '
            f'{excluded[0].source}: {excluded[0].reason}'
        )
    plan = _make_plan([place for place, _ in wanted], config)
    with new_folder(out, layout.DATASET, option='OUT', overwrite=config.overwrite) as partial:
        scratch = partial / 'scratch'
        scratch.mkdir()
        jobs = [_Job(folder=p, card=c, plan=plan, scratch=scratch) for p, c in wanted]
        records, rows = _write(partial, plan, jobs, config, excluded, on_episode)
        shutil.rmtree(scratch)
    return Conversion(
        root=out,
        episodes=len(records),
        rows=rows,
        warned=sum(record['verdict'] == WARN for record in records),
        excluded=tuple(excluded),
    )


def _choose(
    folders: Sequence[Path], config: ConvertConfig
) -> tuple[list[tuple[Path, EpisodeCard]], list[Excluded]]:
    """Episodes to convert with their cards, and those that are left out by their cards."""
    wanted, excluded = [], []
    for folder in folders:
        try:
            card = load_card(folder)
        except ConfigError as error:
            excluded.append(Excluded(source=folder.name, reason=str(error)))
            continue
        if card.outcome in config.outcomes:
            wanted.append((folder, card))
        else:
            reason = f'outcome is {card.outcome}'
            excluded.append(Excluded(source=card.episode_id, reason=reason))
    return wanted, excluded


def _write(
    root: Path,
    plan: Plan,
    jobs: Sequence[_Job],
    config: ConvertConfig,
    excluded: list[Excluded],
    on_episode: Callable[[int, int, int], None],
) -> tuple[list[dict[str, Any]], int]:
    writer = DatasetWriter(root, fps=plan.fps, features=plan.features)
    records: list[dict[str, Any]] = []
    rows = 0
    for done, result in enumerate(_run(jobs, config.jobs), start=1):
        if isinstance(result, Excluded):
            excluded.append(result)
        else:
            writer.add(result.rows)
            for video in result.rows.videos.values():
                video.unlink()
            records.append({'index': len(records), **result.record})
            rows += len(result.rows.stamp_ns)
        on_episode(done, len(jobs), rows)
    if not records:
        reasons = '; '.join(f'{item.source}: {item.reason}' for item in excluded[:3])
        raise ConfigError(f'no episode can be converted: {reasons}')
    writer.close(
        {
            'software': software_version(),
            'fps': plan.fps,
            'rule': RULE,
            'reference': plan.assembler.reference.name,
            'streams': [
                asdict(rule) for rule in (plan.assembler.reference, *plan.assembler.others)
            ],
            'joints': list(COMMAND_JOINTS),
            'units': 'rad, m',
            'objects': list(plan.objects),
            'trim_idle': plan.trim_idle,
            'outcomes': list(config.outcomes),
            'episodes': records,
            'excluded': [asdict(item) for item in excluded],
        }
    )
    return records, rows


def _run(jobs: Sequence[_Job], processes: int) -> Iterator[_Result | Excluded]:
    """Results in the order of the jobs."""
    processes = min(processes, len(jobs))
    if processes <= 1:
        yield from map(_convert_one, jobs)
        return
    # A new interpreter each: a fork of a process with threads may hang.
    with multiprocessing.get_context('spawn').Pool(processes) as pool:
        yield from pool.imap(_convert_one, jobs)


def _convert_one(job: _Job) -> _Result | Excluded:
    from g1_il.ros.bag import read_bag
    from g1_il.ros.streams import camera_topics, episode_streams, samples

    card, plan = job.card, job.plan
    try:
        bag = read_bag(job.folder)
        report = check_episode(card, episode_streams(bag), CheckConfig(fps=plan.fps))
        if report.failures:
            raise G1Error('; '.join(finding.text for finding in report.failures))
        if unplanned := set(camera_topics(bag)) - {camera.name for camera in plan.cameras}:
            raise G1Error(
                f'it has pictures of {min(unplanned)}, which the first episode has not; convert '
                'such episodes by themselves'
            )
        made = assemble(samples(bag, plan.assembler.names, plan.objects), plan)
        videos, images = {}, {}
        for camera in plan.cameras:
            key = layout.IMAGES + camera.name
            videos[key] = job.scratch / f'{card.episode_id}.{camera.name}.mp4'
            images[key] = encode_camera(made.rows, camera, videos[key], fps=plan.fps)
    except G1Error as error:
        return Excluded(source=card.episode_id, reason=str(error))
    streams = plan.assembler.names
    rows = EpisodeRows(
        source=card.episode_id,
        task=card.task,
        columns=row_columns(made.rows, plan),
        videos=videos,
        images=images,
        stamp_ns=np.array([row.stamp_ns for row in made.rows], dtype=np.int64),
        ages_ns={
            name: np.array([row.ages_ns[name] for row in made.rows], dtype=np.int64)
            for name in streams
        },
        held={name: np.array([name in row.held for row in made.rows]) for name in streams},
        extra={
            'g1_il/success': card.outcome == 'success',
            'g1_il/verdict': report.verdict,
        },
    )
    return _Result(
        rows=rows,
        record=_record(card, report.verdict, made)
        | {
            'findings': [asdict(finding) for finding in report.findings],
        },
    )


def _record(card: EpisodeCard, verdict: str, made: Assembled) -> dict[str, Any]:
    return {
        'source': card.episode_id,
        'task': card.task,
        'operator': card.operator,
        'outcome': card.outcome,
        'recorded_at': card.recorded_at,
        'recovered': card.recovered,
        'recorder': card.software,
        'verdict': verdict,
        'rows': len(made.rows),
        'held_rows': made.held,
        'cut_rows': made.cut,
        'trimmed_rows': made.trimmed,
        'refused_rows': dict(made.refused),
    }


def _make_plan(folders: Sequence[Path], config: ConvertConfig) -> Plan:
    """The plan that fits the first episode that can be read; others must fit it too."""
    from g1_il.ros import cdr
    from g1_il.ros.bag import read_bag
    from g1_il.ros.streams import camera_topics, streams_of
    from g1_il.rows.streams import SCENE

    reason = ''
    for folder in folders:
        try:
            bag = read_bag(folder)
        except G1Error as error:
            reason = reason or str(error)
            continue
        topics = camera_topics(bag)
        names = sorted(topics, key=lambda name: (name != config.reference, name))
        scene = streams_of(bag).get(SCENE)
        if not names and scene is None:
            reason = reason or f'{folder} has neither a camera nor a scene'
            continue
        if config.reference and config.reference not in names:
            raise ConfigError(
                f'{folder} has no camera {config.reference!r}; it has {", ".join(names) or "none"}'
            )
        cameras = []
        for name in names:
            try:
                frame = JpegDecoder().decode(cdr.decode_compressed(topics[name].data[0])[1])
            except (G1Error, ValueError) as error:
                raise ConfigError(f'{folder}, {name}, first picture: {error}') from error
            cameras.append(CameraPlan(name=name, width=frame.width, height=frame.height))
        return Plan(
            fps=config.fps,
            cameras=tuple(cameras),
            objects=cdr.decode_scene(scene.data[0]).names if scene else (),
            trim_idle=config.trim_idle,
            min_rows=config.fps,
        )
    raise ConfigError(f'no episode can be converted: {reason}')
