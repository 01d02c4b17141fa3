# SPDX-License-Identifier: Apache-2.0
"""A small picture encoder that learns from scratch: residual convolutions and where they look."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (24, 48, 64)
KEYPOINTS = 32
SHIFT_PX = 4


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a way around them; halves the picture when stride is 2."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        """From `inside` to `outside` channels."""
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(outside // 8, outside)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(outside // 8, outside)
        self.around = nn.Conv2d(inside, outside, 1, stride, bias=False)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, H / stride, W / stride)."""
        hidden = functional.silu(self.first_norm(self.first(picture)))
        hidden = self.second_norm(self.second(hidden))
        return functional.silu(hidden + self.around(picture))


class SpatialSoftmax(nn.Module):
    """Expected position of each channel's activation: where things are, not what they are.

    Levine et al., End-to-End Training of Deep Visuomotor Policies, JMLR 2016, section 5.1.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 2 C), in -1..1: all x, then all y."""
        height, width = maps.shape[2], maps.shape[3]
        weight = torch.softmax(maps.flatten(2), dim=2).reshape(maps.shape)
        across = torch.linspace(-1.0, 1.0, width, device=maps.device)
        down = torch.linspace(-1.0, 1.0, height, device=maps.device)
        x = (weight.sum(dim=2) * across).sum(dim=2)
        y = (weight.sum(dim=3) * down).sum(dim=2)
        return torch.cat([x, y], dim=1)


class PictureEncoder(nn.Module):
    """A picture to a vector. GroupNorm, because batches are small and weights are averaged."""

    def __init__(self, features: int) -> None:
        """To `features` values."""
        super().__init__()
        first, second, third = CHANNELS
        self.body = nn.Sequential(
            nn.Conv2d(3, first, 5, 2, 2, bias=False),
            nn.GroupNorm(first // 8, first),
            nn.SiLU(),
            ResidualBlock(first, second, 2),
            ResidualBlock(second, third, 2),
            nn.Conv2d(third, KEYPOINTS, 1),
        )
        self.where = SpatialSoftmax()
        self.head = nn.Linear(2 * KEYPOINTS, features)

    def forward(self, picture: Tensor) -> Tensor:
        """RGB bytes, shape (B, H, W, 3), to features, shape (B, features)."""
        scaled = picture.permute(0, 3, 1, 2).float() / 127.5 - 1.0
        return functional.silu(self.head(self.where(self.body(scaled))))


def shift_randomly(picture: Tensor, generator: torch.Generator) -> Tensor:
    """Moves each picture by up to SHIFT_PX in both directions, repeating its border.

    Args:
        picture: RGB bytes, shape (B, H, W, 3).
        generator: Source of chance.

    Returns:
        The same shape and type.
    """
    count, height, width, _ = picture.shape
    padded = functional.pad(
        picture.permute(0, 3, 1, 2).float(), [SHIFT_PX] * 4, mode='replicate'
    ).to(picture.dtype)
    offset = torch.randint(0, 2 * SHIFT_PX + 1, (count, 2), generator=generator)
    rows = offset[:, :1] + torch.arange(height)
    columns = offset[:, 1:] + torch.arange(width)
    index = torch.arange(count)[:, None, None]
    return padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]]
