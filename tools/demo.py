#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Teaches the simulated G1 one task, from the first demonstration to the deployed policy.

Every step is a command that a user could type; its output goes to a log beside the results. Ends
with a table and a non-zero exit status unless the learned policy succeeds often enough.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

try:
    import yaml
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Table

    from g1_il.errors import ConfigError
    from g1_il.output import make_room
except ModuleNotFoundError as error:
    sys.exit(f'demo: the Python package {error.name} is not installed; run `make demo`')

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
GRAPH_EPISODES = 2
COLLECTED = 50
ROLLOUTS = 100
GRAPH_ROLLOUTS = 5
MIN_ROLLOUT_SUCCESSES = 90
MIN_GRAPH_SUCCESSES = 4
COLLECT_SEED = 1000
# Random pushes while the operator shows the task: the policy sees how to come back.
COLLECT_PUSH_RAD = 0.03
GRAPH_SEED = 500
# All that a demo leaves in its folder.
MADE = {
    'log', 'graph_episodes', 'episodes', 'dataset', 'checkpoint', 'policy.onnx', 'collect.json',
    'check.json', 'evaluate.json', 'graph_rollouts.json', 'rollout.mp4',
}  # fmt: skip


class DemoError(Exception):
    """A step that failed; the message names the step, what was wrong and the log."""


@dataclass
class PeakMemory:
    """Largest memory of this process and its descendants together, sampled twice a second."""

    peak_bytes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> PeakMemory:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self.peak_bytes = max(self.peak_bytes, self._sample())

    @staticmethod
    def _sample() -> int:
        """Proportional set size of the process tree [bytes]: shared pages count once."""
        parents, sizes = {}, {}
        for entry in os.scandir('/proc'):
            if not entry.name.isdigit():
                continue
            try:
                with open(f'/proc/{entry.name}/stat') as file:
                    parents[int(entry.name)] = int(file.read().rpartition(')')[2].split()[1])
            except OSError:
                continue
        mine = {os.getpid()}
        while True:
            grown = mine | {pid for pid, parent in parents.items() if parent in mine}
            if grown == mine:
                break
            mine = grown
        for pid in mine:
            try:
                with open(f'/proc/{pid}/smaps_rollup') as file:
                    sizes[pid] = sum(
                        int(line.split()[1]) * 1024 for line in file if line.startswith('Pss:')
                    )
            except (OSError, ValueError):
                continue
        return sum(sizes.values())


@dataclass
class Demo:
    """The steps, the folder they write to, and what they found."""

    out: Path
    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, title: str, command: list[str], *, environment: dict[str, str] | None = None):
        """Runs one command with a live line of its newest output; its log stays in out/log."""
        verb = title.split()[0].strip(':')
        log = self.out / 'log' / f'{len(self.seconds) + 1:02d}_{verb}.log'
        log.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        shown = ' '.join(Path(part).name if part.startswith('/') else part for part in command)
        self.console.print(f'[bold]{title}[/bold]\n  [dim]$ {shown}[/dim]')
        columns = (SpinnerColumn(), TextColumn('{task.description}'), TimeElapsedColumn())
        with (
            Progress(*columns, console=self.console, transient=True) as progress,
            open(log, 'wb') as file,
        ):
            task = progress.add_task('', total=None)
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {}), 'COLUMNS': '100'},
                cwd=ROOT,
            )
            try:
                while process.poll() is None:
                    time.sleep(0.25)
                    progress.update(task, description=last_line(log))
            except KeyboardInterrupt:
                process.send_signal(2)
                process.wait(60)
                raise
        self.seconds[title] = time.monotonic() - started
        if process.returncode:
            tail = '\n'.join(log.read_text(errors='replace').splitlines()[-15:])
            raise DemoError(
                f'step "{title}" ended with status {process.returncode}; its log: {log}\n{tail}'
            )
        self.console.print(f'  [green]done[/green] in {self.seconds[title]:.0f} s')


def last_line(log: Path, width: int = 80) -> str:
    """The newest text of a log, for a progress line."""
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 400))
        lines = file.read().decode(errors='replace').replace('\r', '\n').splitlines()
    return next((line.strip()[:width] for line in reversed(lines) if line.strip()), '')


def outcomes(folder: Path) -> list[str]:
    """Outcomes on the cards of the recorded episodes."""
    cards = sorted(folder.glob('**/episode.yaml'))
    return [yaml.safe_load(card.read_text())['outcome'] for card in cards]


def demo(out: Path, console: Console) -> int:
    run = Demo(out, console)
    tool, ros2 = str(BIN / 'g1-il'), shutil.which('ros2') or str(BIN / 'ros2')
    graph = {
        'PATH': f'{BIN}:{os.environ["PATH"]}',
        'ROS_DOMAIN_ID': os.environ.get('ROS_DOMAIN_ID', '42'),
        'ROS_LOG_DIR': str(out / 'log/ros'),
    }
    episodes, dataset = out / 'episodes', out / 'dataset'
    checkpoint, policy = out / 'checkpoint', out / 'policy.onnx'
    started = time.monotonic()
    with PeakMemory() as memory:
        run.run(
            'teleoperate: 2 episodes through the real-time graph',
            [ros2, 'launch', 'g1_il', 'teleop_record.launch.py', 'robot:=sim']
            + ['operator:=scripted', f'episodes:={GRAPH_EPISODES}', f'seed:={GRAPH_SEED}']
            + ['lowstate_rate_hz:=200.0', f'out:={out / "graph_episodes"}'],
            environment=graph,
        )
        shown = outcomes(out / 'graph_episodes')
        if shown != ['success'] * GRAPH_EPISODES:
            raise DemoError(
                f'the graph recorded {shown}, wanted {GRAPH_EPISODES} successes; '
                f'its log: {out / "log"}'
            )
        run.run(
            f'collect {COLLECTED} episodes faster than real time',
            [tool, 'collect', '--episodes', str(COLLECTED), '--seed', str(COLLECT_SEED)]
            + [
                '--push',
                str(COLLECT_PUSH_RAD),
                '--out',
                str(episodes),
                '--report',
                str(out / 'collect.json'),
            ],
        )
        run.run(
            'check the episodes', [tool, 'check', str(episodes), '--json', str(out / 'check.json')]
        )
        run.run('convert to LeRobot v3.0', [tool, 'convert', str(episodes), str(dataset)])
        run.run('validate the dataset', [tool, 'validate', str(dataset)])
        run.run(
            'train behaviour cloning',
            [tool, 'train', '--dataset', str(dataset), '--out', str(checkpoint)]
            + ['--inputs', 'state,environment_state'],
        )
        run.run('export to ONNX', [tool, 'export', str(checkpoint), str(policy)])
        run.run(
            f'evaluate {ROLLOUTS} rollouts on unseen scenes',
            [tool, 'evaluate', str(policy), '--rollouts', str(ROLLOUTS)]
            + ['--report', str(out / 'evaluate.json'), '--video', str(out / 'rollout.mp4')],
        )
        score = out / 'graph_rollouts.json'
        try:
            run.run(
                f'deploy: {GRAPH_ROLLOUTS} rollouts through the real-time graph',
                [ros2, 'launch', 'g1_il', 'policy.launch.py', f'policy:={policy}', 'robot:=sim']
                + [f'rollouts:={GRAPH_ROLLOUTS}', 'lowstate_rate_hz:=200.0']
                + [f'report:={score}'],
                environment=graph,
            )
        except DemoError:
            if not score.exists():  # too few successes are told with the table
                raise
    minutes = (time.monotonic() - started) / 60
    return report(run, minutes, memory.peak_bytes / 2**30)


def report(run: Demo, minutes: float, gib: float) -> int:
    """Prints the closing table; 0 only if the policy succeeds often enough."""
    out = run.out
    collected = json.loads((out / 'collect.json').read_text())
    evaluated = json.loads((out / 'evaluate.json').read_text())
    deployed = json.loads((out / 'graph_rollouts.json').read_text())
    info = json.loads((out / 'dataset/meta/info.json').read_text())
    table = Table('demo', 'result', title='What the robot learned')
    for name, value in summary(collected, evaluated, deployed, info, run, minutes, gib):
        table.add_row(name, value)
    run.console.print(table)
    for name in ('graph_episodes', 'episodes', 'dataset', 'checkpoint', 'policy.onnx'):
        run.console.print(f'  {out / name}')
    run.console.print(f'  [bold]{out / "rollout.mp4"}[/bold]   a rollout, to look at')
    enough = (
        evaluated['successes'] >= MIN_ROLLOUT_SUCCESSES
        and deployed['successes'] >= MIN_GRAPH_SUCCESSES
    )
    if not enough:
        print(
            f'demo: the policy succeeded in {evaluated["successes"]} of {ROLLOUTS} rollouts '
            f'(wanted {MIN_ROLLOUT_SUCCESSES}) and in {deployed["successes"]} of '
            f'{GRAPH_ROLLOUTS} through the graph (wanted {MIN_GRAPH_SUCCESSES})',
            file=sys.stderr,
        )
    return 0 if enough else 1


def summary(collected, evaluated, deployed, info, run, minutes, gib) -> list[tuple[str, str]]:
    """Rows of the closing table."""
    low, high = (100 * bound for bound in evaluated['interval'])
    training = next(s for title, s in run.seconds.items() if title.startswith('train'))
    ms = 1000
    return [
        ('episodes through the graph', f'{GRAPH_EPISODES} of {GRAPH_EPISODES} succeeded'),
        (
            'episodes collected',
            f'{collected["successes"]} of {collected["attempts"]} attempts, '
            f'{collected["real_time_factor"]:.1f} x real time',
        ),
        ('rows of the dataset', f'{info["total_frames"]} at {info["fps"]} fps'),
        ('training', f'{training:.0f} s'),
        (
            'success, in process',
            f'{evaluated["successes"]} of {evaluated["rollouts"]} '
            f'(95 % interval {low:.0f}-{high:.0f} %)',
        ),
        ('success, through the graph', f'{deployed["successes"]} of {deployed["rollouts"]}'),
        (
            'inference p50 / p99',
            f'{ms * deployed["inference_p50"]:.1f} / {ms * deployed["inference_p99"]:.1f} ms',
        ),
        ('observation age', f'{ms * deployed["observation_age"]:.0f} ms'),
        (
            'gate interventions',
            ', '.join(f'{k} {v}' for k, v in deployed['interventions'].items() if v) or 'none',
        ),
        ('whole demo', f'{minutes:.1f} min, at most {gib:.1f} GiB'),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'build/demo')
    parser.add_argument('--overwrite', action='store_true', help='replace what OUT holds')
    options = parser.parse_args()
    out = options.out.resolve()
    console = Console()
    try:
        make_room(out, MADE, overwrite=options.overwrite)
        return demo(out, console)
    except ConfigError as error:
        print(f'demo: {error}', file=sys.stderr)
        return 2
    except DemoError as error:
        print(f'demo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
