"""The core alone: the wheel and what it depends on, in an environment of its own."""

import re
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: What ``pip install hls-harness`` brings; each is linked from this environment.
CORE = ("numba", "numpy", "platformdirs", "rich", "typer")


def distributions(names: tuple[str, ...]) -> set[str]:
    """These and all that they depend on."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = re.split(r"[ ;\[<>=!~(]", todo.pop())[0].lower()
        if name in found:
            continue
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another platform
        found.add(name)
        todo += [each for each in needed if "extra ==" not in each]
    return found


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the built wheel and the core's packages."""
    folder = tmp_path_factory.mktemp("core")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "env", with_pip=False, symlinks=True)
    site = next((folder / "env").glob("lib/python*/site-packages"))
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in distributions(CORE):
        package = metadata.distribution(name)
        for top in {file.parts[0] for file in package.files or () if file.parts[0] != ".."}:
            link, target = site / top, Path(str(package.locate_file(top)))
            if target.exists() and not link.exists():
                link.symlink_to(target)
    return folder / "env/bin/python"


def run(python: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the interpreter outside of the checkout."""
    done = subprocess.run(
        [str(python), "-I", *arguments],
        cwd=python.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_wheel_asks_for_the_core_alone(python: Path) -> None:
    """What is required without an extra is the list above."""
    (facts,) = python.parents[1].glob("lib/*/site-packages/hls_harness-*.dist-info/METADATA")
    needed = metadata.Distribution.at(facts.parent).requires or []
    plain = [each for each in needed if "extra ==" not in each]
    assert sorted(re.split(r"[<>=]", each)[0] for each in plain) == sorted(CORE)


def test_quantize(python: Path) -> None:
    """Types, quantizers, decoding, the reference: no C++, no torch."""
    program = (
        "import harness, numpy as np\n"
        "from harness import ApFixed, reference\n"
        "t = ApFixed.parse('ap_fixed<8,4,AP_RND_CONV,AP_SAT>')\n"
        "x = np.array([0.03125, 0.09375, 9.0])\n"
        "codes = harness.quantize_codes(x, t)\n"
        "print(harness.quantize(x, t), codes, harness.decode(codes, t))\n"
        "print([reference.from_double(float(v), t) for v in x])\n"
        "print(harness.quantize(np.float32(3.3), 'float8_e4m3fn'))\n"
    )
    status, out, error = run(python, "-c", program)
    assert (status, error) == (0, "")
    assert out.splitlines() == [
        "[0.     0.125  7.9375] [  0   2 127] [0.     0.125  7.9375]",
        "[0, 2, 127]",
        "3.25",
    ]


def test_commands(python: Path) -> None:
    """Golden vectors are replayed, and steps explained; the C++ is said not to have been asked."""
    (file,) = python.parents[1].glob("lib/*/site-packages/harness/_golden/minifloat/double.json")
    status, out, error = run(python, "-m", "harness", "golden", "replay", str(file))
    assert (status, error) == (0, "")
    assert "AGREE: harness.quantize reproduces all" in out
    for what in (["ap_fixed<8,4,AP_RND>", "3.14"], ["float8_e4m3fn", "3.3"], ["ap_int<4>(3) + 1"]):
        status, out, error = run(python, "-m", "harness", "explain", *what)
        assert (status, error) == (0, "")
        told = " ".join(out.split())
        assert "not asked: the vendor's headers come with hls4ml" in told
        assert "pip install 'hls-harness[verify]'" in told


COMMANDS = {
    "verify": "verify",
    "conformance": "verify",
    "golden check": "verify",
    "verify-layers": "torch",
    "verify-project .": "torch",
    "prove": "prove",
    "prove-layers": "torch",
    "cosim a.cpp": "cosim",
    "bench": "cosim",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_extra_is_one_line(python: Path, command: str) -> None:
    """Of a command: status 2, and the extra that it needs."""
    status, out, error = run(python, "-m", "harness", *command.split())
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert f"pip install 'hls-harness[{COMMANDS[command]}]'" in error


def test_every_module_imports_or_names_its_extra(python: Path) -> None:
    """From Python too: an ``ImportError`` that says what to install, never a bare one."""
    program = (
        "import importlib, pkgutil, harness\n"
        "every = pkgutil.walk_packages(harness.__path__, 'harness.', onerror=lambda _: None)\n"
        "for found in every:\n"
        "    try:\n"
        "        importlib.import_module(found.name)\n"
        "    except ImportError as error:\n"
        "        print(found.name, '|', error)\n"
    )
    status, out, error = run(python, "-W", "ignore", "-c", program)
    assert (status, error) == (0, "")
    failed = dict(line.split(" | ") for line in out.splitlines())
    assert failed["harness.nn"] == "harness.nn needs torch; pip install 'hls-harness[torch]'"
    assert failed["harness.testing"].endswith("pip install 'hls-harness[testing]'")
    bare = {name for name, text in failed.items() if "hls-harness[" not in text}
    # What these bring is asked for by those who call them, or is not ours to install.
    private = {"harness.pytest_plugin", "harness.quantize.tensors"}
    theirs = ("harness.conformance.adapters.", "harness.interfaces.pychop.")
    assert {name for name in bare - private if not name.startswith(theirs)} == {
        "harness.interfaces.quantizers.surrogates"
    }
