"""What holds the house together: five flat packages that share a namespace with the world, the wheel, and the locks."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from types import ModuleType

import pytest

import critpath

ROOT = Path(__file__).parents[2]
OURS = {"critpath", "config", "probes", "alerts", "scheduler"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME_LOCK, DEVELOPMENT_LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds what our wheel installs."""
    made = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made)], cwd=ROOT, check=True)
    (wheel,) = made.glob("*.whl")
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


@pytest.fixture(scope="module")
def files(installed: Path) -> set[str]:
    """Return the names of all files in our wheel."""
    return {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}


def owners(*folders: Path) -> dict[str, list[str]]:
    """Return the distributions that have a top-level module of each of our names, in *folders*, then in this environment."""
    code = "import importlib.metadata as m; print(repr(dict(m.packages_distributions())))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    told = subprocess.check_output([sys.executable, "-c", code], env=environment, cwd=folders[0], text=True)
    found: dict[str, list[str]] = ast.literal_eval(told)
    return {name: sorted(set(found.get(name, []))) for name in OURS}


def test_our_names_are_nobody_elses(installed: Path) -> None:
    assert owners(installed) == {name: ["critpath"] for name in OURS}


def test_a_distribution_that_takes_one_of_our_names_is_seen(installed: Path, tmp_path: Path) -> None:
    information, package = tmp_path / "stranger-1.dist-info", tmp_path / "config"
    information.mkdir()
    package.mkdir()
    (package / "__init__.py").touch()  # Python 3.12 and later leave out what is recorded and not there
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
    (information / "RECORD").write_text("config/__init__.py,,\n")
    assert owners(installed, tmp_path)["config"] == ["critpath", "stranger"]


def test_the_command_is_not_shadowed_by_the_folder_it_runs_in(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes" / "__init__.py").write_text("raise SystemExit('shadowed')")
    command = Path(sys.executable).with_name("critpath")
    done = subprocess.run([command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"critpath {PROJECT['version']}\n", "")


def test_the_image_runs_the_command_on_a_safe_path() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["critpath"]' in dockerfile
    assert re.search(r"^(ENV)? .*\bPYTHONSAFEPATH=1\b", dockerfile, re.MULTILINE)


def test_the_wheel_offers_one_command(installed: Path) -> None:
    ours: list[Distribution] = list(distributions(path=[str(installed)]))
    assert [(e.group, e.name, e.value) for each in ours for e in each.entry_points] == [
        ("console_scripts", "critpath", "scheduler.cli:main")
    ]


@pytest.mark.parametrize(
    "path",
    [
        "critpath/py.typed",
        "config/example.yaml",
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "config" / "targets").glob("*.yaml")),
        "scheduler/store/migrations/env.py",
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "scheduler/store/migrations/versions").glob("*.py")),
    ],
)
def test_the_wheel_holds(path: str, files: set[str]) -> None:
    assert path in files


def test_the_wheel_holds_nothing_but_our_packages_and_the_licence(files: set[str]) -> None:
    information = f"critpath-{PROJECT['version']}.dist-info"
    assert {path.split("/")[0] for path in files} == OURS | {information}
    assert f"{information}/licenses/LICENSE" in files
    assert "config/demo.yaml" not in files


def contract() -> list[ModuleType]:
    """Return the modules of the contract; its doubles for tests are imported from `critpath.testing` by name."""
    names = sorted(path.stem for path in (ROOT / "critpath").glob("*.py") if path.stem not in {"__init__", "testing"})
    return [importlib.import_module(f"critpath.{name}") for name in names]


def public(module: ModuleType) -> dict[str, object]:
    """Return what a module shows under names without an underscore, other modules apart."""
    return {name: value for name, value in vars(module).items() if name[0] != "_" and not isinstance(value, ModuleType)}


def test_the_contract_exports_all_its_types() -> None:
    types = {
        name
        for module in contract()
        for name, value in public(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    assert set(critpath.__all__) == public(critpath).keys() >= types
    assert critpath.__all__ == sorted(critpath.__all__)


def imports(file: Path) -> set[str]:
    """Return the top-level names that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("file", sorted((ROOT / "critpath").rglob("*.py")), ids=lambda file: file.stem)
def test_the_contract_needs_the_standard_library_alone(file: Path) -> None:
    assert imports(file) - sys.stdlib_module_names <= {"critpath"}


def pins(lock: Path) -> dict[str, str]:
    """Return the versions that a lock pins, by normal name."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)", lock.read_text(), re.MULTILINE))


def test_development_has_the_versions_that_the_image_has() -> None:
    assert pins(RUNTIME_LOCK).items() <= pins(DEVELOPMENT_LOCK).items()


def test_the_lock_knows_every_dependency() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]]
    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names <= pins(RUNTIME_LOCK).keys()


@pytest.mark.parametrize("lock", [RUNTIME_LOCK, DEVELOPMENT_LOCK], ids=lambda lock: lock.name)
def test_a_lock_has_hashes_and_names_no_place(lock: Path) -> None:
    text = lock.read_text()
    unproved = [name for name in pins(lock) if not re.search(rf"^{name}(\[\S+\])?==.*\\\n +--hash=sha256:", text, re.MULTILINE)]
    assert unproved == []
    assert "://" not in text
    assert not re.search(r"^ *-(-\w*index|-find|f )", text, re.MULTILINE)


# The parts are apart, so that this file does not name what it looks for.
REGISTRIES = (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("crates", "io"), ("golang", "org"),
    ("maven", "org"), ("maven", "apache", "org"), ("deb", "debian", "org"), ("docker", "io"), ("ghcr", "io"), ("quay", "io"),
)  # fmt: skip


def test_no_committed_file_names_a_package_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode and not os.environ.get("CI"):
        pytest.skip("not a checkout of git")
    assert listed.returncode == 0, listed.stderr
    host = re.compile("|".join(r"\b" + re.escape(".".join(parts)) + r"\b" for parts in REGISTRIES))
    assert host.search("https://" + ".".join(REGISTRIES[0]) + "/simple")
    tracked = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert [path for path in tracked if path.is_file() and host.search(path.read_text(errors="replace"))] == []
