# SPDX-License-Identifier: Apache-2.0
"""A headless browser with an emulated headset in it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

playwright_api = pytest.importorskip('playwright.sync_api')

ROOT = Path(__file__).parents[2]
FLAGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
]
INSTALL = """
window.headset = new IWER.XRDevice(IWER.metaQuest3);
headset.installRuntime({ forceInstall: true });
headset.primaryInputMode = 'hand';
headset.stereoEnabled = true;
"""
MOVE = """({ head, left, right }) => {
  const put = (thing, pose) => {
    thing.position.set(pose[0], pose[1], pose[2]);
    thing.quaternion.set(pose[3], pose[4], pose[5], pose[6]);
  };
  if (head) put(headset, head);
  if (left) put(headset.hands.left, left);
  if (right) put(headset.hands.right, right);
}"""
# Where the emulator keeps a joint in its hand: its own data, not what its WebXR interface says.
OFFSETS = """(side) => [...headset.hands[side].inputSource.hand.values()].map((joint) => {
  const key = Object.getOwnPropertySymbols(joint).find((s) => joint[s] && joint[s].offsetMatrix);
  return [...joint[key].offsetMatrix];
})"""


def _executable() -> str | None:
    """Debian's Chromium; None (Playwright's own browser) where there is only a snap's stub."""
    path = shutil.which('chromium')
    if path is None or 'snap' in str(Path(path).resolve()):
        return None
    return path


@pytest.fixture(scope='session')
def emulator() -> Path:
    """The WebXR emulator's script, fetched when it is missing."""
    spec = importlib.util.spec_from_file_location('fetch_iwer', ROOT / 'tools' / 'fetch_iwer.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fetch()


@pytest.fixture(scope='module')
def browser() -> Iterator:
    """A headless Chromium with a profile of its own.

    Not for the session: Playwright keeps an event loop running, which later tests would meet.
    """
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(), args=FLAGS)
        yield browser
        browser.close()


class Headset:
    """An emulated headset on an open page; its errors are kept.

    Poses are WebXR's: position [m] and quaternion xyzw in local-floor.
    """

    def __init__(self, browser, emulator: Path | None) -> None:
        self.context = browser.new_context(
            ignore_https_errors=True, viewport={'width': 1200, 'height': 620}
        )
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on('pageerror', lambda error: self.errors.append(str(error)))
        self.page.on(
            'console', lambda m: self.errors.append(m.text) if m.type == 'error' else None
        )
        if emulator is not None:
            self.context.add_init_script(script=emulator.read_text() + INSTALL)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.until("document.getElementById('connection').textContent === 'connected'")

    def start(self, mode: str = 'vr') -> None:
        self.page.click(f'#start-{mode}')
        self.until("document.getElementById('role').textContent.includes('this headset controls')")

    def move(self, **poses: list[float]) -> None:
        self.page.evaluate(MOVE, {'head': None, 'left': None, 'right': None, **poses})

    def offsets(self, side: str) -> np.ndarray:
        """Joints in their hand's frame, shape (25, 4, 4)."""
        columns = np.array(self.page.evaluate(OFFSETS, side)).reshape(25, 4, 4)
        return columns.transpose(0, 2, 1)

    def until(self, expression: str, timeout_s: float = 10.0) -> None:
        """Wait until a JavaScript expression is true; the page's own policy forbids `eval`."""
        for _ in range(int(timeout_s / 0.02)):
            if self.page.evaluate(f'Boolean({expression})'):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f'{expression} was not true within {timeout_s} s')

    def text(self, name: str) -> str:
        return self.page.inner_text(f'#{name}')


@pytest.fixture
def headset(browser, emulator: Path) -> Iterator[Headset]:
    """A page in a browser with an emulated Quest 3."""
    made = Headset(browser, emulator)
    yield made
    made.context.close()


@pytest.fixture
def plain_page(browser) -> Iterator[Headset]:
    """A page in a browser without any headset."""
    made = Headset(browser, None)
    yield made
    made.context.close()
