#!/usr/bin/python3
"""NumPy's files are read as NumPy means them, and NumPy reads ours.

usage: numpy_check.py TESTS, a program that has the test cases "NumPy's files" and, with libzip, "NumPy's archives". Ends
with 77 where python3-numpy is missing: the test is skipped.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}; on Debian: apt-get install python3-numpy")
    sys.exit(77)

values = np.array([[0, 1, 100], [7, 3, 2]])
names = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split()
arrays = {f"{order}{name}": values.astype(order + name) for name in names for order in "<>"}
arrays |= {f"{name}_columns": np.asfortranarray(array) for name, array in arrays.items()}
arrays |= {f"{name}_{part}": array[rows] for name, array in arrays.items() for part, rows in [("none", slice(0)), ("row", 0)]}
arrays["scalar"] = np.array(2.5)
arrays["deep"] = np.arange(24.0).reshape(2, 1, 3, 4).transpose(3, 0, 2, 1)

with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "numpy").mkdir()
    (folder / "ours").mkdir()
    for name, array in arrays.items():
        np.save(folder / "numpy" / f"{name}.npy", array)
    for version in [(1, 0), (2, 0), (3, 0)]:
        with open(folder / "numpy" / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, values, version=version)
        arrays[f"version{version[0]}"] = values
    np.savez(folder / "plain.npz", **arrays)
    np.savez_compressed(folder / "packed.npz", **arrays)
    command = [sys.argv[1], "-tc=NumPy's files,NumPy's archives"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "XGRAD_NUMPY_FOLDER": str(folder)})

    for name, array in arrays.items():
        ours = np.load(folder / "ours" / f"{name}.npy")
        assert ours.dtype == (np.float32 if array.dtype.kind == "f" else np.int64), (name, ours.dtype)
        assert ours.shape == array.shape and np.array_equal(ours, array), (name, array, ours)
    archives = sorted(folder.glob("ours_*.npz"))
    for archive in archives:
        ours = np.load(archive)
        assert ours.files == list(arrays), ours.files
        assert all(np.array_equal(ours[name], array) for name, array in arrays.items()), archive
print(f"{len(arrays)} files and {len(archives)} archives checked")
