# SPDX-License-Identifier: Apache-2.0
"""Pictures of the scene. Made and used in one thread; beside the physics, not inside it."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How finely a camera is drawn.

    Attributes:
        slices: Facets around a cylinder or sphere.
        stacks: Facets along it.
        shadow_px: Size of the shadow map; 0 draws no shadows.
        samples: Samples per pixel for smooth edges; 0 for none.
        textures: False draws plain colours and no sky, at half the cost.
    """

    slices: int
    stacks: int
    shadow_px: int
    samples: int
    textures: bool


FAST = Quality(slices=10, stacks=6, shadow_px=0, samples=0, textures=False)
CLEAR = Quality(slices=16, stacks=8, shadow_px=1024, samples=0, textures=True)
FINE = Quality(slices=40, stacks=24, shadow_px=4096, samples=8, textures=True)


class SceneRenderer:
    """Draws positions of one model with one size and quality.

    It keeps kinematics of its own, so the physics may go on in another thread meanwhile. The
    OpenGL context belongs to the thread that calls `render` first and is made there.
    """

    def __init__(
        self, model: mujoco.MjModel, *, width: int, height: int, quality: Quality = FAST
    ) -> None:
        """Prepares; draws nothing and opens nothing yet."""
        self._model = copy.copy(model)
        settings = self._model.vis.quality
        settings.numslices = quality.slices
        settings.numstacks = quality.stacks
        settings.numquads = 4
        settings.shadowsize = quality.shadow_px
        settings.offsamples = quality.samples
        self._model.vis.global_.offwidth = width
        self._model.vis.global_.offheight = height
        self._data = mujoco.MjData(self._model)
        self._size = (height, width)
        if not quality.textures:
            self._model.mat_texid[:] = -1
        self._flags = {
            mujoco.mjtRndFlag.mjRND_SHADOW: quality.shadow_px > 0,
            mujoco.mjtRndFlag.mjRND_SKYBOX: quality.textures,
            mujoco.mjtRndFlag.mjRND_REFLECTION: False,
        }
        self._renderer: mujoco.Renderer | None = None

    def open(self) -> None:
        """Makes the context now, in the calling thread, instead of with the first picture.

        Raises:
            ConfigError: OpenGL is not there.
        """
        if self._renderer is not None:
            return
        try:
            self._renderer = mujoco.Renderer(self._model, *self._size)
        except Exception as error:
            raise ConfigError(
                f'cannot render with MUJOCO_GL={os.environ.get("MUJOCO_GL", "")!r}: {error}; '
                'install the packages libegl1 and libgl1 (apt), or do without pictures'
            ) from error

    def render(self, position: npt.NDArray[np.float64], camera: str) -> npt.NDArray[np.uint8]:
        """Draws what a camera sees.

        Args:
            position: MuJoCo's qpos, shape (nq,).
            camera: Name of a camera of the model.

        Returns:
            RGB picture, shape (height, width, 3).
        """
        self.open()
        assert self._renderer is not None
        self._data.qpos[:] = position
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._renderer.update_scene(self._data, camera=camera)
        for flag, on in self._flags.items():
            self._renderer.scene.flags[flag] = on
        return self._renderer.render()

    def close(self) -> None:
        """Frees the context, in the thread that rendered."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
