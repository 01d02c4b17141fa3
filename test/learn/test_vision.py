# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import torch

from g1_il.learn.vision import SHIFT_PX, PictureEncoder, SpatialSoftmax, shift_randomly


def test_spatial_softmax_finds_where_a_map_is_high():
    maps = torch.zeros(1, 2, 5, 9)
    maps[0, 0, 0, 8] = 50.0
    maps[0, 1, 2, 4] = 50.0
    where = SpatialSoftmax()(maps)[0]
    torch.testing.assert_close(where, torch.tensor([1.0, 0.0, -1.0, 0.0]), atol=1e-4, rtol=0)


def test_shift_moves_whole_pictures_and_repeats_the_border():
    pictures = torch.zeros(64, 20, 30, 3, dtype=torch.uint8)
    pictures[:, 10, 15] = 255
    pictures[:, :, 0] = 77
    moved = shift_randomly(pictures, torch.Generator().manual_seed(0))
    assert moved.shape == pictures.shape
    assert moved.dtype == torch.uint8
    places = {tuple(np.argwhere(p[..., 0].numpy() == 255)[0] - (10, 15)) for p in moved}
    assert len(places) > 20
    assert np.abs(list(places)).max() <= SHIFT_PX
    assert set(torch.unique(moved).tolist()) == {0, 77, 255}


def test_encoder_takes_any_size():
    encoder = PictureEncoder(16)
    for height, width in ((96, 128), (61, 47)):
        assert encoder(torch.zeros(2, height, width, 3, dtype=torch.uint8)).shape == (2, 16)
